"""Where `ttdn.toml` may lie: the boot partition, mounted sticks, and sticks that nobody has mounted."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from edge_agent.identity.boot_file import NAMES

BOOT: Final = (Path("/boot/firmware"), Path("/boot"))
_STICKS: Final = (Path("/media"), Path("/run/media"), Path("/mnt"))
_FILE_SYSTEMS: Final = ("vfat", "exfat", "ext4")
_MOUNTS: Final = Path("/run/ttdn-first-boot")
_MAX_MOUNTS: Final = 8
_TIMEOUT_S: Final = 60.0
log = logging.getLogger(__name__)


class Partition(NamedTuple):
    """One that could hold the file and is not mounted."""

    device: str
    file_system: str


class _Block(Struct):
    path: str
    fstype: str | None = None
    mountpoint: str | None = None
    hotplug: bool | None = None
    rm: bool | None = None


class _Blocks(Struct):
    blockdevices: list[_Block]


def find_file(folders: Iterable[Path]) -> Path | None:
    """The first file of that name, however it is written."""
    for folder in folders:
        try:
            names = {name.lower(): name for name in sorted(os.listdir(folder))}  # noqa: PTH208 - names are enough
        except OSError:
            continue
        for name in NAMES:
            if name in names and (folder / names[name]).is_file():
                return folder / names[name]
    return None


def mounted_folders() -> list[Path]:
    """The boot partition, then what is mounted where desktops and people mount sticks."""
    found = list(BOOT)
    for root in _STICKS:
        found += sorted(root.glob("*")) + sorted(root.glob("*/*"))
    return found


def unmounted(lsblk_json: bytes) -> list[Partition]:
    """Removable partitions of a file system that PCs write, which nobody has mounted. Pure."""
    try:
        blocks = msgspec.json.decode(lsblk_json, type=_Blocks).blockdevices
    except msgspec.MsgspecError as error:
        log.warning("lsblk cannot be understood: %s", error)
        return []
    return [
        Partition(block.path, block.fstype)
        for block in blocks
        if block.fstype in _FILE_SYSTEMS and not block.mountpoint and (block.hotplug or block.rm)
    ][:_MAX_MOUNTS]


@contextmanager
def sticks_mounted() -> Iterator[list[Path]]:
    """Mount what is not mounted for as long as this lasts; needs root."""
    command = ["lsblk", "--json", "--list", "--paths", "--output", "PATH,FSTYPE,MOUNTPOINT,HOTPLUG,RM"]
    with ExitStack() as mounts:
        folders = []
        for number, partition in enumerate(unmounted(_said(command))):
            folder = _MOUNTS / str(number)
            if _mount(partition, folder):
                mounts.callback(_unmount, folder)
                folders.append(folder)
        yield folders


def _mount(partition: Partition, folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        options = ["-o", "rw,nosuid,nodev,noexec,sync"]
        _run(["mount", "-t", partition.file_system, *options, partition.device, str(folder)])
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("%s cannot be mounted: %s", partition.device, error)
        return False
    return True


def _unmount(folder: Path) -> None:
    try:
        _run(["umount", str(folder)])
        folder.rmdir()
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("%s stays mounted: %s", folder, error)


def _said(command: Sequence[str]) -> bytes:
    try:
        return _run(command).stdout
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("sticks that are not mounted cannot be looked for: %s", error)
        return b'{"blockdevices": []}'


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, check=True, capture_output=True, timeout=_TIMEOUT_S)
