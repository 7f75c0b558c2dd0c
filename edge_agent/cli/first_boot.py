"""`ttdn-agent first-boot`: run by a unit at boot, as root."""

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

_WAIT_S: Final = 900.0
_ENROL_S: Final = 600.0


def add(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser(
        "first-boot", help="enrol from a ttdn.toml on the boot partition or a USB stick", epilog=EPILOG
    )
    parser.add_argument("--look", action="append", default=[], type=Path, help="a further folder to look into, first")
    parser.add_argument("--no-mount", action="store_true", help="do not mount sticks that are not mounted")
    parser.add_argument("--wait-s", type=float, default=_WAIT_S, help="how long to wait for the network (default: 900)")
    parser.set_defaults(command=_first_boot)


def _first_boot(options: argparse.Namespace) -> int:
    file = config_file(options.config)
    store = IdentityStore(Path(load(file).state_folder))
    folders = [*options.look, *media.mounted_folders()]
    found = media.find_file(folders)
    mounting = found is None and not options.no_mount and os.geteuid() == 0
    with ExitStack() as mounts:
        if mounting:
            found = media.find_file(mounts.enter_context(media.sticks_mounted()))
        if found is None:
            say("không có tệp ttdn.toml nào · there is no ttdn.toml")
            return OK
        say(f"{found}")
        means = Means(enrol=lambda wanted: _enrol(file, wanted), network=network.set_up, wait_s=options.wait_s, say=say)
        try:
            return OK if FirstBoot(found, store, means).run() else TROUBLE
        except OSError as error:
            raise AgentFailed(
                f"{error.filename or found}: {error.strerror}; is the stick write-protected or full?"
            ) from error


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
