"""Whether storage still keeps what it is given: a small file written, forced to the medium and read back.

An SD card that dies often goes on answering from its cache, or turns read-only; the kernel counts no error for either.
"""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path
from typing import Final

FILE_NAME: Final = ".canary"
_SIZE_BYTES: Final = 4096
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Canary:
    """Checks one folder, at most once every `every_s`, and remembers what it found until the next check."""

    def __init__(self, folder: Path, every_s: float, name: str = FILE_NAME) -> None:
        self._path, self._every_ms = folder / name, round(every_s * 1000)
        self._checked_at_ms: int | None = None
        self._trouble: str | None = None

    def trouble(self, at_ms: int) -> str | None:
        """Why the storage is not to be trusted; None if it kept what it was given."""
        if self._checked_at_ms is None or at_ms - self._checked_at_ms >= self._every_ms:
            self._checked_at_ms, self._trouble = at_ms, self._check()
        return self._trouble

    def _check(self) -> str | None:
        data = secrets.token_bytes(_SIZE_BYTES)
        try:
            _write(self._path, data)
            kept = _read(self._path) == data
        except OSError as error:
            # A full disk is another trouble, and says nothing about the medium.
            return None if error.errno in _FULL else f"{self._path}: {error.strerror or error}"
        return None if kept else f"{self._path}: other bytes came back than were written"


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        # Out of the page cache, or memory would answer instead of the medium.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return file.read()
