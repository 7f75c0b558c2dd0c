"""One renewal, or the rest of what a power cut ended, as a process of its own: the agent's recording waits for nothing.

    python -m edge_agent.identity.renewal STATE_FOLDER TIME_MS certain|floor

It answers with one line of JSON, `Outcome`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from edge_agent.errors import AgentError
from edge_agent.identity.errors import StepFailed
from edge_agent.identity.steps import Means, go_on, renew
from edge_agent.identity.store import IdentityStore
from edge_agent.tls import Moment

TIMEOUT_S: Final = 600.0


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
    return [sys.executable, "-m", __spec__.name, str(state_folder), str(now.time_ms), certain]


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


def run(state_folder: Path, now: Moment) -> Outcome:
    """Go on with what is under way, else renew."""
    store = IdentityStore(state_folder)
    means = Means(now=lambda floor_ms: now if now.certain else Moment(max(now.time_ms, floor_ms), certain=False))
    try:
        identity = go_on(store, means) or renew(store, means)
    except StepFailed as error:
        return Outcome(error=str(error), code=error.code, retry_after_s=error.retry_after_s)
    except AgentError as error:
        return Outcome(error=str(error))
    return Outcome(device=identity.hub.device if identity is not None else "")


def main() -> int:
    """The process."""
    folder, time_ms, certain = sys.argv[1:]
    outcome = run(Path(folder), Moment(int(time_ms), certain == "certain"))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
    return 1 if outcome.error else 0


if __name__ == "__main__":
    sys.exit(main())
