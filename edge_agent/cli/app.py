"""All commands of `ttdn-agent` in one place, and what becomes of an error: a text on stderr and an exit code.

Only the module of the command that was asked for is loaded: what runs for years has no room for the others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final

from contract.version import VERSION
from edge_agent.cli.exits import EPILOG, INTERRUPTED, TROUBLE, USAGE
from edge_agent.errors import AgentError, AgentFailed

COMMANDS: Final = MappingProxyType(
    {
        "run": "run",
        "enrol": "enrol",
        "first-boot": "first_boot",
        "status": "status",
        "doctor": "doctor",
        "page": "page",
        "check-config": "config",
        "sample-config": "config",
        "update": "update",
        "update-apply": "update",
        "outbox-schema": "update",
    }
)
"""Each command's module in this package, in the order of --help; its `add` adds the parsers of all its commands."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser(given).parse_args(given)
    try:
        return int(options.command(options))
    except AgentError as error:
        print(f"ttdn-agent: {error}", file=sys.stderr)  # noqa: T201 - a command line speaks to its user
        return TROUBLE if isinstance(error, AgentFailed) else USAGE
    except KeyboardInterrupt:  # somebody has seen enough; what was begun has been put back
        return INTERRUPTED


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ttdn-agent",
        description="Records what is really on screen and what visitors do, and brings it to the hub.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, help="configuration file (default: /etc/ttdn-agent/agent.toml)")
    parser.add_argument("--version", action="version", version=f"ttdn-agent {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for module in modules(arguments):
        import_module(f"edge_agent.cli.{module}").add(commands)
    return parser


def modules(arguments: Sequence[str]) -> list[str]:
    """Those of every command that is named; all of them if none is, for the help and for what is misspelt."""
    named = [module for command, module in COMMANDS.items() if command in arguments]
    return list(dict.fromkeys(named or COMMANDS.values()))
