"""The real agent is updated by real packages, and goes back: no event of its outbox is lost or doubled by that."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.outbox import way_back
from edge_agent.outbox.database import SCHEMA_VERSION
from edge_agent.outbox.newer import set_aside_as_newer
from edge_agent.outbox.outbox import FILE_NAME
from edge_agent.update.fitness import here
from edge_agent.update.places import READY
from hub.releases.pack import Wanted, pack
from tests.edge_agent.update.making import NOW, Kind, Machine, wheels_folder, write_agent
from tests.edge_agent.update.real import agent_wheel, needed_wheels
from tests.patience import until
from tests.regenerate import ROOT

NEXT_SCHEMA = {
    "edge_agent/outbox/database.py": (ROOT / "edge_agent/outbox/database.py")
    .read_text(encoding="utf-8")
    .replace(f"SCHEMA_VERSION: Final = {SCHEMA_VERSION}", f"SCHEMA_VERSION: Final = {SCHEMA_VERSION + 1}"),
    f"edge_agent/outbox/schema_v{SCHEMA_VERSION + 1}.sql": "ALTER TABLE event ADD COLUMN weight INTEGER;",
    f"edge_agent/outbox/schema_v{SCHEMA_VERSION + 1}_back.sql": "ALTER TABLE event DROP COLUMN weight;",
}
NO_WAY_BACK = {f"edge_agent/outbox/schema_v{SCHEMA_VERSION + 1}_back.sql": "ALTER TABLE event DROP COLUMN none;"}
LYING_STATUS = """
def add(commands):
    status = commands.add_parser("status")
    status.add_argument("--json", action="store_true")
    status.set_defaults(command=lambda _options: print('{"running": false}') or 0)
