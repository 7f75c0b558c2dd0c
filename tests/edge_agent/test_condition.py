"""What the agent knows of itself: observer, health, lifecycle and the status file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from contract import codec
from contract.events import Fault, Health, Lifecycle, Play
from contract.limits import MAX_INT32
from contract.status import Queue
from edge_agent import status_file
from edge_agent.clock import Stamp, boottime_ms
from edge_agent.draft import stamped
from edge_agent.health import Self, health
from edge_agent.lifecycle import boot_id, is_new_boot, lifecycle, remember_boot
from edge_agent.observation import Content, ScreenPower, Showing, Trouble, Vitals
from edge_agent.observer import Observer
from edge_agent.playlog import PlaylogSettings
from edge_agent.status_file import AgentStatus

OWN = Self(Queue(events=3, oldest_s=9), rtt_ms=40, clock_offset_ms=-7, bytes_sent=100, bytes_received=10)


def an_observer() -> Observer:
    return Observer(PlaylogSettings(), lambda: OWN)


# -- observer ----------------------------------------------------------------------------------------------------------


def test_what_probes_see_becomes_events_of_each_kind() -> None:
    observer = an_observer()
    showing = Showing(at_ms=1_000, screen="main", player="mpv", content=Content("a.mp4"), reported=True)
    power = ScreenPower(at_ms=1_000, screen="main", state="active", panel_on=True)
    drafts = observer.see("mpv", [showing, Vitals(at_ms=1_000)], 1_000, 1.0)
    drafts += observer.see("screen", [power], 1_000, 1.0)
    drafts += observer.see("system", [Trouble(code="low_disk", reason="3 %")], 1_000, 1.0)
    drafts += observer.stop(2_000)
    kinds = [type(draft.event) for draft in drafts]
    assert Play in kinds
    assert Health in kinds
    assert Fault in kinds
    assert drafts[-1].event.status == "interrupted"  # type: ignore[union-attr]
    for draft in drafts:
        codec.encode_event(replace(stamped(draft, Stamp(1, "synced")), seq=1))


def test_present_troubles_are_known_by_code_and_gone_when_not_repeated() -> None:
    observer = an_observer()
    observer.see("system", [Trouble(code="low_disk"), Trouble(code="over_temperature")], 1, 1.0)
    observer.see("mpv", [Trouble(code="low_disk")], 1, 1.0)
    assert observer.faults() == ["low_disk", "over_temperature"]
    observer.see("system", [], 2, 1.0)
    assert observer.faults() == ["low_disk"]


def test_a_probe_that_hangs_is_one_fault_however_often_it_is_noticed() -> None:
    observer = an_observer()
    first = observer.hung("chromium", 31.7, 1_000)
    again = [draft for at in range(60) for draft in observer.hung("chromium", 32 + at, 2_000 + at * 1_000)]
    (draft,) = first
    assert isinstance(draft.event, Fault)
    assert (draft.event.code, draft.event.component, draft.event.reason) == (
        "probe_hung",
        "chromium",
        "no answer for 31 s",
    )
    assert again == []
    assert observer.faults() == ["probe_hung"]


# -- health ------------------------------------------------------------------------------------------------------------


def test_health_is_the_machine_and_the_agent() -> None:
    vitals = Vitals(at_ms=5, temperature_c=50.5, disk_free_bytes=7, uptime_s=60, signal_dbm=-60)
    event = health(vitals, OWN).event
    assert isinstance(event, Health)
    assert (event.temperature_c, event.disk_free_bytes, event.uptime_s, event.signal_dbm) == (50.5, 7, 60, -60)
    assert (event.queue_events, event.queue_oldest_s, event.rtt_ms, event.clock_offset_ms) == (3, 9, 40, -7)
    assert (event.bytes_sent, event.bytes_received) == (100, 10)
    assert event.undervoltage is None


@pytest.mark.parametrize(("rtt_ms", "expected"), [(None, None), (-5, 0), (10**12, MAX_INT32)])
def test_a_round_trip_stays_within_its_column(rtt_ms: int | None, expected: int | None) -> None:
    event = health(Vitals(at_ms=5), OWN._replace(rtt_ms=rtt_ms)).event
    assert isinstance(event, Health)
    assert event.rtt_ms == expected


# -- lifecycle ---------------------------------------------------------------------------------------------------------


def test_a_boot_is_told_once(tmp_path: Path) -> None:
    assert is_new_boot(tmp_path, "one")
    assert is_new_boot(tmp_path, "one"), "nobody has told of it yet"
    remember_boot(tmp_path, "one")
    assert not is_new_boot(tmp_path, "one")
    assert is_new_boot(tmp_path, "two")


def test_a_note_that_has_rotted_or_cannot_be_written_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "last_boot").write_bytes(b"\xff\xfe\0")
    assert is_new_boot(tmp_path, "one")
    remember_boot(tmp_path / "nowhere", "one")
    assert "cannot note the boot" in caplog.text


def test_the_kernel_names_its_boot() -> None:
    assert len(boot_id()) == 36
    event = lifecycle("start", 7, "1.0").event
    assert isinstance(event, Lifecycle)
    assert (event.action, event.detail) == ("start", "1.0")


# -- status file -------------------------------------------------------------------------------------------------------


def a_status(pid: int, at_ms: int) -> AgentStatus:
    return AgentStatus(
        device="a",
        version="1",
        pid=pid,
        at_ms=at_ms,
        started_ms=1,
        connected=True,
        last_error="",
        clock="synced",
        queue=Queue(events=4),
        dropped=0,
        faults=[],
        probes={"system": ""},
        bridge={},
    )


def test_a_status_comes_back_and_is_gone_after_a_good_end(tmp_path: Path) -> None:
    status = a_status(1, 2)
    assert status_file.read(tmp_path) is None
    status_file.write(tmp_path, status)
    assert status_file.read(tmp_path) == status
    assert [file.name for file in tmp_path.iterdir()] == [status_file.NAME]
    status_file.remove(tmp_path)
    status_file.remove(tmp_path)
    assert status_file.read(tmp_path) is None


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b"\xff", b'{"device":1}'])
def test_a_status_that_is_none_of_ours_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / status_file.NAME).write_bytes(data)
    assert status_file.read(tmp_path) is None


def test_a_status_that_cannot_be_written_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    status_file.write(tmp_path / "gone", a_status(1, 2))
    assert "cannot write" in caplog.text
    status_file.remove(tmp_path / "gone")


def test_a_process_that_inherited_the_number_is_not_the_agent() -> None:
    assert status_file.is_running(a_status(os.getpid(), boottime_ms()))
    assert not status_file.is_running(a_status(os.getpid(), 1)), "it was written before this process began"
    assert not status_file.is_running(a_status(os.getpid(), boottime_ms() + 10**9)), "it is of an earlier boot"
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(60)
    assert not status_file.is_running(a_status(process.pid, boottime_ms()))
