"""Looking at and ending processes by their id, through /proc."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_POLL_S = 0.01


def _stat(pid: int) -> tuple[str, int] | None:
    """State letter and parent of a process, or None if there is none of that id."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = text.rpartition(")")[2].split()[:2]  # the name before it may hold spaces and brackets
    return state, int(parent)


def is_running(pid: int) -> bool:
    """Whether the process exists and is not merely waiting to be collected by its parent."""
    found = _stat(pid)
    return found is not None and found[0] not in "ZX"


def command_line(pid: int) -> list[str]:
    """The arguments a process was started with; [""] if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return [""]


def children(pid: int) -> list[int]:
    """The ids of all direct children of a process."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [child for child in pids if (found := _stat(child)) is not None and found[1] == pid]


def kill_tree(pid: int) -> None:
    """SIGKILL a process and its direct children, and return when none of them runs any more.

    The parent is stopped first, so that it neither starts another child nor tidies up in between.
    """
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    doomed = [pid, *children(pid)]
    for each in doomed:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    for each in doomed:
        wait_for_end(each)


def wait_for_end(pid: int) -> None:
    """Return when the process does not run any more."""
    while is_running(pid):
        time.sleep(_POLL_S)


def leashed(command: Sequence[str]) -> list[str]:
    """The command so that it is killed when this process ends, however that comes; to be started by the main thread.

    Where `setpriv` is missing (util-linux; every Debian has it) the command as it is.
    """
    setpriv = shutil.which("setpriv")
    return [*((setpriv, "--pdeathsig", "KILL") if setpriv else ()), *command]
