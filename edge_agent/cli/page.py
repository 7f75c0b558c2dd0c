"""`ttdn-agent page on|off|show`: the page for a technician's telephone."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edge_agent import words
from edge_agent.cli import language
from edge_agent.cli.exits import NOT_RUNNING, OK, TROUBLE
from edge_agent.cli.output import say
from edge_agent.config import config_file, load
from edge_agent.doctor import page_process, page_rules
from edge_agent.doctor.owner import become_owner
from edge_agent.doctor.page_process import MAX_MINUTES, Wanted
from edge_agent.doctor.phone_page import DEFAULT_PORT


def add(commands: Any) -> None:
    """The command's parser."""
    page = commands.add_parser("page", help="a page on the local network for the technician's telephone")
    what = page.add_subparsers(required=True, metavar="what")
    on = what.add_parser("on", help="open it for a while; prints its address and a code that works once")
    on.add_argument("--minutes", type=_minutes, default=30, help="it closes by itself (default: 30)")
    on.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"TCP port (default: {DEFAULT_PORT})")
    on.set_defaults(command=_on)
    off = what.add_parser("off", help="close it now")
    off.set_defaults(command=_off)
    show = what.add_parser("show", help="whether it is open, and where")
    show.set_defaults(command=_show)
    for parser in (on, off, show):
        language.add_option(parser)
    serve = what.add_parser("serve")  # what `on` starts
    serve.set_defaults(command=_serve)


def _on(options: argparse.Namespace) -> int:
    chosen = language.chosen(options)
    file = config_file(options.config)
    if page_process.find(_runtime(options)) is not None:
        say(words.plain(chosen, "page.busy"))
        return TROUBLE
    code = page_rules.new_code()
    urls = page_process.switch_on(file, Wanted(code=code, minutes=options.minutes, port=options.port))
    say(words.plain(chosen, "page.on", minutes=options.minutes))
    for url in urls:
        say(f"  {url}")
    say(words.plain(chosen, "page.secret", code=f"{code[:3]} {code[3:]}"))
    say(words.plain(chosen, "page.how_off"))
    return OK


def _off(options: argparse.Namespace) -> int:
    was_on = page_process.switch_off(_as_owner(options))
    say(words.plain(language.chosen(options), "page.is_off" if was_on else "page.was_off"))
    return OK


def _show(options: argparse.Namespace) -> int:
    noted = page_process.find(_as_owner(options))
    chosen = language.chosen(options)
    if noted is None:
        say(words.plain(chosen, "page.was_off"))
        return NOT_RUNNING
    say(words.plain(chosen, "page.is_on", minutes=noted.minutes_left, urls=" ".join(noted.urls)))
    return OK


def _serve(options: argparse.Namespace) -> int:
    page_process.serve(config_file(options.config))
    return OK


def _runtime(options: argparse.Namespace) -> Path:
    return Path(load(config_file(options.config)).runtime_folder)


def _as_owner(options: argparse.Namespace) -> Path:
    """The runtime folder, looked at with its owner's rights: root obeys no file that somebody else has written."""
    settings = load(config_file(options.config))
    become_owner(Path(settings.state_folder))
    return Path(settings.runtime_folder)


def _minutes(text: str) -> int:
    minutes = int(text)
    if not 1 <= minutes <= MAX_MINUTES:
        raise argparse.ArgumentTypeError(f"between 1 and {MAX_MINUTES}")
    return minutes
