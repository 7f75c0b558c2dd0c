"""`ttdn-agent run`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from typing import Any

from edge_agent.agent import Agent
from edge_agent.cli.exits import OK
from edge_agent.config import config_file, load
from edge_agent.footprint import keep_small


def add(commands: Any) -> None:
    """The command's parser."""
    run = commands.add_parser("run", help="watch and report until stopped (SIGTERM or Ctrl-C)")
    run.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    run.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    settings = load(config_file(options.config))
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    keep_small()
    agent = Agent(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    agent.run()
    return OK
