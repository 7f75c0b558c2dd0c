"""A real Mosquitto of one's own on the loopback address, with the access rules that we ship."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from simulator.errors import ServerError
from simulator.ports import HOST
from simulator.server import LoopbackServer

ACL: Final = Path(__file__).resolve().parent.parent / "deploy" / "hub" / "mosquitto.acl"
INSTALL: Final = "apt-get install -y --no-install-recommends mosquitto"
# `max_queued_messages 0` (no limit) would end a client's session at its first refused publish.
_CONFIG: Final = """\
listener {port} {host}
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
persistence false
max_queued_messages 100000
log_dest stderr
log_type error
log_type warning
log_type notice
"""


class Mosquitto(LoopbackServer):
    """One Mosquitto for the given users (name to password); `acl` is a file of access rules, ours unless given.

    start() raises ServerError with the command that installs Mosquitto where it is missing.
    """

    title = "Mosquitto"

    def __init__(self, folder: Path, users: Mapping[str, str], *, acl: Path = ACL, start_timeout_s: float = 60) -> None:
        super().__init__(folder, start_timeout_s)
        self.users = dict(users)
        self.acl = acl

    def _launch(self) -> subprocess.Popen[bytes]:
        program = _program("mosquitto")
        self._write_users()
        return self._spawn([program, "-c", str(self._write_config())], stdin=subprocess.DEVNULL)

    def _write_users(self) -> None:
        """The password file, hashed in place: no password stands on a command line."""
        file = self.folder / "passwords"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}:{password}\n" for name, password in self.users.items()))
        if self.users:
            subprocess.run([_program("mosquitto_passwd"), "-U", str(file)], check=True, capture_output=True)

    def _write_config(self) -> Path:
        # Copied with a mode that Mosquitto's check of its files accepts, whatever the checkout's is.
        rules = self.folder / "acl"
        rules.unlink(missing_ok=True)
        rules.touch(mode=0o600)
        rules.write_text(self.acl.read_text())
        text = _CONFIG.format(port=self.port, host=HOST, folder=self.folder)
        if os.geteuid() == 0:
            text += "user root\n"  # otherwise it becomes `mosquitto`, who may not read the files above
        config = self.folder / "mosquitto.conf"
        config.write_text(text)
        return config


def _program(name: str) -> str:
    # Debian keeps daemons in /usr/sbin, which is not on an ordinary user's PATH.
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"]))
    if found is None:
        raise ServerError(f"{name} is not installed, and these tests need the real one: {INSTALL}")
    return found
