"""`ttdn-agent run`."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import signal
import sys
from pathlib import Path
from typing import Any

from edge_agent.agent import Agent
from edge_agent.cli.exits import OK
from edge_agent.config import AgentSettings, config_file, load
from edge_agent.errors import AgentFailed
from edge_agent.footprint import keep_small
from edge_agent.identity import renewal
from edge_agent.identity.enrolment_wait import wait_for_enrolment
from edge_agent.identity.moment import clock_of
from edge_agent.identity.store import IdentityStore
from edge_agent.sd_notify import manager


def add(commands: Any) -> None:
    """The command's parser."""
    run = commands.add_parser("run", help="watch and report until stopped (SIGTERM or Ctrl-C)")
    run.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    run.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    file, told = config_file(options.config), manager()
    settings = load(file)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    _finish_enrolment(settings)
    settings = wait_for_enrolment(lambda: load(file), told)
    # systemd's watchdog ends us by SIGABRT: the journal then shows what every thread was at.
    faulthandler.enable(file=2)
    keep_small()
    agent = Agent(settings, manager=told)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    agent.run()
    return OK


def _finish_enrolment(settings: AgentSettings) -> None:
    """The first enrolment, if the power failed during it. Nobody who could do it comes by."""
    state = Path(settings.state_folder)
    store = IdentityStore(state)
    if store.current() is None and store.pending() is not None:
        logging.getLogger(__name__).info("going on with the enrolment that was interrupted")
        outcome = renewal.finish(state, clock_of(state).moment())
        if outcome.error:
            raise AgentFailed(f"this device is not enrolled yet: {outcome.error}")
