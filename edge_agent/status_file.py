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

from contract.events import Facts
from contract.status import Queue
from edge_agent.clock import boottime_ms
from edge_agent.errors import AgentFailed
from edge_agent.identity.keeper import CertificateStatus

NAME: Final = "status.json"
EVERY_S: Final = 5.0
STALE_S: Final = 30.0
_STARTTIME: Final = 19
"""Field 22 of /proc/PID/stat, counted from the one after the name: start after boot, in clock ticks."""
_ENDED: Final = "ZX"
"""A zombie: it has ended, and its parent has not looked yet."""
log = logging.getLogger(__name__)


class OnScreen(Struct, frozen=True, kw_only=True):
    """What one player shows on one screen, and the facts that speak for it. `content` is None: nothing of its own."""

    screen: str
    player: str
    content: str | None = None
    facts: Facts = Facts()
    since_ms: int = 0
    """CLOCK_BOOTTIME of the play's beginning."""


class AgentStatus(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """The agent's condition at `at_ms` of CLOCK_BOOTTIME; all moments are of that clock.

    What came later has a default, so that the file of an agent of before an update can be read.
    """

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
    on_screen: list[OnScreen] = []
    online: bool = False
    """Connected, and the hub has answered on this connection."""
    since_ms: int = 0
    """Since when `online` is as it is."""
    receipt_ms: int | None = None
    """When the hub last answered."""
    rtt_ms: int | None = None
    clock_offset_ms: int | None = None
    """By how much the machine's clock is behind the hub's."""


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
    """Whether the process that wrote it lives."""
    return is_process(status.pid, status.at_ms)


def is_process(pid: int, at_ms: int) -> bool:
    """Whether the process lives that had this number at a moment of CLOCK_BOOTTIME; one with it since began later."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    state, *fields = stat.rpartition(")")[2].split()
    began_ms = int(fields[_STARTTIME - 1]) * 1000 // os.sysconf("SC_CLK_TCK")
    return state not in _ENDED and began_ms <= at_ms <= boottime_ms()


def remove(folder: Path) -> None:
    """The agent has ended in good order."""
    with suppress(OSError):
        (folder / NAME).unlink()
