"""The machine's condition, read from captured trees."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_agent.faults import CODES
from edge_agent.observation import Trouble, Vitals
from edge_agent.probes import canary
from edge_agent.probes import system as system_module
from edge_agent.probes.canary import Canary
from edge_agent.probes.system import SystemProbe, SystemSettings, troubles

CASES = Path(__file__).parent / "testcases" / "system"
NOW_MS = 90_061_999
ALARM = "sys/class/hwmon/hwmon0/in0_lcrit_alarm"


def probe(tmp_path: Path, root: Path, **settings: Any) -> SystemProbe:
    settings = {"low_disk_bytes": 0, "state_folder": str(tmp_path), **settings}
    return SystemProbe(SystemSettings(**settings), root=root, now_ms=lambda: NOW_MS)


def vitals_of(probe: SystemProbe) -> Vitals:
    vitals = probe.read()[0]
    assert isinstance(vitals, Vitals)
    return vitals


def codes(readings: Any) -> list[str]:
    return [reading.code for reading in readings if isinstance(reading, Trouble)]


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_captured_tree(case: Path, tmp_path: Path) -> None:
    expected = msgspec.json.decode((case / "expected.json").read_bytes())
    vitals, *found = probe(tmp_path, case / "root").read()
    assert isinstance(vitals, Vitals)
    assert (vitals.at_ms, vitals.uptime_s) == (NOW_MS, 90_061)
    assert vitals.disk_free_bytes is not None
    assert vitals.disk_free_bytes > 0
    of_machine = msgspec.structs.replace(vitals, disk_free_bytes=None)
    assert of_machine == Vitals(at_ms=NOW_MS, uptime_s=90_061, **expected["vitals"])
    assert codes(found) == expected["troubles"]


def test_nearly_full_disk(tmp_path: Path) -> None:
    assert codes(probe(tmp_path, tmp_path, low_disk_bytes=2**53 - 1).read()) == ["low_disk"]


def test_no_state_folder_is_failing_storage_of_unknown_size(tmp_path: Path) -> None:
    vitals, trouble = probe(tmp_path, tmp_path, state_folder=str(tmp_path / "none"), low_disk_bytes=10**9).read()
    assert isinstance(vitals, Vitals)
    assert vitals.disk_free_bytes is None
    assert isinstance(trouble, Trouble)
    assert trouble.code == "storage_failing"
    assert "No such file" in trouble.reason


@pytest.mark.parametrize(
    ("vitals", "code"),
    [
        (Vitals(at_ms=0, temperature_c=80.0), "over_temperature"),
        (Vitals(at_ms=0, temperature_c=79.9), None),
        (Vitals(at_ms=0, undervoltage=True), "undervoltage"),
        (Vitals(at_ms=0, undervoltage=False), None),
        (Vitals(at_ms=0, disk_free_bytes=199_999_999), "low_disk"),
        (Vitals(at_ms=0, disk_free_bytes=200_000_000), None),
        (Vitals(at_ms=0, storage_errors=1), "storage_failing"),
        (Vitals(at_ms=0, storage_errors=0), None),
    ],
)
def test_thresholds(vitals: Vitals, code: str | None) -> None:
    assert codes(troubles(vitals, SystemSettings(), None)) == ([code] if code else [])


def test_every_trouble_is_documented() -> None:
    worst = Vitals(at_ms=0, temperature_c=99, undervoltage=True, disk_free_bytes=0, storage_errors=9)
    assert set(codes(troubles(worst, SystemSettings(), "no"))) <= set(CODES)


class TestVoltage:
    def alarm(self, root: Path, value: str) -> None:
        path = root / ALARM
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name("name").write_text("rpi_volt\n")
        path.write_text(value)

    def test_a_drop_between_two_reads_ends_the_wait_and_is_in_the_next(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(system_module, "VOLTAGE_LOOK_S", 0.001)
        self.alarm(tmp_path, "0\n")
        system = probe(tmp_path, tmp_path)
        assert vitals_of(system).undervoltage is False
        self.alarm(tmp_path, "1\n")
        system.wait(600)
        self.alarm(tmp_path, "0\n")
        assert vitals_of(system).undervoltage is True
        assert vitals_of(system).undervoltage is False

    def test_a_drop_that_lasts_is_waited_with_as_usual(self, tmp_path: Path) -> None:
        self.alarm(tmp_path, "1\n")
        system = probe(tmp_path, tmp_path)
        assert vitals_of(system).undervoltage is True
        system.wait(0.01)
        assert vitals_of(system).undervoltage is True


def test_close_ends_a_wait(tmp_path: Path) -> None:
    system = probe(tmp_path, tmp_path)
    waiting = threading.Thread(target=system.wait, args=(600,))
    waiting.start()
    system.close()
    waiting.join(60)
    assert not waiting.is_alive()


class TestCanary:
    def test_storage_that_keeps_what_it_is_given(self, tmp_path: Path) -> None:
        assert Canary(tmp_path, 600).trouble(0) is None
        assert (tmp_path / canary.FILE_NAME).stat().st_size == 4096

    def test_checked_no_more_often_than_asked_and_remembered_between(self, tmp_path: Path) -> None:
        folder = tmp_path / "state"
        bird = Canary(folder, 600)
        assert bird.trouble(1_000) is not None
        folder.mkdir()
        assert bird.trouble(600_999) is not None
        assert bird.trouble(601_000) is None

    def test_other_bytes_come_back(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(canary, "_read", lambda path: b"")
        assert "other bytes" in str(Canary(tmp_path, 600).trouble(0))

    @pytest.mark.parametrize(("number", "failing"), [(errno.EIO, True), (errno.EROFS, True), (errno.ENOSPC, False)])
    def test_a_full_disk_is_not_a_failing_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, failing: bool
    ) -> None:
        def refuse(fd: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", refuse)
        assert (Canary(tmp_path, 600).trouble(0) is not None) is failing
