"""Two agents under one name, by the order in which one worker hears their sessions. Pure.

Every worker reads every status message, each in its own time. What the database remembers of a device is therefore of
several readers, one of which may be behind: it would see old sessions come back. Within what one worker has heard a
session that was followed by another comes back only if a second agent is there, or once, by a message that was late.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

RETURNS_OF_A_CLONE: Final = 2
WINDOW_MS: Final = 30 * 60_000
_SESSIONS_KEPT: Final = 8


class _Heard(NamedTuple):
    """Of one device: its sessions, the latest last, and when one of them came back."""

    sessions: deque[str]
    returns_ms: deque[int]


class Clones:
    """What one worker has heard since its start."""

    def __init__(self) -> None:
        self._devices: dict[str, _Heard] = {}

    def hear(self, device: str, session: str, now_ms: int) -> bool:
        """Take a session's sign of life; whether it shows that two agents take turns."""
        heard = self._devices.get(device)
        if heard is None:
            heard = self._devices[device] = _Heard(deque(maxlen=_SESSIONS_KEPT), deque(maxlen=RETURNS_OF_A_CLONE))
        sessions, returns_ms = heard
        if sessions and sessions[-1] == session:
            return False
        comes_back = session in sessions
        if comes_back:
            sessions.remove(session)
            returns_ms.append(now_ms)
        sessions.append(session)
        return comes_back and len(returns_ms) == RETURNS_OF_A_CLONE and now_ms - returns_ms[0] < WINDOW_MS
