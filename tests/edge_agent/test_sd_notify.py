"""What systemd hears of us, on a real socket."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.sd_notify import Manager, manager


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        yield listening


def test_words_arrive_each_as_a_datagram(ear: socket.socket) -> None:
    told = Manager(ear.getsockname())
    told.ready()
    told.alive()
    told.status("mất kết nối:\nhub")
    told.status("mất kết nối: hub")  # not said twice
    told.status("x" * 5000)
    told.stopping()
    heard = [ear.recv(4096).decode() for _ in range(5)]
    assert heard == ["READY=1", "WATCHDOG=1", "STATUS=mất kết nối: hub", "STATUS=" + "x" * 400, "STOPPING=1"]


def test_an_abstract_socket_is_found() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0ttdn-test-{os.getpid()}")
        listening.settimeout(5)
        Manager(f"@ttdn-test-{os.getpid()}").ready()
        assert listening.recv(100) == b"READY=1"


def test_the_environment_is_taken_and_not_left_to_children() -> None:
    environ = {"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "90000000", "WATCHDOG_PID": str(os.getpid()), "A": "b"}
    assert manager(environ).watchdog_s == 90
    assert environ == {"A": "b"}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": "90000000"},
        {"NOTIFY_SOCKET": "/run/n"},
        {"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "1"},
    ],
)
def test_nobody_watches(environ: dict[str, str]) -> None:
    assert manager(environ).watchdog_s == 0


def test_a_manager_that_is_gone_or_deaf_is_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gone = Manager(str(tmp_path / "nobody"))
    with caplog.at_level(logging.WARNING):
        gone.ready()
        gone.alive()
    assert len(caplog.records) == 1


def test_without_a_manager_nothing_happens(caplog: pytest.LogCaptureFixture) -> None:
    nobody = Manager()
    nobody.ready()
    nobody.status("well")
    assert not caplog.records
