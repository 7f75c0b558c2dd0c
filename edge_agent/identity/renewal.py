"""A renewal, or the rest of what a power cut ended, done by a process of its own: recording waits for nothing.

What the process needs (`renewing`) an agent that runs for months does not load.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from edge_agent.tls import Moment

TIMEOUT_S: Final = 600.0
_PROCESS: Final = "edge_agent.identity.renewing"


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What became of it."""

    device: str = ""
    """Whose certificate there is now; empty if there is none, or it failed."""
    error: str = ""
    code: str = ""
    """Of texts.TROUBLES, where the hub or the way to it is the reason."""
    retry_after_s: int = 0


def command(state_folder: Path, now: Moment) -> list[str]:
    """What starts it. There is no secret in it."""
    certain = "certain" if now.certain else "floor"
    return [sys.executable, "-m", _PROCESS, str(state_folder), str(now.time_ms), certain]


def finish(state_folder: Path, now: Moment) -> Outcome:
    """Run it and wait: for whoever has nothing else to do."""
    try:
        done = subprocess.run(command(state_folder, now), capture_output=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Outcome(error=str(error))
    return read_outcome(done.stdout, done.stderr)


def read_outcome(out: bytes, err: bytes) -> Outcome:
    """What the process said; what it said last on stderr if that is no outcome."""
    try:
        return msgspec.json.decode(out, type=Outcome)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        lines = err.decode(errors="replace").strip().splitlines()
        return Outcome(error=lines[-1] if lines else "the renewal's process ended without a word")
