"""`ttdn-agent first-boot`: run by a unit at each boot, as root: enrolment and updates from a stick."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import msgspec

from edge_agent.cli.exits import EPILOG, OK, TROUBLE
from edge_agent.cli.output import say
from edge_agent.config import config_file, load
from edge_agent.errors import AgentFailed
from edge_agent.identity import media, network
from edge_agent.identity.boot_file import BootFile
from edge_agent.identity.first_boot import Attempt, FirstBoot, Means
from edge_agent.identity.store import IdentityStore
from edge_agent.identity.texts import Text
from edge_agent.update import stick
from edge_agent.update.inbox import found
from edge_agent.update.journal import read_results
from edge_agent.update.places import INBOX, READY, Places

_WAIT_S: Final = 900.0
_ENROL_S: Final = 600.0
_TAKE_S: Final = 900.0


def add(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser(
        "first-boot",
        help="enrol from a ttdn.toml, and update from a package, on a USB stick or the boot partition",
        epilog=EPILOG,
    )
    parser.add_argument("--look", action="append", default=[], type=Path, help="a further folder to look into, first")
    parser.add_argument("--no-mount", action="store_true", help="do not mount sticks that are not mounted")
    parser.add_argument("--wait-s", type=float, default=_WAIT_S, help="how long to wait for the network (default: 900)")
    parser.add_argument("--update-state", type=Path, default=Places().state, help=argparse.SUPPRESS)
    parser.set_defaults(command=_first_boot)


def _first_boot(options: argparse.Namespace) -> int:
    file = config_file(options.config)
    state = Path(load(file).state_folder)
    folders = [*options.look, *media.mounted_folders()]
    with ExitStack() as mounts:
        if not options.no_mount and os.geteuid() == 0:
            folders += mounts.enter_context(media.sticks_mounted())
        enrolled = _enrol_from(media.find_file(folders), file, state, options.wait_s)
        # After the enrolment, which may wait for a network: the trial of a version restarts the agent, which waits for
        # the end of this.
        updated = _update_from(folders, file, state, options.update_state)
    return OK if enrolled and updated else TROUBLE


def _enrol_from(found: Path | None, config: Path, state: Path, wait_s: float) -> bool:
    if found is None:
        say("không có tệp ttdn.toml nào · there is no ttdn.toml")
        return True
    say(f"{found}")
    means = Means(enrol=lambda wanted: _enrol(config, wanted), network=network.set_up, wait_s=wait_s, say=say)
    try:
        return FirstBoot(found, IdentityStore(state), means).run()
    except OSError as error:
        raise AgentFailed(
            f"{error.filename or found}: {error.strerror}; is the stick write-protected or full?"
        ) from error


def _update_from(folders: list[Path], config: Path, state: Path, update_state: Path) -> bool:
    if (state / INBOX / READY).exists():
        return True  # one is being installed already
    return stick.at_boot(list(found(folders)), read_results(update_state), lambda file: _take(config, file), say)


def _take(config: Path, package: Path) -> str:
    """`ttdn-agent update` as a process, which becomes the agent's user; why not, or nothing."""
    command = [sys.executable, "-m", "edge_agent.cli", "--config", str(config), "update", str(package), "--wait", "0"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TAKE_S, check=False)
    except subprocess.TimeoutExpired:
        return f"it was not copied within {_TAKE_S:.0f} s; try another stick"
    return "" if done.returncode == OK else done.stderr.decode(errors="replace").strip()[-400:]


def _enrol(config: Path, wanted: BootFile) -> Attempt:
    """`ttdn-agent enrol` as a process, which becomes the agent's user; the code goes through a pipe."""
    command = [sys.executable, "-m", "edge_agent.cli", "--config", str(config), "enrol", wanted.url, "-", "--json"]
    if wanted.again:
        command.append("--again")
    try:
        done = subprocess.run(command, input=wanted.code.encode(), capture_output=True, timeout=_ENROL_S, check=False)
        return msgspec.json.decode(done.stdout, type=Attempt)
    except subprocess.TimeoutExpired:
        return Attempt(enrolled=False, passes=True, text=Text("Máy chủ không trả lời.", "The hub does not answer."))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        said = done.stderr.decode(errors="replace").strip()
        return Attempt(enrolled=False, text=Text(said, said))
