"""The process that renews, or goes on with what a power cut ended.

    python -m edge_agent.identity.renewing STATE_FOLDER TIME_MS certain|floor

It answers with one line of JSON, `Outcome`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from edge_agent.errors import AgentError
from edge_agent.identity.errors import StepFailed
from edge_agent.identity.renewal import Outcome
from edge_agent.identity.steps import Means, go_on, renew
from edge_agent.identity.store import IdentityStore
from edge_agent.tls import Moment


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
