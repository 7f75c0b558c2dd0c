"""The parts of a border, each a real process with a configuration file: the hub, and kiosks."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from edge_agent.status_file import AgentStatus
from simulator.ports import HOST
from tests.end_to_end.program import AGENT, HUB, Program, run
from tests.mosquitto import Mosquitto
from tests.patience import until

HUB_USER: Final = {"hub": "the hub's own"}
DEVICES: Final = {f"bg-20-cma-k{number}": f"secret {number}" for number in range(1, 60)}
USERS: Final = HUB_USER | DEVICES
_HUB_CONFIG: Final = """\
[database]
dsn = {dsn}
[mqtt]
password = {password}
worker_name = {name}
brokers = [{brokers}]
[ingest]
commit_timeout_s = 2
processes = {processes}
[api]
port = 0
open_on_loopback = true
[log]
level = "info"
"""
_AGENT_CONFIG: Final = """\
device = {device}
state_folder = {state}
runtime_folder = {runtime}
[mqtt]
password_file = {password_file}
brokers = [{brokers}]
[outbox]
commit_interval_s = {commit_interval_s}
max_bytes = {max_bytes}
{more}
"""
_ADDRESS: Final = re.compile(r"what is on every screen: (http://\S+)/")
_numbers = itertools.count(1)


def _brokers(brokers: Sequence[Mosquitto]) -> str:
    return ", ".join(f'{{host = "{HOST}", port = {broker.port}, tls = false}}' for broker in brokers)


class Hub(Program):
    """`ttdn-hub serve`, or one worker of several: `ttdn-hub ingest`."""

    def __init__(
        self,
        folder: Path,
        dsn: str,
        *brokers: Mosquitto,
        role: Literal["serve", "ingest"] = "serve",
        name: str = "hub",
        processes: int = 1,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / f"{name}.toml"
        self._brokers = brokers
        self.dsn = dsn
        values = {"dsn": dsn, "password": HUB_USER["hub"], "name": name}
        quoted = {key: json.dumps(value) for key, value in values.items()}
        self.config.write_text(_HUB_CONFIG.format(**quoted, brokers=_brokers(brokers), processes=processes))
        super().__init__(name, folder / f"{name}.log", [HUB, role, "--config", self.config])

    @property
    def address(self) -> str:
        """Where its API is, without the last slash."""
        found = _ADDRESS.findall(self.said())
        assert found, f"the hub has not said where its API is:\n{self.said()[-2000:]}"
        return str(found[-1])

    def audit(self) -> dict[str, Any]:
        """What `ttdn-hub audit` says; it has to find all well."""
        done = run(HUB, "audit", "--json", "--config", self.config)
        assert done.returncode == 0, f"exit code {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def _ready(self) -> bool:
        said = self.said()
        listening = all(f"listening on broker {HOST}:{broker.port}" in said for broker in self._brokers)
        return listening and "running" in said


class Kiosk(Program):
    """`ttdn-agent run`. `more` is TOML: probes, bridge."""

    def __init__(
        self,
        folder: Path,
        device: str,
        *brokers: Mosquitto,
        more: str = "",
        commit_interval_s: float = 0.1,
        max_bytes: int = 50_000_000,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.device, self.folder, self.state = device, folder, folder / "state"
        self.config = folder / "agent.toml"
        password_file = folder / "password"
        password_file.write_text(DEVICES[device])
        paths = {"state": self.state, "runtime": folder / "runtime", "password_file": password_file, "device": device}
        quoted = {key: json.dumps(str(value)) for key, value in paths.items()}
        self.config.write_text(
            _AGENT_CONFIG.format(
                **quoted,
                brokers=_brokers(brokers),
                more=more,
                commit_interval_s=commit_interval_s,
                max_bytes=max_bytes,
            )
        )
        super().__init__(device, folder / "agent.log", self._command_line())

    def _command_line(self) -> list[str | Path]:
        return [AGENT, "--config", self.config, "run"]

    def status(self) -> tuple[int, dict[str, Any]]:
        """Exit code and answer of `ttdn-agent status`."""
        done = run(AGENT, "--config", self.config, "status", "--json")
        answer: dict[str, Any] = json.loads(done.stdout)
        return done.returncode, answer

    def last_status(self) -> AgentStatus | None:
        """The status file, however old."""
        try:
            return msgspec.json.decode((self.folder / "runtime" / "status.json").read_bytes(), type=AgentStatus)
        except (OSError, msgspec.MsgspecError):
            return None

    def wait_for_status(self, code: int) -> dict[str, Any]:
        """The answer once `ttdn-agent status` has this exit code."""
        answers: list[tuple[int, dict[str, Any]]] = []

        def has_come() -> bool:
            answers.append(self.status())
            return answers[-1][0] == code

        until(has_come, f"ttdn-agent status ends with {code}")
        return answers[-1][1]
