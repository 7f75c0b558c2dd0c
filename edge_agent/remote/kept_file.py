"""A small file that is replaced whole: whatever ends the process or the power, it holds the old bytes or the new ones.

The new bytes are durable under another name before they take the place of the old ones in one rename, and the rename is
durable before `replace` returns.
"""

from __future__ import annotations

import os
from pathlib import Path


class KeptFile:
    """One such file. Used by one thread. OSError where the disk does not take it; the old bytes then stay."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._aside = file.with_name(f"{file.name}.new")

    def read(self) -> bytes | None:
        """What was kept last; None if nothing was."""
        try:
            return self.file.read_bytes()
        except FileNotFoundError:
            return None

    def replace(self, data: bytes) -> None:
        """Durable when this returns."""
        self.file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        handle = os.open(self._aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        try:
            _write_all(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)
        self._aside.rename(self.file)
        _sync_folder(self.file.parent)

    def set_aside(self) -> Path:
        """Put away what cannot be read, for somebody to look at; its new name."""
        name = self.file.with_name(f"{self.file.name}.unreadable")
        self.file.rename(name)
        return name


def _write_all(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
