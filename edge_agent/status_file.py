"""What a running agent says of itself to `ttdn-agent status`: a small file in memory, replaced every few seconds.

A file and not a socket: it also tells of an agent that hangs, by its age.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from contract.status import Queue

NAME: Final = "status.json"
EVERY_S: Final = 5.0
STALE_S: Final = 30.0


class AgentStatus(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """The agent's condition at `at_ms` of CLOCK_BOOTTIME."""

    device: str
    version: str
    pid: int
    at_ms: int
    started_ms: int
    connected: bool
    last_error: str
    clock: str
    queue: Queue
    dropped: int
    faults: list[str]
    probes: dict[str, str]
    """Probe and its error; empty if it can look."""
    bridge: dict[str, int]


def write(folder: Path, status: AgentStatus) -> None:
    """Replace the file in one step, so that a reader sees the old one or the new one."""
    aside = folder / f"{NAME}.{os.getpid()}"
    aside.write_bytes(msgspec.json.encode(status))
    aside.replace(folder / NAME)


def read(folder: Path) -> AgentStatus | None:
    """The last status; None if there is none, or not one of ours."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=AgentStatus)
    except (OSError, msgspec.MsgspecError):
        return None


def remove(folder: Path) -> None:
    """The agent has ended in good order."""
    (folder / NAME).unlink(missing_ok=True)
