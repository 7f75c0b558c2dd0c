"""A probe that raises, hangs or cannot be closed is alone in it, and is told of."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from edge_agent.clock import boottime_ms
from edge_agent.observation import Reading, ScreenPower, Trouble
from edge_agent.probe_runner import ProbeRunner
from edge_agent.probes.base import ProbeError
from tests.patience import DEADLINE_S, until

LIT = ScreenPower(at_ms=1, screen="main", state="active")


class Scripted:
    """A probe that does what the test says, read by read; the last step is repeated."""

    def __init__(self, *steps: Callable[[], Sequence[Reading]], name: str = "scripted") -> None:
        self.name, self.interval_s = name, 0.01
        self.steps = list(steps)
        self.reads = 0
        self.closed = threading.Event()
        self.wait_error: Exception | None = None
        self.close_error: Exception | None = None

    def read(self) -> Sequence[Reading]:
        step = self.steps[min(self.reads, len(self.steps) - 1)]
        self.reads += 1
        return step()

    def wait(self, timeout_s: float) -> None:
        if self.wait_error is not None:
            raise self.wait_error
        self.closed.wait(timeout_s)

    def close(self) -> None:
        self.closed.set()
        if self.close_error is not None:
            raise self.close_error


class Watch:
    """Runs probes and keeps what they said."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, list[Reading]]] = []
        self.runners: list[ProbeRunner] = []

    def run(self, probe: Scripted, hung_after_s: float = 30.0) -> ProbeRunner:
        runner = ProbeRunner(probe, self._see, boottime_ms, hung_after_s=hung_after_s)
        self.runners.append(runner)
        runner.start()
        return runner

    def _see(self, name: str, readings: Sequence[Reading], look_s: float) -> None:
        self.seen.append((name, list(readings)))

    def of(self, name: str) -> list[list[Reading]]:
        return [readings for of, readings in self.seen if of == name]


@pytest.fixture
def watch() -> Iterator[Watch]:
    made = Watch()
    yield made
    for runner in made.runners:
        runner.stop()
    for runner in made.runners:
        runner.join(DEADLINE_S)


def fails(error: Exception) -> Callable[[], Sequence[Reading]]:
    def step() -> Sequence[Reading]:
        raise error

    return step


def test_what_is_read_is_handed_over_again_and_again(watch: Watch) -> None:
    runner = watch.run(Scripted(lambda: [LIT]))
    until(lambda: len(watch.seen) >= 3)
    assert watch.of("scripted")[0] == [LIT]
    assert runner.last_error == ""
    assert runner.hung_s() == 0


@pytest.mark.parametrize(
    ("error", "reason"), [(ProbeError("no browser"), "no browser"), (ValueError("a bug"), "ValueError: a bug")]
)
def test_what_a_probe_raises_is_a_trouble_and_it_is_read_again(watch: Watch, error: Exception, reason: str) -> None:
    runner = watch.run(Scripted(lambda: [LIT], fails(error), fails(error), lambda: [LIT]))
    until(lambda: len(watch.seen) >= 4)
    assert watch.of("scripted")[:4] == [
        [LIT],
        [Trouble(code="probe_failed", reason=reason)],
        [Trouble(code="probe_failed", reason=reason)],
        [LIT],
    ]
    assert runner.last_error == ""


def test_a_probe_that_fails_while_what_it_saw_is_looked_at_is_found_out_in_its_own_thread(watch: Watch) -> None:
    def lazily() -> Iterator[Reading]:
        yield LIT
        raise ValueError("a bug")

    watch.run(Scripted(lazily, lambda: None, lambda: [LIT]))  # type: ignore[arg-type,return-value]
    until(lambda: len(watch.seen) >= 3)
    reasons = [trouble.reason for seen in watch.of("scripted")[:2] for trouble in seen if isinstance(trouble, Trouble)]
    assert reasons == ["ValueError: a bug", "TypeError: 'NoneType' object is not iterable"]
    assert watch.of("scripted")[2] == [LIT]


def test_a_bug_in_wait_ends_neither_the_thread_nor_the_pace(watch: Watch) -> None:
    probe = Scripted(lambda: [LIT])
    probe.interval_s, probe.wait_error = 0.05, OSError("socket")
    began = time.monotonic()
    watch.run(probe)
    until(lambda: len(watch.seen) >= 4)
    assert time.monotonic() - began >= 0.15, "it spins"


def test_a_probe_that_hangs_is_told_of_and_the_others_go_on(watch: Watch) -> None:
    release = threading.Event()

    def hang() -> Sequence[Reading]:
        release.wait(DEADLINE_S)
        return [LIT]

    hung = watch.run(Scripted(lambda: [LIT], hang, name="hung"), hung_after_s=0.2)
    watch.run(Scripted(lambda: [LIT], name="well"))
    until(lambda: hung.hung_s() >= 0.2)
    before = len(watch.of("well"))
    until(lambda: len(watch.of("well")) > before + 5)
    assert len(watch.of("hung")) == 1
    release.set()
    until(lambda: len(watch.of("hung")) > 2 and not hung.hung_s())


def test_a_probe_that_hangs_in_wait_is_told_of_as_well(watch: Watch) -> None:
    probe = Scripted(lambda: [LIT])
    release = threading.Event()
    probe.wait = lambda timeout_s: release.wait(DEADLINE_S)  # type: ignore[method-assign,assignment]
    runner = watch.run(probe, hung_after_s=0.1)
    until(lambda: runner.hung_s() >= 0.1)
    release.set()


def test_a_probe_that_cannot_be_closed_keeps_nobody_from_stopping(watch: Watch) -> None:
    probe = Scripted(lambda: [LIT])
    probe.close_error = RuntimeError("a bug")
    runner = watch.run(probe)
    runner.stop()
    runner.join(DEADLINE_S)
    assert not runner.is_alive()
