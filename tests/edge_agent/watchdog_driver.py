"""`ttdn-agent` whose commits hang while a file `hang` lies beside its configuration, and that is soon impatient.

Run as a program by test_watchdog: CONFIG.
"""

from __future__ import annotations

import functools
import sys
import time
from pathlib import Path

from edge_agent import agent, cli
from edge_agent.cli import run
from edge_agent.outbox.store import OutboxStore
from edge_agent.watchdog import Patience


def main(config: Path) -> int:
    hang = config.with_name("hang")
    commit = OutboxStore.append

    @functools.wraps(commit)
    def hanging(*arguments):  # type: ignore[no-untyped-def]
        while hang.exists():
            time.sleep(0.02)
        return commit(*arguments)

    setattr(OutboxStore, "append", hanging)  # noqa: B010 - a type checker would not let it
    setattr(run, "Agent", functools.partial(agent.Agent, patience=Patience(commit_s=0.5)))  # noqa: B010
    return cli.main(["--config", str(config), "run"])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
