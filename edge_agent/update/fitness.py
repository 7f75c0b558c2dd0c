"""Whether a package is for this machine. Pure."""

from __future__ import annotations

import platform
import sys
from typing import Final, NamedTuple

from contract.release import Manifest, number
from contract.version import VERSION

GROWTH: Final = 5
"""A virtual environment takes about four times the bytes of its wheels, byte code included; and the wheels once."""
SPARE_BYTES: Final = 64_000_000
"""What the rest of the machine needs meanwhile."""


class Here(NamedTuple):
    """This machine and what runs on it."""

    version: str
    arch: str
    python: str


def here() -> Here:
    """The running agent's machine."""
    machine = platform.machine()
    if machine == "aarch64" and sys.maxsize < 2**32:
        machine = "armv7l"  # a 64-bit kernel under a 32-bit system
    return Here(VERSION, machine, f"{sys.version_info.major}.{sys.version_info.minor}")


def unfit(manifest: Manifest, machine: Here) -> str:
    """Why not, for a person; empty if it fits."""
    ours, theirs = number(machine.version), number(manifest.version)
    if manifest.arch not in ("any", machine.arch):
        return f"it is made for {manifest.arch}, this machine is {machine.arch}; take the package for {machine.arch}"
    if machine.python not in manifest.python:
        known = ", ".join(manifest.python)
        return f"it is made for Python {known}, this machine has {machine.python}; take a package for that"
    if theirs == ours:
        return f"version {manifest.version} is installed already"
    if theirs < ours and not manifest.allow_downgrade:
        return (
            f"it is version {manifest.version}, older than {machine.version} which is installed, and not signed as one "
            "to go back to"
        )
    if ours < number(manifest.applies_on):
        return f"it can be installed over {manifest.applies_on} or later, here is {machine.version}; install that first"
    return ""


def room_needed(manifest: Manifest) -> int:
    """Bytes that must be free before it is unpacked."""
    return GROWTH * manifest.content_bytes + SPARE_BYTES


def no_room(needed_bytes: int, free_bytes: int, where: str) -> str:
    """The text for a disk that is too small; empty if it is not."""
    if free_bytes >= needed_bytes:
        return ""
    return (
        f"{where} has {free_bytes // 1_000_000} MB free and {needed_bytes // 1_000_000} MB are needed; "
        "make room, or use a larger card"
    )
