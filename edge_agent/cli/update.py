"""`ttdn-agent update`, and what an update asks of a version: `update-apply` (root's part) and `outbox-schema`."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from contract.release import PackageError, Told
from edge_agent.cli.exits import OK, TROUBLE
from edge_agent.cli.output import say
from edge_agent.config import config_file, load
from edge_agent.errors import AgentFailed
from edge_agent.outbox import way_back
from edge_agent.outbox.database import SCHEMA_VERSION
from edge_agent.outbox.errors import OutboxError
from edge_agent.update import inbox
from edge_agent.update.errors import Refused
from edge_agent.update.journal import read_results
from edge_agent.update.places import INBOX, Places
from edge_agent.update.texts import TAKEN, WAITED, told_in_words

_WAIT_S: Final = 1500.0
_LOOK_S: Final = 2.0
_READABLE_MASK: Final = 0o022


def add(commands: Any) -> None:
    """The commands' parsers."""
    usual = Places()
    update = commands.add_parser("update", help="install a signed package from a file, as of a USB stick")
    update.add_argument("file", type=Path, metavar="FILE", help="ttdn-agent-VERSION-ARCH.ttdn, or a folder with one")
    update.add_argument("--key", type=Path, default=usual.key, help=argparse.SUPPRESS)
    update.add_argument("--state", type=Path, default=usual.state, help=argparse.SUPPRESS)
    update.add_argument("--wait", type=float, default=_WAIT_S, metavar="SECONDS", help="for the result (default: 1500)")
    update.set_defaults(command=_update)
    apply = commands.add_parser(
        "update-apply", help="install the package that waits; done by ttdn-agent-update.service"
    )
    for name, value in usual._asdict().items():
        if name != "config":
            apply.add_argument(f"--{name.replace('_', '-')}", type=Path, default=value)
    apply.add_argument("--service", default="systemctl", help="command that takes stop, start, restart and a unit")
    apply.add_argument("--green-s", type=float, default=600.0, help="so long the new version has to become well")
    apply.add_argument("--poll-s", type=float, default=15.0, help="between two looks")
    apply.set_defaults(command=_apply)
    schema = commands.add_parser("outbox-schema", help="which outbox this version writes; for updates")
    schema.add_argument("--back-to", type=int, metavar="SCHEMA", help="lead the outbox back; the agent must not run")
    schema.set_defaults(command=_outbox_schema)


def _update(options: argparse.Namespace) -> int:
    state = Path(load(config_file(options.config)).state_folder)
    file = inbox.find([options.file]) if options.file.is_dir() else options.file
    if file is None:
        raise AgentFailed(f"{options.file} holds no package for this machine: ttdn-agent-VERSION-ARCH.ttdn")
    known = {result.token for result in read_results(options.state)}
    try:
        with file.open("rb") as source:  # before root's rights go: a stick may be readable for root alone
            _become_owner(state)
            manifest = inbox.take(source, state / INBOX, options.key)
    except (Refused, PackageError) as error:
        raise AgentFailed(f"{file}: {error}") from error
    except FileNotFoundError as error:
        raise AgentFailed(
            f"{error.filename or file}: there is no such file; give the package's or its folder"
        ) from error
    except PermissionError as error:
        raise AgentFailed(f"{error.filename or file}: {error.strerror}; run this with sudo") from error
    except OSError as error:
        raise AgentFailed(f"{error.filename or file}: {error.strerror}; check the stick and the SD card") from error
    say(TAKEN.format(version=manifest.version))
    return _await(options.state, known, options.wait)


def _await(state: Path, known: set[str], wait_s: float) -> int:
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        new = [result for result in read_results(state) if result.token not in known]
        if new:
            return _say_result(new[-1].told)
        time.sleep(_LOOK_S)
    say(WAITED)
    return TROUBLE if wait_s else OK


def _say_result(told: Told) -> int:
    say(told_in_words(told))
    return OK if told.fate == "applied" else TROUBLE


def _apply(options: argparse.Namespace) -> int:
    from edge_agent.update.installer import Installer, Means  # loads cryptography

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    os.umask(_READABLE_MASK)  # the agent's user reads and runs what root installs
    places = Places(options.root, options.state, options.agent_state, options.key, config_file(options.config))
    means = Means(service=shlex.split(options.service), green_s=options.green_s, poll_s=options.poll_s)
    told = Installer(places, means).run()
    say("no package waits" if told is None else told.detail())
    return OK


def _outbox_schema(options: argparse.Namespace) -> int:
    if options.back_to is None:
        say(msgspec.json.encode({"schema": SCHEMA_VERSION, "back_to": way_back.oldest()}).decode())
        return OK
    try:
        way_back.take_back(Path(load(config_file(options.config)).state_folder), options.back_to)
    except OutboxError as error:
        raise AgentFailed(str(error)) from error
    return OK


def _become_owner(folder: Path) -> None:
    """What root writes here must be the agent's."""
    if os.geteuid() != 0 or not folder.exists() or folder.stat().st_uid == 0:
        return
    owner = folder.stat()
    os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
