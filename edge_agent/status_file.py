"""What a running agent says of itself to `ttdn-agent status`: a small file in memory, replaced every few seconds.

A file and not a socket: it also tells of an agent that hangs, by its age.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from contract.status import Queue
from edge_agent.clock import boottime_ms
from edge_agent.errors import AgentFailed
from edge_agent.identity.keeper import CertificateStatus

NAME: Final = "status.json"
EVERY_S: Final = 5.0
STALE_S: Final = 30.0
_STARTTIME: Final = 19
"""Field 22 of /proc/PID/stat, counted from the one after the name: start after boot, in clock ticks."""
log = logging.getLogger(__name__)


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
    certificate: CertificateStatus | None = None
    """None if this device goes by name and password."""
    config: int = 0
    """Revision of the hub's configuration that is in force; 0: none."""
    is_open: bool | None = None
    """By the opening hours that the hub has set."""
    month_bytes: int = 0
    """On the line in this local month."""
    budget_bytes: int | None = None
    data: str = "plenty"


def write(folder: Path, status: AgentStatus) -> None:
    """Replace the file in one step, so that a reader sees the old one or the new one."""
    aside = folder / f"{NAME}.{os.getpid()}"
    try:
        aside.write_bytes(msgspec.json.encode(status))
        aside.replace(folder / NAME)
    except OSError as error:  # recording goes on; `status` tells of it by the age of the old file
        log.warning("cannot write %s: %s", folder / NAME, error.strerror)


def read(folder: Path) -> AgentStatus | None:
    """The last status; None if there is none, or not one of ours. AgentFailed if one may be there, but not for us."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=AgentStatus)
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        return None
    except OSError as error:
        what = f"{folder / NAME} cannot be read: {error.strerror}"
        raise AgentFailed(f"{what}; ask as the agent's user, or as root") from error


def is_running(status: AgentStatus) -> bool:
    """Whether the process that wrote it lives; another one that got its number since began later than it wrote."""
    try:
        stat = Path(f"/proc/{status.pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    began_ticks = int(stat.rpartition(")")[2].split()[_STARTTIME])
    began_ms = began_ticks * 1000 // os.sysconf("SC_CLK_TCK")
    return began_ms <= status.at_ms <= boottime_ms()


def remove(folder: Path) -> None:
    """The agent has ended in good order."""
    with suppress(OSError):
        (folder / NAME).unlink()
