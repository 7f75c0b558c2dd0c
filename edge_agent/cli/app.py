"""All commands of `ttdn-agent` in one place, and what becomes of an error: a text on stderr and an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge_agent.cli import config, doctor, enrol, first_boot, page, run, status
from edge_agent.cli.exits import EPILOG, TROUBLE, USAGE
from edge_agent.errors import AgentError, AgentFailed

_COMMANDS: Final = (run.add, enrol.add, first_boot.add, status.add, doctor.add, page.add, config.add)
"""Each adds its parser, with `command` set to what runs it; in the order of --help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except AgentError as error:
        print(f"ttdn-agent: {error}", file=sys.stderr)  # noqa: T201 - a command line speaks to its user
        return TROUBLE if isinstance(error, AgentFailed) else USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ttdn-agent",
        description="Records what is really on screen and what visitors do, and brings it to the hub.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, help="configuration file (default: /etc/ttdn-agent/agent.toml)")
    commands = parser.add_subparsers(required=True, metavar="command")
    for add in _COMMANDS:
        add(commands)
    return parser
