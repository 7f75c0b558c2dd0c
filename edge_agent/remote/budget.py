"""How much of the month's data is used, and what an agent then leaves out. Pure.

    below 80 %   as configured
    from 80 %    `saving`: signs of life every minute at most, hellos every half hour, events wait up to a minute for
                 company, no snapshots
    from 100 %   `spent`: the same, and events wait up to ten minutes

Events are never dropped for it: what a screen showed is worth more than a bill.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final, Literal

from msgspec import Struct

from edge_agent.uplink import Pace

Step = Literal["plenty", "saving", "spent"]
SAVING_PERCENT: Final = 80
_LOCAL: Final = timezone(timedelta(hours=7))
_PACES: Final[dict[Step, Pace]] = {
    "plenty": Pace(),
    "saving": Pace(alive_ms=60_000, hello_ms=1_800_000, linger_ms=60_000),
    "spent": Pace(alive_ms=60_000, hello_ms=1_800_000, linger_ms=600_000),
}


class Used(Struct, frozen=True):
    """Bytes of a local month; `month` counts from January of year 0, and is 0 while no time is known."""

    month: int = 0
    bytes: int = 0


def month_of(unix_ms: int) -> int:
    """The local month (UTC+7) of a moment, as a number that rises by one a month."""
    local = datetime.fromtimestamp(unix_ms / 1000, _LOCAL)
    return local.year * 12 + local.month - 1


def after(used: Used, more_bytes: int, month: int | None) -> Used:
    """What is used when so much more has gone; a month that begins, begins at nothing.

    Without a certain time (None) all counts to the month that was known last; what counted before any was known goes
    to the first that is. A clock that goes back to an earlier month changes nothing.
    """
    if month is None or month <= used.month or used.month == 0:
        return Used(used.month if month is None else max(used.month, month), used.bytes + more_bytes)
    return Used(month, more_bytes)


def step(used_bytes: int, month_bytes: int | None) -> Step:
    """Which step holds; without a budget there is plenty."""
    if month_bytes is None or used_bytes * 100 < month_bytes * SAVING_PERCENT:
        return "plenty"
    return "saving" if used_bytes < month_bytes else "spent"


def slowed(pace: Pace, at: Step) -> Pace:
    """The configured pace, or a slower one."""
    return Pace(*(max(own, least) for own, least in zip(pace, _PACES[at], strict=True))) if at != "plenty" else pace
