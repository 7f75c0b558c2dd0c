"""`ttdn-agent enrol`: this kiosk becomes a device of a hub."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from contract.enrol_code import EnrolCode, parse_enrol_code
from contract.errors import ContractError
from edge_agent.cli import language
from edge_agent.cli.exits import EPILOG, OK, TROUBLE, USAGE
from edge_agent.cli.output import say
from edge_agent.config import config_file, load
from edge_agent.errors import AgentError
from edge_agent.identity.errors import StepFailed
from edge_agent.identity.hub_link import split_link
from edge_agent.identity.moment import clock_of
from edge_agent.identity.renewal_plan import day
from edge_agent.identity.steps import Means, code_mark, enrol
from edge_agent.identity.store import Identity, IdentityStore
from edge_agent.identity.texts import STEPS, Language

_MAX_CODE: Final = 200


def add(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser(
        "enrol", help="become a device of a hub, with the code that its staff made", epilog=EPILOG
    )
    parser.add_argument("url", help="the hub's address, https://host[:port], or the link of the QR code")
    parser.add_argument(
        "code", nargs="?", default="", help="the code; '-' reads it from standard input; asked for if missing"
    )
    parser.add_argument("--again", action="store_true", help="replace the enrolment that this device has")
    language.add_option(parser)
    parser.add_argument("--json", action="store_true", help="for scripts: one line at the end")
    parser.set_defaults(command=_enrol)


def _enrol(options: argparse.Namespace) -> int:
    settings = load(config_file(options.config))
    options.lang = language.chosen(options)
    state = Path(settings.state_folder)
    become_owner(state)
    try:
        options.url, in_link = split_link(options.url)
        code = _code(options.code or in_link, options.lang)
        identity, anew = _enrolled(state, options, code)
    except StepFailed as error:
        _tell_failure(error, options)
        return USAGE if error.misuse else TROUBLE
    _tell_success(identity, options, anew=anew)
    return OK


def _enrolled(state: Path, options: argparse.Namespace, code: EnrolCode) -> tuple[Identity, bool]:
    """And whether that is new."""
    store = IdentityStore(state)
    present = store.current()
    if present is not None:
        if present.hub.code_used == code_mark(code):
            return present, False
        if not options.again:
            raise StepFailed("enrolled_otherwise", present.hub.device)
    clock = clock_of(state, present)

    def tell(step: str) -> None:
        if not options.json:
            say(STEPS[step].said(options.lang, url=options.url))

    means = Means(now=clock.moment, tell=tell)
    return enrol(store, options.url, code, means), True


def _code(given: str, language: Language) -> EnrolCode:
    if not given and sys.stdin.isatty():
        # Seen while it is typed: it is long, and of no use to anybody once it has been used.
        print("Mã đăng ký: " if language == "vi" else "Code: ", end="", file=sys.stderr, flush=True)  # noqa: T201
        given = "-"
    if given == "-":
        given = sys.stdin.readline(_MAX_CODE)
    if not given.strip():
        raise StepFailed("no_code")
    try:
        return parse_enrol_code(given)
    except ContractError as error:
        raise StepFailed("bad_code", error.detail) from error


def become_owner(state: Path) -> None:
    """Root makes the identity as the agent's user, who is to read it: the owner of the state folder."""
    try:
        owner = state.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise AgentError(f"{state}: {error.strerror}; run this as root or as the agent's user") from error
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)


def _tell_failure(error: StepFailed, options: argparse.Namespace) -> None:
    if options.json:
        said = {
            "enrolled": False,
            "error": error.code,
            "text": [error.text("vi"), error.text("en")],
            "passes": error.passes,
            "wait_s": error.retry_after_s,
        }
        say(msgspec.json.encode(said).decode())
    else:
        print(f"ttdn-agent: {error.text(options.lang)}", file=sys.stderr)  # noqa: T201 - it speaks to its user


def _tell_success(identity: Identity, options: argparse.Namespace, *, anew: bool) -> None:
    hub = identity.hub
    if options.json:
        said = {"enrolled": True, "anew": anew, "device": hub.device, "url": hub.url, "not_after_ms": hub.not_after_ms}
        say(msgspec.json.encode(said).decode())
        return
    facts = {"device": hub.device, "url": hub.url, "until": day(hub.not_after_ms)}
    say(STEPS["done" if anew else "already"].said(options.lang, **facts))
    if anew:
        say(STEPS["restart"].said(options.lang))
