"""A new version from the hub's shelf into an enrolled kiosk, and back to the hub what came of it: through TLS."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from contract.version import VERSION
from edge_agent.agent import Agent
from edge_agent.update import building, updates
from edge_agent.update.fetching import PART
from edge_agent.update.fitness import here
from edge_agent.update.places import READY
from hub.fleet.rollout import LASTS
from hub.store.fleet_commands import FleetCommands
from hub.store.rollouts import move_on, status
from tests.edge_agent.test_agent import running
from tests.edge_agent.update.making import Kind, Machine, quick_build
from tests.end_to_end.enrolling_hub import ServingHub, add_device, enrolling_hub
from tests.end_to_end.program import AGENT, HUB, run
from tests.end_to_end.test_enrolment import EnrolledKiosk
from tests.patience import until

NEW: Final = "0.9.0"
BALLAST_BYTES: Final = 30_000_000
MIB: Final = 1024 * 1024


@pytest.fixture
def hub(tmp_path: Path, database: str, connection: psycopg.Connection) -> Iterator[ServingHub]:
    with enrolling_hub(tmp_path / "hub", database, connection) as serving:
        yield serving


def answer(hub: ServingHub, *command: str | Path) -> Any:
    """What a command of the hub says, in JSON."""
    done = run(HUB, *command, "--json", "--config", hub.config)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def enrolled(hub: ServingHub, folder: Path) -> tuple[EnrolledKiosk, str]:
    """A kiosk, and its name."""
    kiosk, stick = EnrolledKiosk(folder / "kiosk"), folder / "stick"
    stick.mkdir()
    device = str(add_device(hub, "BG-20-CMA", stick / "ttdn.toml")["device"])
    done = run(AGENT, "--config", kiosk.config, "first-boot", "--no-mount", "--look", stick)
    assert done.returncode == 0, done.stdout + done.stderr
    return kiosk, device


def cut_off(agent: Agent, part: Path) -> None:
    """SIGKILL for what fetches, in the middle of the package."""

    def on_its_way() -> bool:
        """Looked at without rest for a moment: a hub on the same machine gives it in a fraction of a second."""
        end_s = time.monotonic() + 1
        while time.monotonic() < end_s:
            if part.exists() and part.stat().st_size > 3 * MIB:
                return True
        return False

    until(on_its_way, "the package is on its way")
    process = agent.updates._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)


def test_a_version_from_the_shelf_to_the_kiosk_and_the_word_of_it_back(
    hub: ServingHub, connection: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_hub = hub.config.parent
    kiosk, device = enrolled(hub, tmp_path)
    machine = Machine(kiosk.folder)
    shutil.copy(of_hub / "release.pub", machine.places.key)  # as the installer did
    package = machine.package(Kind(NEW), arch=platform.machine(), key=of_hub / "release.key", ballast=BALLAST_BYTES)
    for command in (["release", "add", package], ["rollout", "start", NEW, "--device", device, "--soak-minutes", "0"]):
        done = run(HUB, *command, "--config", hub.config)
        assert done.returncode == 0, done.stderr

    monkeypatch.setattr(updates, "Places", lambda: machine.places)
    monkeypatch.setattr(updates, "LOOK_MS", 100)
    monkeypatch.setattr(updates, "FIRST_PAUSE_MS", 0)
    monkeypatch.setattr(building, "build", quick_build)
    ready = machine.places.inbox / READY

    def moved_on() -> Any:
        """The roll-out, after a look as the hub takes one every 20 s."""
        move_on(connection, FleetCommands(connection), datetime.now(UTC), LASTS)
        (row,) = status(connection, 1)
        return row

    with running(kiosk.folder, config=kiosk.config) as agent:
        moved_on()
        cut_off(agent, machine.places.inbox / PART)
        until(ready.exists, "the package is in root's inbox")
        assert ready.read_bytes() == package.read_bytes()
        until(lambda: agent.updates.fetched_bytes, "it was counted")
        came_before = package.stat().st_size - agent.updates.fetched_bytes
        assert (came_before >= 3 * MIB, came_before % MIB) == (True, 0), "the rest alone, from what stood on the card"
        assert moved_on()["under_way"] == 1

        machine.installer()._service("start")
        try:
            told = machine.installer(machine=here()).run()
        finally:
            machine.stop()
        assert told is not None
        assert (told.fate, told.version, told.before) == ("applied", NEW, VERSION)
        until(lambda: moved_on()["state"] == "finished", "the hub knows")
    (row,) = answer(hub, "rollout", "status", "1")["rollouts"]
    (member,) = row["members"]
    assert (member["device"], member["fate"]) == (device, "applied")
