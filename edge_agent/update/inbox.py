"""The folder in which the agent's user puts a package for root, and how root takes it from there.

Root trusts nothing in it: the folder is opened without following a link, the package too, and what is used of it is
only what has been read and checked once.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from contract.package import check_files, read_head
from contract.release import ENDING, MAX_PACKAGE_BYTES, Manifest, PackageError, number
from edge_agent.durable import sync_folder
from edge_agent.update.errors import Refused
from edge_agent.update.fitness import here, no_room, room_needed, unfit
from edge_agent.update.places import READY

_PART: Final = "incoming.part"
_LOOK_S: Final = 120.0
_CHUNK: Final = 1024 * 1024
_MOST_FOUND: Final = 16


# -- root's side -------------------------------------------------------------------------------------------------------


def open_ready(folder: Path) -> BinaryIO | None:
    """The package that waits; None if there is none, or what is there is no plain file."""
    try:
        inbox = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        handle = os.open(READY, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=inbox)
    except OSError:
        return None
    finally:
        os.close(inbox)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    return os.fdopen(handle, "rb")


def drop_ready(folder: Path) -> None:
    """Remove it, whatever it is; nothing outside of the folder."""
    try:
        inbox = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.unlink(READY, dir_fd=inbox)
        os.fsync(inbox)
    except FileNotFoundError:
        pass
    except IsADirectoryError:
        os.rename(READY, "not-a-package", src_dir_fd=inbox, dst_dir_fd=inbox)
    finally:
        os.close(inbox)


# -- the agent's side --------------------------------------------------------------------------------------------------


def look(file: Path, key: Path) -> Manifest:
    """The manifest of a package, if it is signed for this device and fits it; the beginning of a file is enough.

    Early and for a good text only: root checks everything again. Refused or PackageError.
    """
    with file.open("rb") as stream:
        manifest = read_head(stream).manifest
    command = [sys.executable, "-m", "edge_agent.update.signature", str(key), str(file)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_LOOK_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"whether it is signed cannot be found out: {error}") from error
    if done.returncode != 0:
        raise Refused(done.stderr.decode(errors="replace").strip()[-400:] or "its signature cannot be checked")
    if reason := unfit(manifest, here()):
        raise Refused(reason)
    return manifest


def hand_over(file: Path) -> None:
    """A checked package in the inbox becomes the one that root takes."""
    file.replace(file.with_name(READY))
    sync_folder(file.parent)


def take(source: BinaryIO, folder: Path, key: Path) -> Manifest:
    """Copy a package from elsewhere, as a stick, check it and hand it over. Refused, PackageError or OSError."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    part = folder / _PART
    try:
        length = _copy(source, part)
        manifest = look(part, key)
        with part.open("rb") as stream:
            check_files(stream, read_head(stream).manifest)
        if reason := no_room(room_needed(manifest) - length, _free(folder), str(folder)):
            raise Refused(reason)
        hand_over(part)
    finally:
        part.unlink(missing_ok=True)
    return manifest


class Found(NamedTuple):
    """A package in a folder; whether it is good, `take` finds out."""

    number: tuple[int, int, int]
    file: Path
    manifest: Manifest
    unfit: str
    """Why it is not for this machine; empty if it is."""


def found(folders: Iterable[Path]) -> Iterator[Found]:
    """The packages that lie in these folders, as of a stick; what is none is left out."""
    for folder in folders:
        for file in sorted(folder.glob(f"*{ENDING}"))[:_MOST_FOUND]:
            try:
                with file.open("rb") as stream:
                    manifest = read_head(stream).manifest
            except (OSError, PackageError):
                continue
            yield Found(number(manifest.version), file, manifest, unfit(manifest, here()))


def find(folders: Iterable[Path]) -> Path | None:
    """The newest of them that fits this machine."""
    fitting = [one for one in found(folders) if not one.unfit]
    return max(fitting, key=lambda one: (one.number, one.file)).file if fitting else None


def _copy(source: BinaryIO, part: Path) -> int:
    length = 0
    with part.open("wb") as out:
        while chunk := source.read(_CHUNK):
            length += len(chunk)
            if length > MAX_PACKAGE_BYTES:
                raise PackageError(f"it is larger than {MAX_PACKAGE_BYTES} bytes")
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return length


def _free(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
