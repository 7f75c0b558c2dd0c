"""Parts that live together: started in order, stopped in reverse, and none dies unnoticed."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.errors import HubError
from hub.service import SILENT_S, run_until, stop_signals
from hub.service_manager import ServiceManager


@dataclass
class Part:
    name: str
    diary: list[str]
    asked: threading.Event
    fails: str | None = None
    starts: bool = True
    silent: float = 0.0
    looked: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self.diary.append(f"start {self.name}")
        if not self.starts:
            raise HubError("no")

    def stop(self) -> None:
        self.diary.append(f"stop {self.name}")

    def failure(self) -> str | None:
        if self.fails is None and self.name == "b":
            self.asked.set()
        return self.fails

    def silent_s(self) -> float:
        self.looked.set()
        return self.silent


ORDER = ["start a", "start b", "stop b", "stop a"]


def test_stopped_in_reverse() -> None:
    asked, diary = threading.Event(), list[str]()
    assert run_until(asked, [Part("a", diary, asked), Part("b", diary, asked)]) is None
    assert diary == ORDER


def test_one_that_dies_ends_all() -> None:
    asked, diary = threading.Event(), list[str]()
    assert run_until(asked, [Part("a", diary, asked, fails="broken"), Part("b", diary, asked)]) == "broken"
    assert diary == ORDER


def test_one_that_does_not_start_stops_the_others() -> None:
    asked, diary = threading.Event(), list[str]()
    with pytest.raises(HubError):
        run_until(asked, [Part("a", diary, asked), Part("b", diary, asked, starts=False)])
    assert diary == ORDER


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_signals() as asked:
        os.kill(os.getpid(), number)
        assert asked.wait(5)
        assert signal.getsignal(number) is signal.SIG_DFL, "a second one ends the process"
    assert signal.getsignal(number) is before


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[tuple[socket.socket, ServiceManager]]:
    """systemd's end of the socket, and ours; it wants to hear of us every 0.1 s."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(20)
        environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": str(os.getpid())}
        manager = ServiceManager(environ)
        assert environ == {}, "a child would speak for us"
        yield listener, manager


def test_systemd_hears_that_all_have_started_that_they_live_and_that_they_end(
    listening: tuple[socket.socket, ServiceManager],
) -> None:
    listener, manager = listening
    asked, words = threading.Event(), list[bytes]()
    thread = threading.Thread(target=run_until, args=(asked, [Part("a", [], asked)], manager))
    thread.start()
    words += [listener.recv(100), listener.recv(100), listener.recv(100)]
    asked.set()
    thread.join()
    while words[-1] != b"STOPPING=1":
        words.append(listener.recv(100))
    assert words[:2] == [b"READY=1", b"WATCHDOG=1"]


def test_nothing_is_said_for_a_part_that_shows_no_progress(listening: tuple[socket.socket, ServiceManager]) -> None:
    listener, manager = listening
    asked, hung = threading.Event(), Part("a", [], threading.Event(), silent=SILENT_S + 1)
    thread = threading.Thread(target=run_until, args=(asked, [Part("b", [], threading.Event()), hung], manager))
    thread.start()
    for _ in range(2):
        assert hung.looked.wait(20)
        hung.looked.clear()
    asked.set()
    thread.join()
    assert [listener.recv(100), listener.recv(100)] == [b"READY=1", b"STOPPING=1"]
