"""`ttdn-agent check-config` and `ttdn-agent sample-config`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edge_agent.cli.exits import OK
from edge_agent.cli.output import say
from edge_agent.config import config_file, load
from edge_agent.config_sample import sample_toml
from edge_agent.identity.moment import clock_of
from edge_agent.way import NotEnrolled, find_way


def add(commands: Any) -> None:
    """The commands' parsers."""
    check = commands.add_parser("check-config", help="read the configuration and say what is wrong with it")
    check.set_defaults(command=_check_config)
    sample = commands.add_parser("sample-config", help="print a configuration with every key and what it means")
    sample.set_defaults(command=_sample_config)


def _check_config(options: argparse.Namespace) -> int:
    settings = load(config_file(options.config))
    clock = clock_of(Path(settings.state_folder))
    try:
        device = f"device {find_way(settings, clock.moment).device}"
    except NotEnrolled:
        device = "not enrolled yet"
    probes = ", ".join(name for name, _ in settings.probe_settings()) or "none"
    say(f"{config_file(options.config)} is well: {device}, probes: {probes}")
    return OK


def _sample_config(_options: argparse.Namespace) -> int:
    say(sample_toml().rstrip())
    return OK
