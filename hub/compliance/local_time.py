"""Days and hours as people at the border count them: Asia/Ho_Chi_Minh, which is UTC+7 without daylight saving.

The offset is fixed here, not read from a time zone database: a hub's answer must not depend on which one is installed.
Moments are Unix ms, UTC. As the offset is whole hours, a local hour is a UTC hour.
"""

from __future__ import annotations

from datetime import date
from typing import Final

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
OFFSET_MS: Final = 7 * HOUR_MS

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


def local_date(time_ms: int) -> date:
    """The local day that `time_ms` lies in. OverflowError outside the years 1 to 9999."""
    return date.fromordinal(_EPOCH_DAY + (time_ms + OFFSET_MS) // DAY_MS)


def day_begin_ms(day: date) -> int:
    """The moment at which the local `day` begins."""
    return (day.toordinal() - _EPOCH_DAY) * DAY_MS - OFFSET_MS
