"""When a certificate is to be renewed, and when that is late enough to speak of it. Pure."""

from __future__ import annotations

import hashlib
import random
import time
from typing import Final

from edge_agent.identity.store import HubFacts
from edge_agent.observation import Trouble
from edge_agent.tls import Moment

_DUE: Final = 2 / 3
_JITTER: Final = 1 / 36
"""Of the life: kiosks that were enrolled on one day come to the hub over ten."""
_LATE: Final = 5 / 6
FIRST_PAUSE_S: Final = 60.0
MAX_PAUSE_S: Final = 6 * 3600.0
REFUSED_PAUSE_S: Final = 24 * 3600.0


def due_ms(hub: HubFacts) -> int:
    """From when on it is to be renewed: two thirds of its life and a part that is its own, whatever restarts."""
    life = hub.not_after_ms - hub.not_before_ms
    mark = hashlib.sha256(f"{hub.device} {hub.not_after_ms}".encode()).digest()
    own = int.from_bytes(mark[:4], "big") / 2**32
    return hub.not_before_ms + int(life * (_DUE + _JITTER * own))


def is_due(hub: HubFacts, now: Moment) -> bool:
    """An uncertain moment is a floor: what is due then is due in any case."""
    return now.time_ms >= due_ms(hub)


def pause_s(failures: int, *, refused: bool, asked_s: float = 0) -> float:
    """How long to wait after so many failures in a row: longer each time, and never all kiosks at once."""
    longest = REFUSED_PAUSE_S if refused else min(MAX_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures - 1, 20))
    return max(asked_s, longest * random.uniform(0.5, 1))  # noqa: S311 - jitter


def trouble(hub: HubFacts, now: Moment, last_error: str) -> Trouble | None:
    """What to say of a certificate that nears its end unrenewed."""
    if now.time_ms >= hub.not_after_ms:
        return Trouble(code="certificate_expired", reason=_reason("expired on", hub, last_error))
    if now.time_ms >= hub.not_before_ms + int((hub.not_after_ms - hub.not_before_ms) * _LATE):
        return Trouble(code="certificate_expiring", reason=_reason("expires on", hub, last_error))
    return None


def _reason(what: str, hub: HubFacts, last_error: str) -> str:
    return f"{what} {day(hub.not_after_ms)}; renewal: {last_error or 'not tried yet'}"


def day(time_ms: int) -> str:
    """A date in UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(time_ms / 1000))
