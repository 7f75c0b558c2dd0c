"""Files and folders that are there after a power cut, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SECRET: Final = 0o600
SHARED: Final = 0o640
"""Also for the group, which is that of the folder's owner."""
HALF: Final = ".new"
"""The end of the name of what is being made; whatever bears it at a start is rubbish."""


def sync_folder(folder: Path) -> None:
    """Names in `folder` stand on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(file: Path, data: bytes, mode: int = SECRET) -> None:
    """A new file, its bytes on the disk; its name is when the folder is synced."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, SECRET)
    try:
        os.fchmod(handle, mode)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_file(file: Path, data: bytes, mode: int = SECRET) -> None:
    """`file` is the old one or the new one at any moment, and the new one for good at the end."""
    half = file.with_name(file.name + HALF)
    half.unlink(missing_ok=True)  # on a stick it may be anybody's link to anything
    write_file(half, data, mode)
    half.rename(file)
    sync_folder(file.parent)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Fill what is yielded; at the end all of it becomes `folder` in one step. Nothing does if the filling fails."""
    half = folder.with_name(folder.name + HALF)
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    try:
        yield half
        for file in half.iterdir():
            _sync_file(file)
        sync_folder(half)
        half.rename(folder)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    sync_folder(folder.parent)


def remove_folder(folder: Path) -> None:
    """It is gone in one step, even if its files are removed one by one."""
    rubbish = folder.with_name(folder.name + ".old" + HALF)
    shutil.rmtree(rubbish, ignore_errors=True)
    folder.rename(rubbish)
    sync_folder(folder.parent)
    shutil.rmtree(rubbish, ignore_errors=True)


def point(link: Path, target: str) -> None:
    """The symbolic link `link` leads to `target` from now on, for good."""
    half = link.with_name(link.name + HALF)
    half.unlink(missing_ok=True)
    half.symlink_to(target)
    half.replace(link)
    sync_folder(link.parent)


def sweep(folder: Path) -> None:
    """Remove what a power cut left half-made."""
    for left in folder.glob(f"*{HALF}"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _sync_file(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
