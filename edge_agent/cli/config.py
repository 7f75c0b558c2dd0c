"""`ttdn-agent check-config` and `ttdn-agent sample-config`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edge_agent import words
from edge_agent.cli import language
from edge_agent.cli.exits import OK
from edge_agent.cli.output import say
from edge_agent.config import config_file, load
from edge_agent.config_sample import sample_toml
from edge_agent.identity.moment import clock_of
from edge_agent.way import NotEnrolled, find_way


def add(commands: Any) -> None:
    """The commands' parsers."""
    check = commands.add_parser("check-config", help="read the configuration and say what is wrong with it")
    language.add_option(check)
    check.set_defaults(command=_check_config)
    sample = commands.add_parser("sample-config", help="print a configuration with every key and what it means")
    sample.set_defaults(command=_sample_config)


def _check_config(options: argparse.Namespace) -> int:
    settings = load(config_file(options.config))
    clock = clock_of(Path(settings.state_folder))
    chosen = language.chosen(options)
    probes = ", ".join(name for name, _ in settings.probe_settings()) or words.plain(chosen, "check.no_probe")
    facts = {"file": config_file(options.config), "probes": probes}
    try:
        said = words.plain(chosen, "check.well", device=find_way(settings, clock.moment).device, **facts)
    except NotEnrolled:
        said = words.plain(chosen, "check.not_enrolled", **facts)
    say(said)
    return OK


def _sample_config(_options: argparse.Namespace) -> int:
    say(sample_toml().rstrip())
    return OK
