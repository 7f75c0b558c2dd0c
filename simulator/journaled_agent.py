"""The real agent, telling a journal of everything it records.

`python -m simulator.journaled_agent --config FILE --journal FILE` is `ttdn-agent run` with that journal, for the demo's
real kiosk and video board. On SIGTERM it ends, then brings out what the hub does not have yet.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge_agent.agent import Agent
from edge_agent.config import AgentSettings, load
from edge_agent.errors import AgentError
from edge_agent.outbox.errors import OutboxError
from edge_agent.probes.base import Probe
from simulator.draining import drain
from simulator.errors import SimulatorError
from simulator.journal import Journal, JournaledRecorder

DRAIN_S: Final = 45.0


class JournaledAgent(Agent):
    """The agent with a recorder that keeps `journal`."""

    def __init__(self, settings: AgentSettings, journal: Journal, *, probes: Sequence[Probe] | None = None) -> None:
        super().__init__(
            settings, probes=probes, recorder=lambda outbox, clock: JournaledRecorder(outbox, clock, journal)
        )
        self.journal = journal
        if isinstance(self.recorder, JournaledRecorder):
            self.recorder.online = lambda: self.courier.online


def main(arguments: Sequence[str] | None = None) -> int:
    """The process; 0 if the hub has everything in the end, 1 if not, 2 if the agent cannot run."""
    parser = argparse.ArgumentParser(prog="python -m simulator.journaled_agent", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--journal", type=Path, required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        settings = load(options.config, {})
        agent = JournaledAgent(settings, Journal(options.journal, settings.device))

        def stop(*_: object) -> None:
            agent.journal.link(online=False)
            agent.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        agent.run()
        left = drain([settings], DRAIN_S)
    except (AgentError, OutboxError, SimulatorError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
