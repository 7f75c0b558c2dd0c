"""A time that is past for sure, for a machine that wakes up in 1970.

What is *attested* (this release was built, the certificate and the code were issued) cannot be from the future. What
is *stored* (the last time that was certain, noted now and then) is later and so better, but can be wrong: where
something has told the machine that it was 2036, and nobody contradicted, every certificate would have expired for
ever. So it is replaced by whatever is certain next, be that earlier, and certificates are held against it for an hour
only: an agent that has not found out the time by then goes back to what is attested. Nobody needs to come.
"""

from __future__ import annotations

import logging
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from contract.limits import MAX_TIME_MS
from contract.version import RELEASED
from edge_agent.durable import SHARED, replace_file

FILE_NAME: Final = "clock_floor"
STORE_INTERVAL_MS: Final = 600_000
STORED_COUNTS_MS: Final = 3_600_000
"""So long after the start of an agent that does not know the time its stored time counts for certificates."""
BUILT_MS: Final = int(datetime.fromisoformat(RELEASED).replace(tzinfo=UTC).timestamp() * 1000)
"""When this release was made, Unix ms."""
log = logging.getLogger(__name__)


class Floor:
    """What is known of the time at the start of an agent. `passed_ms`: how long ago that was, by CLOCK_BOOTTIME."""

    def __init__(self, *, attested_ms: int = 0, stored_ms: int = 0) -> None:
        """Unix ms. `attested_ms`: the latest of BUILT_MS, the certificate's beginning and the issue of a code."""
        self._attested_ms = attested_ms
        self._stored_ms = stored_ms

    def attested(self, passed_ms: int) -> int:
        """Whoever says that it is earlier is wrong. Unix ms."""
        return self._attested_ms + _at_least(passed_ms)

    def for_stamps(self, passed_ms: int) -> int:
        """No event of now is dated before this. Unix ms. It rises as CLOCK_BOOTTIME does: a boot has one beginning."""
        return max(self._attested_ms, self._stored_ms) + passed_ms

    def for_certificates(self, passed_ms: int) -> int:
        """What expired before this has expired. Unix ms."""
        stored_ms = self._stored_ms if passed_ms < STORED_COUNTS_MS else 0
        return max(self._attested_ms, stored_ms) + _at_least(passed_ms)


class FloorFile:
    """The stored time: a few bytes in the agent's state folder, written only with times that are certain."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._due_ms = 0

    def read(self) -> int:
        """The last stored time, Unix ms; 0 if there is none that can be read."""
        try:
            text = self._path.read_text(encoding="ascii")
        except FileNotFoundError:
            return 0
        except (OSError, UnicodeDecodeError) as error:
            log.warning("the stored time in %s cannot be read and is left out: %s", self._path, error)
            return 0
        time_ms = _parse(text)
        if time_ms is None:
            log.warning("the stored time in %s is damaged and is left out; it will be written anew", self._path)
        return time_ms or 0

    def note(self, time_ms: int, now_ms: int, *, at_once: bool = False) -> None:
        """Store a certain time, every ten minutes (`now_ms` is CLOCK_BOOTTIME) or `at_once`."""
        if now_ms < self._due_ms and not at_once:
            return
        self._due_ms = now_ms + STORE_INTERVAL_MS
        try:
            replace_file(self._path, _text(time_ms).encode("ascii"), SHARED)
        except OSError as error:
            log.warning("the time cannot be noted in %s: %s; check the disk and its rights", self._path, error)


def _at_least(passed_ms: int) -> int:
    """Of an interval what has passed for sure, though the oscillator be fast."""
    return max(0, passed_ms - passed_ms // 1000)


def _text(time_ms: int) -> str:
    return f"{time_ms} {zlib.crc32(str(time_ms).encode('ascii')):08x}\n"


def _parse(text: str) -> int | None:
    digits = text.partition(" ")[0]
    with suppress(ValueError):
        time_ms = int(digits)
        if 0 < time_ms <= MAX_TIME_MS and text == _text(time_ms):
            return time_ms
    return None
