"""Parts that live together: started in order, stopped in reverse, and none dies unnoticed."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass

import pytest

from hub.errors import HubError
from hub.service import run_until, stop_signals


@dataclass
class Part:
    name: str
    diary: list[str]
    asked: threading.Event
    fails: str | None = None
    starts: bool = True

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
