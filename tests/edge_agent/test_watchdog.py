"""The watchdog is fed by real progress: what stops it, and what does not."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_agent.sd_notify import Manager
from edge_agent.watchdog import Patience, Watchdog
from tests.edge_agent.hand_hub import dead_port
from tests.edge_agent.outbox.making import faults, outbox
from tests.edge_agent.test_cli import write_config
from tests.patience import DEADLINE_S, until

ALIVE = "WATCHDOG=1"


class Told(Manager):
    """Counts feedings."""

    def __init__(self) -> None:
        super().__init__("nowhere", 8.0)
        self.fed = 0

    def alive(self) -> None:
        self.fed += 1


class Clockwork:
    """A watchdog in a world of three numbers."""

    def __init__(self) -> None:
        self.at = self.commit = self.courier = 0.0
        self.told = Told()
        self.watchdog = Watchdog(
            self.told,
            commit_waits_s=lambda: self.commit,
            courier_busy_s=lambda: self.courier,
            patience=Patience(commit_s=60, courier_s=300),
            now=lambda: self.at,
        )

    def pass_s(self, seconds: int) -> int:
        before = self.told.fed
        for _ in range(seconds):
            self.at += 1
            self.watchdog.turn()
        return self.told.fed - before


def test_fed_four_times_in_the_managers_time() -> None:
    assert Clockwork().pass_s(80) == 40


def test_a_commit_that_hangs_stops_it_until_it_is_done(caplog: pytest.LogCaptureFixture) -> None:
    world = Clockwork()
    world.commit = 60
    assert world.pass_s(20)
    world.commit = 61
    with caplog.at_level(logging.WARNING):
        assert not world.pass_s(20)
    assert "waited more than 60 s for its commit" in world.watchdog.stuck
    assert len(caplog.records) == 1
    world.commit = 0
    assert world.pass_s(20)
    assert world.watchdog.stuck == ""


def test_a_courier_that_hangs_stops_it() -> None:
    world = Clockwork()
    world.courier = 301
    assert not world.pass_s(20)
    assert "courier" in world.watchdog.stuck


def test_an_outbox_knows_how_long_a_commit_is_late(tmp_path: Path) -> None:
    with outbox(tmp_path) as box:
        assert box.waits_s() == 0
        box.append(faults(1))
        assert box.waits_s() == 0


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(DEADLINE_S)
        yield listening


def hear(ear: socket.socket, wanted: Callable[[str], bool]) -> list[str]:
    """All words up to the first that is `wanted`."""
    heard = [ear.recv(4096).decode()]
    while not wanted(heard[-1]):
        heard.append(ear.recv(4096).decode())
    return heard


def test_a_dead_broker_feeds_on_and_a_hanging_outbox_does_not(tmp_path: Path, ear: socket.socket) -> None:
    with dead_port() as port:
        config = write_config(tmp_path, port, "[probes.system]\ninterval_s = 5\n")
        agent = subprocess.Popen(
            [sys.executable, "-m", "tests.edge_agent.watchdog_driver", config],
            env={**os.environ, "NOTIFY_SOCKET": ear.getsockname(), "WATCHDOG_USEC": "400000"},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert hear(ear, lambda word: word == "READY=1") == ["READY=1"], "the first word, after the first commit"
            assert "mất kết nối" in hear(ear, lambda word: word.startswith("STATUS="))[-1]
            for _ in range(10):  # without a broker
                hear(ear, lambda word: word == ALIVE)
            (tmp_path / "hang").touch()
            ear.settimeout(0.5)
            until(lambda: silent(ear), "it is fed no more")
            # What systemd does then; the log has to say what hung.
            agent.send_signal(signal.SIGABRT)
            _, log = agent.communicate(timeout=DEADLINE_S)
            assert agent.returncode == -signal.SIGABRT
            assert "watchdog_driver.py" in log
        finally:
            agent.kill()
            agent.wait()


def silent(ear: socket.socket) -> bool:
    """Nobody has fed for longer than any turn takes."""
    until_s = time.monotonic() + 2
    while time.monotonic() < until_s:
        try:
            if ear.recv(4096).decode() == ALIVE:
                return False
        except TimeoutError:
            continue
    return True


def test_a_stopping_agent_says_so(tmp_path: Path, ear: socket.socket) -> None:
    with dead_port() as port:
        agent = subprocess.Popen(
            [sys.executable, "-m", "edge_agent.cli", "--config", write_config(tmp_path, port), "run"],
            env={**os.environ, "NOTIFY_SOCKET": ear.getsockname(), "WATCHDOG_USEC": "400000"},
            stderr=subprocess.DEVNULL,
        )
        try:
            hear(ear, lambda word: word == ALIVE)
            agent.terminate()
            hear(ear, lambda word: word == "STOPPING=1")
            assert agent.wait(DEADLINE_S) == 0
        finally:
            agent.kill()
            agent.wait()
