"""Small files of /proc and /sys, below a root that a test may put elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 64 << 10


def text(path: Path) -> str | None:
    """What the file says, without white space around it; None if it is not there or the kernel cannot tell."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("ascii", "replace").strip()
    except OSError:
        return None


def number(path: Path) -> int | None:
    """The one whole number in the file; None if there is none."""
    return whole(text(path))


def whole(said: str | None) -> int | None:
    """`said` as a whole number; None if it is none."""
    try:
        # No number of the kernel's is longer; int() of thousands of digits is slow, then refused.
        return None if said is None or len(said) > 20 else int(said)
    except ValueError:
        return None


def folders(root: Path, pattern: str) -> Iterator[Path]:
    """Entries of a class folder such as `sys/class/hwmon/hwmon*`, in the order of their names."""
    yield from sorted(root.glob(pattern))
