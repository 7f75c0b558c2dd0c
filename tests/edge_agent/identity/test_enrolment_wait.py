"""An agent that is not enrolled: before a service manager it waits, and begins by itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from contract.enrol import BrokerAddress
from edge_agent.config import AgentSettings, BrokerSettings, MqttSettings
from edge_agent.errors import ConfigError
from edge_agent.identity.enrolment_wait import wait_for_enrolment
from edge_agent.sd_notify import Manager
from simulator.ports import HOST
from tests.edge_agent.identity.enrolled import enrolled
from tests.edge_agent.identity.hand_authority import HandEnrolment


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(60)
        yield listening


def test_it_begins_by_itself_once_it_is_enrolled(tmp_path: Path, ear: socket.socket, hub: HandEnrolment) -> None:
    state = tmp_path / "state"
    state.mkdir()
    config = tmp_path / "agent.toml"
    config.write_text(f"state_folder = '{state}'\nruntime_folder = '{tmp_path}/run'\n")
    command = [sys.executable, "-m", "edge_agent.cli", "--config", str(config), "run"]
    environ = {**os.environ, "NOTIFY_SOCKET": ear.getsockname(), "WATCHDOG_USEC": "400000"}
    process = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True)
    try:
        heard = [ear.recv(4096).decode() for _ in range(4)]
        assert heard == [f"STATUS={heard[0][7:]}", "READY=1", "WATCHDOG=1", "WATCHDOG=1"]
        assert "chưa đăng ký (not enrolled)" in heard[0]
        hub.brokers = (BrokerAddress(HOST, 1),)
        enrolled(state, hub)
        while not (last := ear.recv(4096).decode()).startswith("STATUS=mất kết nối"):
            assert last in ("WATCHDOG=1", "READY=1") or "STATUS=" in last
    finally:
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.count("not enrolled yet") == 1, "not every time it looks"


def test_a_name_in_the_configuration_ends_the_wait_too(tmp_path: Path, ear: socket.socket) -> None:
    nobody = AgentSettings(state_folder=str(tmp_path))
    named = msgspec.structs.replace(nobody, device="bg-20-cma-k1")
    complete = msgspec.structs.replace(named, mqtt=MqttSettings(brokers=(BrokerSettings(host="hub.example.vn"),)))
    reads, pauses = iter([nobody, named, complete]), list[float]()
    assert wait_for_enrolment(lambda: next(reads), Manager(ear.getsockname(), 90), pauses.append) is complete
    assert pauses == [2.0, 2.0]


def test_a_configuration_that_went_bad_meanwhile_ends_it(tmp_path: Path, ear: socket.socket) -> None:
    reads = 0

    def read() -> AgentSettings:
        nonlocal reads
        reads += 1
        if reads > 1:
            raise ConfigError("bad")
        return AgentSettings(state_folder=str(tmp_path))

    with pytest.raises(ConfigError):
        wait_for_enrolment(read, Manager(ear.getsockname()), lambda _: None)


def test_in_a_terminal_nobody_waits(tmp_path: Path) -> None:
    nobody = AgentSettings(state_folder=str(tmp_path))
    assert wait_for_enrolment(lambda: nobody, Manager()) is nobody
