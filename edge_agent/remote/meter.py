"""Counts the bytes of the month, and keeps the count at little cost to the card.

The count is written when a quarter of a mebibyte has come to it or a quarter of an hour has passed with anything new,
and at the end: a power cut forgets so much at most.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import msgspec

from edge_agent.remote import budget
from edge_agent.remote.budget import Used
from edge_agent.remote.kept_file import KeptFile

NAME: Final = "traffic.json"
KEEP_BYTES: Final = 256 * 1024
KEEP_MS: Final = 15 * 60_000
log = logging.getLogger(__name__)


class Meter:
    """Used by one thread, but for `used`, which any may read."""

    def __init__(self, folder: Path) -> None:
        self._file = KeptFile(folder / NAME)
        self.used = self._kept = self._load()
        self._line_bytes = 0
        self._kept_ms: int | None = None

    def count(self, line_bytes: int, unix_ms: int | None, now_ms: int) -> None:
        """Take the bytes on the line since the start; `unix_ms` is the time if it is certain."""
        more, self._line_bytes = max(0, line_bytes - self._line_bytes), max(line_bytes, self._line_bytes)
        self.used = budget.after(self.used, more, None if unix_ms is None else budget.month_of(unix_ms))
        self._kept_ms = now_ms if self._kept_ms is None else self._kept_ms
        fresh = self.used.month != self._kept.month or self.used.bytes - self._kept.bytes >= KEEP_BYTES
        if fresh or (self.used != self._kept and now_ms - self._kept_ms >= KEEP_MS):
            self.keep(now_ms)

    def keep(self, now_ms: int) -> None:
        """Write the count, if it has changed."""
        if self.used == self._kept:
            return
        self._kept, self._kept_ms = self.used, now_ms  # also if it fails: the card is not tried every second
        try:
            self._file.replace(msgspec.json.encode(self.used))
        except OSError as error:
            log.warning("the month's data cannot be noted: %s: %s", self._file.file, error.strerror)

    def _load(self) -> Used:
        try:
            data = self._file.read()
            return Used() if data is None else msgspec.json.decode(data, type=Used)
        except OSError as error:
            log.warning("the month's data begins at nothing: %s: %s", self._file.file, error.strerror)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("the month's data begins at nothing: %s: %s", self._file.file, error)
        return Used()