"""
BROKEN_STATUS = {"edge_agent/status_file.py": "raise SystemExit('it cannot even start')\n"}


def test_there_is_a_way_back_from_every_schema(tmp_path: Path) -> None:
    assert way_back.oldest() == 1
    from edge_agent.outbox.outbox import Outbox

    outbox = Outbox(tmp_path, max_bytes=10_000_000, boot="b")
    outbox.close()
    way_back.take_back(tmp_path, 1)
    way_back.take_back(tmp_path, 1)
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()
    Outbox(tmp_path, max_bytes=10_000_000, boot="b").close()


class RealMachine(Machine):
    """The same kiosk with the real agent; version 0.1.0 of this checkout runs."""

    def real_package(self, version: str, changed: dict[str, str] | None = None) -> Path:
        folder = self.folder / f"real-{version}"
        shutil.copytree(self.folder / "needed", folder)
        agent_wheel(folder, version, changed)
        output = self.folder / f"{version}.ttdn"
        pack(wheels_folder(folder, version, platform.machine()), self.folder / "release.key", output, Wanted(), NOW)
        return output


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealMachine]:
    config = tmp_path / "agent.toml"
    config.write_text(
        f'device = "bg-20-cma-k1"\nstate_folder = "{tmp_path}/state"\nruntime_folder = "{tmp_path}/run"\n'
        '[[mqtt.brokers]]\nhost = "127.0.0.1"\nport = 9\ntls = false\n[probes.system]\ninterval_s = 5\n'
    )
    monkeypatch.setenv("TTDN_AGENT_CONFIG", str(config))
    kiosk = RealMachine(tmp_path)
    kiosk.places = kiosk.places._replace(config=config)
    # What the little agent's doctor finds well, the real one has other names for.
    write_agent(kiosk.places.side("a") / "bin" / "ttdn-agent", kiosk.text(Kind("0.1.0", "mute")))
    (tmp_path / "needed").mkdir()
    needed_wheels(tmp_path / "needed")
    yield kiosk
    kiosk.stop()


def events(machine: Machine) -> dict[tuple[str, int], bytes]:
    """All that the outbox holds, by stream and number."""
    return events_of(machine.places.agent_state / FILE_NAME)


def events_of(outbox: Path) -> dict[tuple[str, int], bytes]:
    """The same of one file."""
    connection = sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT s.name, e.seq, e.body FROM event e JOIN stream s ON s.id = e.stream"
        ).fetchall()
    finally:
        connection.close()
    found = {(name, seq): body for name, seq, body in rows}
    assert len(found) == len(rows)
    return found


def ids(found: dict[tuple[str, int], bytes]) -> set[tuple[str, int]]:
    for stream in {stream for stream, _ in found}:
        numbers = sorted(seq for name, seq in found if name == stream)
        assert numbers == list(range(1, len(numbers) + 1))
    return set(found)


@pytest.mark.full
def test_the_outbox_survives_an_update_and_the_way_back(machine: RealMachine) -> None:
    # The little agent that stands there at first gives way to a real one.
    machine.put(machine.real_package("0.2.0"))
    told = machine.installer(machine=here()._replace(version="0.1.0"), green_s=60).run()
    assert told is not None
    assert told.fate == "applied", told
    time.sleep(3)
    first = ids(events(machine))
    assert first

    machine.put(machine.real_package("0.3.0", NEXT_SCHEMA))
    told = machine.installer(machine=here()._replace(version="0.2.0"), green_s=60).run()
    assert told is not None
    assert told.fate == "applied", told
    time.sleep(3)
    second = ids(events(machine))
    assert first < second

    # One whose outbox is newer again, and which does not run.
    broken = NEXT_SCHEMA | BROKEN_STATUS
    machine.put(machine.real_package("0.4.0", broken))
    told = machine.installer(machine=here()._replace(version="0.3.0"), green_s=3).run()
    assert told is not None
    assert told.fate in ("failed", "refused", "went_back"), told
    time.sleep(3)
    third = ids(events(machine))
    assert second < third
    assert not (machine.places.inbox / READY).exists()


@pytest.mark.full
def test_a_version_that_writes_a_newer_outbox_and_fails_later_is_taken_back(machine: RealMachine) -> None:
    machine.put(machine.real_package("0.2.0"))
    told = machine.installer(machine=here()._replace(version="0.1.0"), green_s=60).run()
    assert told is not None
    assert told.fate == "applied", told
    time.sleep(2)
    before = ids(events(machine))
    machine.put(machine.real_package("0.3.0", {**NEXT_SCHEMA, "edge_agent/cli/status.py": LYING_STATUS}))
    told = machine.installer(machine=here()._replace(version="0.2.0"), green_s=6).run()
    assert told is not None
    assert told.fate == "went_back", told
    connection = sqlite3.connect(f"file:{machine.places.agent_state / FILE_NAME}?mode=ro", uri=True)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    connection.close()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and len({stream for stream, _ in ids(events(machine))}) < 3:
        time.sleep(0.5)
    after = ids(events(machine))
    assert before < after
    assert len({stream for stream, _ in after}) == 3, "the old one, the one on trial, the old one again"


@pytest.mark.full
def test_an_outbox_that_cannot_be_led_back_waits_for_a_version_that_reads_it(machine: RealMachine) -> None:
    machine.put(machine.real_package("0.2.0"))
    assert machine.installer(machine=here()._replace(version="0.1.0"), green_s=60).run() is not None
    until(lambda: ids(events(machine)), "the first version's events")
    failing = {**NEXT_SCHEMA, **NO_WAY_BACK, "edge_agent/cli/status.py": LYING_STATUS}
    machine.put(machine.real_package("0.3.0", failing))
    told = machine.installer(machine=here()._replace(version="0.2.0"), green_s=6).run()
    assert told is not None
    assert told.fate == "went_back"
    assert "outbox" in told.reason
    (aside,) = until(lambda: set_aside_as_newer(machine.places.agent_state / FILE_NAME), "it is set aside")
    until(lambda: (machine.places.agent_state / FILE_NAME).exists() and ids(events(machine)), "the old one runs on")

    machine.put(machine.real_package("0.4.0", NEXT_SCHEMA))
    waiting = events_of(aside)
    told = machine.installer(machine=here()._replace(version="0.2.0"), green_s=60).run()
    assert told is not None
    assert told.fate == "applied", told
    until(lambda: ids(waiting) < ids(events(machine)), "they are in the outbox")
    assert not aside.exists()
