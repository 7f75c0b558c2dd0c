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
from edge_agent.identity.renewal_plan import is_due
from edge_agent.identity.steps import Means, go_on, renew
from edge_agent.identity.store import Identity, IdentityStore
from edge_agent.tls import Moment


def run(state_folder: Path, now: Moment) -> Outcome:
    """Go on with what is under way, else renew."""
    store = IdentityStore(state_folder)
    means = Means(now=lambda floor_ms: now if now.certain else Moment(max(now.time_ms, floor_ms), certain=False))
    try:
        identity = _next(store, means, now)
    except StepFailed as error:
        return Outcome(error=str(error), code=error.code, retry_after_s=error.retry_after_s)
    except (AgentError, OSError) as error:
        return Outcome(error=str(error))
    return Outcome(device=identity.hub.device if identity is not None else "")


def _next(store: IdentityStore, means: Means, now: Moment) -> Identity | None:
    """What is under way, else a renewal. Nothing that is under way and gets nowhere may cost the certificate.

    Another enrolment that fails (a slip in its address, a code of another hub), or a step that cannot be read, waits as
    long as there is time; a renewal that is due takes its place.
    """
    try:
        return go_on(store, means) or renew(store, means)
    except (AgentError, OSError) as error:
        present = store.current()
        if present is None or not is_due(present.hub, now) or _is_renewal(store, error):
            raise
        return renew(store, means, anew=True)


def _is_renewal(store: IdentityStore, error: Exception) -> bool:
    """Whether a renewal that can be read has failed: it is tried again with the same key, which the hub may know."""
    if not isinstance(error, StepFailed):
        return False
    pending = store.pending()
    return pending is None or pending.step.kind == "renew"


def main() -> int:
    """The process."""
    folder, time_ms, certain = sys.argv[1:]
    outcome = run(Path(folder), Moment(int(time_ms), certain == "certain"))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
    return 1 if outcome.error else 0


if __name__ == "__main__":
    sys.exit(main())
