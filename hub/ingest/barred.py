"""Which devices were revoked, as one writer knows it: asked for now and then, not with every message."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Final

import psycopg

from hub.store import revocation
from hub.store.moment import unix_ms

MOST_AGE_S: Final = 2.0
TELL_AFTER_MS: Final = 60_000
"""What was under way, and the last will of a session that we end, are no reason to tell anybody."""


class Barred:
    """Names of devices. True if there are any."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._since: dict[str, datetime] = {}
        self._told: set[str] = set()
        self._asked_at = float("-inf")

    def refresh(self) -> None:
        """Ask again, if what is known is older than MOST_AGE_S."""
        now = time.monotonic()
        if now - self._asked_at >= MOST_AGE_S:
            self._since = revocation.barred(self._connection)
            self._told &= self._since.keys()
            self._asked_at = now

    def is_to_be_told(self, device: str, now_ms: int) -> bool:
        """Whether it should long be gone; once for each time that it was revoked."""
        late = now_ms - unix_ms(self._since[device]) >= TELL_AFTER_MS
        if not late or device in self._told:
            return False
        self._told.add(device)
        return True

    def __contains__(self, device: object) -> bool:
        return device in self._since

    def __len__(self) -> int:
        return len(self._since)
