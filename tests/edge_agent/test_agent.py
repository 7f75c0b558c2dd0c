"""The agent put together, with probes of the test's own: what it survives, and what it tells."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contract import codec
from contract.events import AnyEvent
from edge_agent import agent as agent_module
from edge_agent import condition, status_file
from edge_agent.agent import Agent
from edge_agent.clock import boottime_ms, wall_ms
from edge_agent.condition import Moment
from edge_agent.config import AgentSettings, load
from edge_agent.courier import Courier
from edge_agent.errors import AgentError, AgentFailed
from edge_agent.lifecycle import lifecycle
from edge_agent.mqtt import Link
from edge_agent.observation import Content, Reading, Showing, Trouble
from edge_agent.outbox.errors import OutboxDamaged, OutboxFull
from edge_agent.probe_runner import ProbeRunner
from edge_agent.probes.base import Probe
from edge_agent.recorder import Recorder
from tests.edge_agent.outbox.making import rows
from tests.edge_agent.test_cli import write_config
from tests.edge_agent.test_probe_runner import LIT, Scripted, fails
from tests.patience import DEADLINE_S, until


def settings_of(folder: Path) -> AgentSettings:
    return load(write_config(folder, 1), {})


@contextmanager
def running(
    folder: Path, *probes: Probe, failures: list[BaseException] | None = None, config: Path | None = None
) -> Iterator[Agent]:
    """An agent in a thread; what it ended with goes to `failures`, and without these it has to end well."""
    agent = Agent(load(config, {}) if config is not None else settings_of(folder), probes=probes)
    ended = [] if failures is None else failures

    def run() -> None:
        try:
            agent.run()
        except AgentError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield agent
    finally:
        agent.stop()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
    assert failures is not None or not ended


def events(folder: Path) -> list[AnyEvent]:
    return [codec.decode_event(body) for _, _, body in rows(folder / "state")]


def codes(folder: Path) -> list[tuple[str, str | None]]:
    return [(event.code, event.component) for event in events(folder) if event.KIND == "fault"]  # type: ignore[union-attr]


def test_a_probe_that_raises_and_one_that_hangs_become_faults_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_module, "ProbeRunner", partial(ProbeRunner, hung_after_s=0.2))
    monkeypatch.setattr(agent_module, "TICK_MS", 50)
    release = threading.Event()

    def hang() -> Sequence[Reading]:
        release.wait(DEADLINE_S)
        return []

    raising = Scripted(fails(ValueError("a bug")), name="raising")
    hanging = Scripted(hang, name="hanging")
    well = Scripted(lambda: [LIT], lambda: [Trouble(code="low_disk")], name="well")
    with running(tmp_path, raising, hanging, well) as agent:
        until(lambda: {code for code, _ in codes(tmp_path)} >= {"probe_failed", "probe_hung", "low_disk"})
        reads = well.reads
        until(lambda: well.reads > reads + 3)
        assert agent.status().probes == {"raising": "ValueError: a bug", "hanging": "", "well": ""}
        assert agent.status().faults == ["low_disk", "probe_failed", "probe_hung"]
        release.set()
    assert set(codes(tmp_path)) == {("probe_failed", "raising"), ("probe_hung", "hanging"), ("low_disk", "well")}
    actions = [event.action for event in events(tmp_path) if event.KIND == "lifecycle"]  # type: ignore[union-attr]
    assert actions == ["boot", "start", "stop"]


def test_a_step_of_the_clock_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "TICK_MS", 50)
    with running(tmp_path) as agent:
        until(lambda: events(tmp_path))
        before = agent._clock.stamp(agent._clock.now_ms()).time_ms
        agent._clock._wall = lambda: wall_ms() + 7_200_000
        (step,) = until(lambda: [event for event in events(tmp_path) if getattr(event, "step_ms", None)])
        assert step.action == "clock_step"
        assert abs(step.step_ms - 7_200_000) < 1_000
        agent._clock.learn(before, agent._clock.now_ms(), agent._clock.now_ms())
        until(lambda: (tmp_path / "state" / "clock_floor").exists(), "a certain time that is noted")


def test_no_probes_means_no_probes(tmp_path: Path) -> None:
    config = write_config(tmp_path, 1, "[probes.system]\n")
    agent = Agent(load(config, {}), probes=[])
    try:
        assert agent.status().probes == {}
    finally:
        agent.outbox.close()


def test_a_damaged_outbox_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "outbox.db").write_bytes(b"rubbish" * 999)
    with running(tmp_path):
        until(lambda: codes(tmp_path) == [("outbox_damaged", "outbox")])


def test_an_outbox_of_a_later_version_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    connection = sqlite3.connect(tmp_path / "state" / "outbox.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with running(tmp_path):
        until(lambda: codes(tmp_path) == [("outbox_newer", "outbox")])


def test_an_outbox_that_dies_ends_the_agent_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: Any) -> None:
        raise OutboxDamaged("the outbox is damaged: malformed; replace the SD card")

    well = Scripted(lambda: [Trouble(code="low_disk")])
    failures: list[BaseException] = []
    with running(tmp_path, well, failures=failures) as agent:
        until(lambda: codes(tmp_path))
        monkeypatch.setattr(agent.outbox._store, "append", damaged)
        agent.recorder.record([lifecycle("config", 1)])
        until(agent._stopping.is_set)
    (failure,) = failures
    assert isinstance(failure, AgentFailed)
    assert "cannot be used any more: the outbox is damaged" in str(failure)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_courier_that_ends_by_a_bug_is_not_blamed_on_the_outbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_deep(_: Courier) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(agent_module, "TICK_MS", 20)
    monkeypatch.setattr(Courier, "_step", too_deep)
    failures: list[BaseException] = []
    with running(tmp_path, failures=failures):
        until(lambda: failures)
    (failure,) = failures
    assert isinstance(failure, AgentFailed)
    assert str(failure) == (
        "the courier ended by a bug: RecursionError: too deep; restart the agent and report the log"
    )


def test_a_courier_that_hangs_in_a_connect_does_not_hold_up_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opening, release = threading.Event(), threading.Event()

    def swallowed(_: Link) -> None:
        opening.set()
        release.wait(DEADLINE_S)

    monkeypatch.setattr(agent_module, "COURIER_ENDS_S", 0.1)
    monkeypatch.setattr(Link, "open", swallowed)
    # What it does next meets the closed outbox.
    monkeypatch.setattr(Courier, "_settle", lambda self, _: self._outbox.read(self._outbox.live_stream, [(1, 9)], 1, 1))
    with running(tmp_path) as agent:
        assert opening.wait(DEADLINE_S)
    assert agent.courier.is_alive()
    assert not (tmp_path / "runtime" / status_file.NAME).exists()
    with running(tmp_path):  # The outbox is free for the next.
        pass
    release.set()
    agent.courier.join(DEADLINE_S)
    assert not agent.courier.is_alive()
    assert agent.courier.failure is None
    assert [record.message for record in caplog.records if record.levelno > logging.WARNING] == []


def test_a_boot_that_could_not_be_kept_is_told_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "append", fails_full)
    with running(tmp_path):
        pass
    monkeypatch.undo()
    for _ in range(2):
        with running(tmp_path):
            pass
    actions = [event.action for event in events(tmp_path) if event.KIND == "lifecycle"]  # type: ignore[union-attr]
    assert actions == ["boot", "start", "stop", "start", "stop"]


def fails_full(*_: Any) -> None:
    raise OutboxFull("full")


def test_a_runtime_folder_that_vanishes_does_not_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_file, "EVERY_S", 0.05)
    monkeypatch.setattr(agent_module, "TICK_MS", 20)
    well = Scripted(lambda: [LIT])
    with running(tmp_path, well) as agent:
        until(lambda: status_file.read(tmp_path / "runtime"))
        for file in (tmp_path / "runtime").iterdir():
            file.unlink()
        (tmp_path / "runtime").rmdir()
        reads = well.reads
        until(lambda: well.reads > reads + 20)
        assert not agent._stopping.is_set()


def test_what_cannot_be_opened_leaves_no_lock_behind(tmp_path: Path) -> None:
    config = write_config(tmp_path, 1)
    (tmp_path / "password").unlink()
    with pytest.raises(AgentError, match="password_file"):
        Agent(load(config, {}))
    (tmp_path / "password").write_text("x")
    with running(tmp_path):
        pass


def test_its_status_tells_what_is_on_screen_and_how_it_is_connected(tmp_path: Path) -> None:
    playing = Showing(at_ms=boottime_ms(), screen="main", player="mpv", content=Content("a.mp4"), reported=True)
    idle = Showing(at_ms=boottime_ms(), screen="led", player="mpv", content=None)
    with running(tmp_path, Scripted(lambda: [playing, idle, LIT], name="mpv")) as agent:
        status = until(lambda: (found := agent.status()).on_screen and found)
        led, main = status.on_screen
        assert (led.screen, led.content) == ("led", None)
        assert (main.content, main.facts.reported, main.facts.rendering) == ("a.mp4", True, None)
        assert main.since_ms == playing.at_ms
        assert (status.online, status.receipt_ms, status.clock_offset_ms) == (False, None, None)
        assert status.started_ms <= status.since_ms <= status.at_ms
        lines = list(condition.running(status, Moment(status.at_ms, 1_800_000_000_000), "en"))
    assert lines[1].startswith("connection  offline since ")
    assert [line for line in lines if line.startswith("on screen")] == [
        "on screen   led: the player mpv plays nothing",
        f"on screen   main: a.mp4 (since {lines[4].rpartition('since ')[2]}",
    ]
    assert any("reported yes, rendering not known" in line for line in lines)
