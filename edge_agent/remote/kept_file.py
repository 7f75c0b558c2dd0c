"""A small file that is replaced whole: whatever ends the process or the power, it holds the old bytes or the new ones.

The new bytes are durable under another name before they take the place of the old ones in one rename, and the rename is
durable before `replace` returns.
"""

from __future__ import annotations

from pathlib import Path

from edge_agent.durable import SHARED, replace_file


class KeptFile:
    """One such file. Used by one thread. OSError where the disk does not take it; the old bytes then stay."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def read(self) -> bytes | None:
        """What was kept last; None if nothing was."""
        try:
            return self.file.read_bytes()
        except FileNotFoundError:
            return None

    def replace(self, data: bytes) -> None:
        """Durable when this returns."""
        self.file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        replace_file(self.file, data, SHARED)

    def set_aside(self) -> Path:
        """Put away what cannot be read, for somebody to look at; its new name."""
        name = self.file.with_name(f"{self.file.name}.unreadable")
        self.file.rename(name)
        return name
