"""The hub as a process of its own, configured for the demo's database and broker, that can be killed and restarted."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from simulator.errors import ServerError, tail
from simulator.imports import Import
from simulator.ports import HOST
from simulator.processes import leashed
from simulator.server import LoopbackServer

USER: Final = "hub"
_PROJECT: Final = Path(__file__).resolve().parent.parent
_COMMAND_S: Final = 120.0
_ANSWER_S: Final = 5.0


class HubProcess(LoopbackServer):
    """`ttdn-hub serve` over `folder`, which holds its configuration, port and log; the port is that of its API."""

    title = "hub"

    def __init__(
        self, folder: Path, *, dsn: str, broker_port: int, password: str, start_timeout_s: float = 120
    ) -> None:
        super().__init__(folder, start_timeout_s)
        self._dsn, self._broker_port, self._password = dsn, broker_port, password

    @property
    def address(self) -> str:
        """Where people look."""
        return f"http://{HOST}:{self.port}/"

    @property
    def dsn_file(self) -> Path:
        """The connection string of the hub's database."""
        return self.folder / "dsn"

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `ttdn-hub` with these arguments over the same configuration, and give its exit code and what it said."""
        return subprocess.run(
            [*_ttdn_hub(*arguments), "--config", str(self.folder / "hub.toml")],
            cwd=_PROJECT,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND_S,
            check=False,
        )

    def take(self, given: Import) -> None:
        """Have the hub import a file. ServerError with what the hub said."""
        arguments, what = [*given.command], " ".join(given.command)
        if given.text is not None:
            file = self.folder / f"{given.name}.csv"
            file.write_text(given.text, encoding="utf-8")
            arguments.append(str(file))
        done = self.command(*arguments)
        if done.returncode != 0:
            raise ServerError(
                f"the hub does not take the demo's {given.name} (ttdn-hub {what}, exit code {done.returncode}):\n"
                f"{tail(done.stderr)}"
            )

    def _launch(self) -> subprocess.Popen[bytes]:
        self._write_config()
        command = leashed(_ttdn_hub("serve", "--migrate", "--config", str(self.folder / "hub.toml")))
        return self._spawn(command, cwd=_PROJECT, env=_environment(), stdin=subprocess.DEVNULL)

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        del process
        try:
            with urllib.request.urlopen(f"{self.address}healthz", timeout=_ANSWER_S) as answer:  # noqa: S310 - our own
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _write_config(self) -> None:
        _write_secret(self.dsn_file, self._dsn)
        password_file = self.folder / "mqtt-password"
        _write_secret(password_file, self._password)
        text = f"""\
[database]
dsn_file = "{self.dsn_file}"
[mqtt]
username = "{USER}"
password_file = "{password_file}"
brokers = [{{host = "{HOST}", port = {self._broker_port}, tls = false}}]
[api]
port = {self.port}
open_on_loopback = true  # a demo asks nobody for an account; it is seen on this machine only
"""
        (self.folder / "hub.toml").write_text(text, encoding="utf-8")


def _ttdn_hub(*arguments: str) -> Sequence[str]:
    return sys.executable, "-m", "hub", *arguments


def _environment() -> dict[str, str]:
    """Ours, without settings that are meant for another hub or another PostgreSQL."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("TTDN_", "PG"))}


def _write_secret(file: Path, secret: str) -> None:
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(secret + "\n")
