"""Files that are there whole or not at all, whenever the power fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

SECRET: Final = 0o600
"""For the owner only."""
SHARED: Final = 0o640
"""For the folder's group as well: what a broker reads that runs under a name of its own."""


def write_file(file: Path, data: bytes, mode: int) -> None:
    """Put `data` in place of `file`; root writes for whom the folder belongs to. OSError."""
    aside = file.with_name(f".{file.name}.new")
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fchmod(opened.fileno(), mode)  # whatever the umask is
        give_away(aside)
        os.fsync(opened.fileno())
    aside.replace(file)
    sync_folder(file.parent)


def make_folder(folder: Path, mode: int) -> None:
    """With all above it, if it is not there. OSError."""
    if not folder.is_dir():
        make_folder(folder.parent, 0o755)
        folder.mkdir(mode=mode, exist_ok=True)
        give_away(folder)


def give_away(made: Path) -> None:
    """What root has made belongs to whom the folder around it belongs to: the hub's user. OSError."""
    if os.geteuid() == 0:
        owner = made.parent.stat()
        os.chown(made, owner.st_uid, owner.st_gid, follow_symlinks=False)  # a link there would be somebody's trick


def sync_folder(folder: Path) -> None:
    """What was renamed in it stays renamed. OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
