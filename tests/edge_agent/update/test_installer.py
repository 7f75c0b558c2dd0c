"""A package comes, is built beside what runs, tried, and kept or taken back: real environments, real processes."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from contract.release import Told
from edge_agent.update import building
from edge_agent.update.journal import read_results
from edge_agent.update.places import READY
from hub.releases.keys import make_key
from hub.releases.pack import Wanted
from tests.edge_agent.update.making import MACHINE, Kind, Machine, quick_build

STEPS = [
    *("building", "verified", "unpacked", "built", "trial", "trying"),
    *("swapped", "restarted", "done", "good", "noted"),
]


class Cut(NamedTuple):
    """Where the power goes: so long after a step is on the disk."""

    step: str
    later_s: float = 0.0
    link_down: bool = False


MIDST = [Cut("unpacked", 0.5), Cut("unpacked", 2.0), Cut("swapped", 0.03), Cut("waiting", 0.0, link_down=True)]
"""While the environment is made, pip works, the service starts, and the link is down: steps, and seconds after them."""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    kiosk = Machine(tmp_path)
    kiosk.installer()._service("start")
    yield kiosk
    kiosk.stop()


@pytest.fixture
def quick(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The same, where what is built is no matter."""
    monkeypatch.setattr(building, "build", quick_build)
    return machine


def test_a_good_version_stays_and_one_that_breaks_a_probe_goes_back(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.put(machine.package(Kind("0.2.0", schema=2)))
    assert machine.installer().run() == Told("applied", "0.2.0", "0.1.0")
    assert (machine.running(), machine.sides()) == ("0.2.0", ("b", "b"))
    assert not (machine.places.inbox / READY).exists()
    assert machine.installer().run() is None

    monkeypatch.setattr(building, "build", quick_build)
    machine.put(machine.package(Kind("0.3.0", "breaks", schema=3, back_to=2)))
    told = machine.installer(machine=MACHINE._replace(version="0.2.0"), green_s=1).run()
    assert told is not None
    assert (told.fate, told.version, told.before) == ("went_back", "0.3.0", "0.2.0")
    assert "probe.mpv" in told.reason
    assert "tls" not in told.reason, "it was not well before either"
    assert machine.sides() == ("b", "b")
    assert (machine.places.agent_state / "schema").read_text() == "2"
    assert [result.told.fate for result in read_results(machine.places.state)] == ["applied", "went_back"]


@pytest.mark.parametrize("mood", ["crashes", "hangs"])
def test_a_version_that_does_not_run_goes_back(quick: Machine, mood: str) -> None:
    machine = quick
    machine.put(machine.package(Kind("0.2.0", mood)))
    told = machine.installer(green_s=0.5).run()
    assert told is not None
    assert (told.fate, "the agent runs as 0.2.0" in told.reason) == ("went_back", True)
    assert machine.sides() == ("a", "a")


def test_what_is_not_for_this_machine_is_refused_and_changes_nothing(quick: Machine) -> None:
    machine = quick
    make_key(machine.folder / "other.key", machine.folder / "other.pub")
    good = machine.package(Kind())
    torn, changed = good.read_bytes()[:-40_000], bytearray(good.read_bytes())
    changed[-5_000] ^= 1
    (machine.folder / "torn").write_bytes(torn)
    (machine.folder / "changed").write_bytes(changed)
    for package, reason in (
        (machine.package(Kind(), arch="aarch64"), "made for aarch64, this machine is x86_64"),
        (machine.package(Kind("0.1.0")), "installed already"),
        (machine.package(Kind("0.0.9")), "older than 0.1.0"),
        (machine.package(Kind(), wanted=Wanted(applies_on="0.1.5")), "over 0.1.5 or later"),
        (machine.package(Kind(), key="other.key"), "not signed by the key"),
        (machine.folder / "torn", "cut short"),
        (machine.folder / "changed", "SHA-256"),
    ):
        machine.put(package)
        told = machine.installer().run()
        assert told is not None
        assert told.fate == "refused"
        assert reason in told.reason
        assert not (machine.places.inbox / READY).exists()
    assert (machine.running(), machine.sides()) == ("0.1.0", ("a", "a"))


def test_what_is_built_and_no_use_is_not_tried(quick: Machine) -> None:
    machine = quick
    for kind, fate, reason in (
        (Kind(mood="lies"), "failed", "does not say that it is 0.2.0"),
        (Kind(mood="refuses the configuration"), "failed", "mqtt: unknown"),
        (Kind(schema=3, back_to=2), "refused", "cannot be led back to schema 1"),
    ):
        machine.put(machine.package(kind))
        told = machine.installer().run()
        assert told is not None
        assert (told.fate, reason in told.reason) == (fate, True), told
    assert (machine.running(), machine.sides()) == ("0.1.0", ("a", "a"))


def test_one_to_go_back_to_may_be_older(quick: Machine) -> None:
    machine = quick
    machine.put(machine.package(Kind("0.0.9"), wanted=Wanted("0.0.1", allow_downgrade=True)))
    assert machine.installer().run() == Told("applied", "0.0.9", "0.1.0")


def test_a_link_in_the_inbox_leads_nowhere(machine: Machine) -> None:
    precious = machine.folder / "precious"
    precious.write_bytes(machine.package(Kind()).read_bytes())
    (machine.places.inbox / READY).symlink_to(precious)
    assert machine.installer().run() is None
    machine.places.inbox.rename(machine.folder / "elsewhere")
    machine.places.inbox.symlink_to(machine.folder / "elsewhere")
    (machine.folder / "elsewhere" / READY).unlink()
    (machine.folder / "elsewhere" / READY).write_bytes(precious.read_bytes())
    assert machine.installer().run() is None
    assert (machine.folder / "elsewhere" / READY).exists()


def weather(machine: Machine, **said: str) -> None:
    """How link and hub are from now on."""
    (machine.places.agent_state / "weather").write_text(json.dumps(said))


@pytest.mark.parametrize("down", ["link", "hub"])
def test_a_good_version_is_not_blamed_for_a_link_or_a_hub_that_is_down(quick: Machine, down: str) -> None:
    machine, waited = quick, []

    def step(name: str) -> None:
        if name == "restarted":
            weather(machine, **{down: "fail"})
        if name == "waiting":
            waited.append(name)
            assert machine.running() == "0.2.0"
            weather(machine, **({down: "fail"} if len(waited) == 1 else {}))

    machine.put(machine.package(Kind()))
    assert machine.installer(green_s=0.3, step=step).run() == Told("applied", "0.2.0", "0.1.0")
    assert len(waited) == 2, "for as long as it takes"


def test_a_version_that_does_not_hear_the_hub_goes_back(quick: Machine) -> None:
    machine = quick
    machine.put(machine.package(Kind(mood="deaf")))
    told = machine.installer(green_s=0.3).run()
    assert told is not None
    assert (told.fate, told.reason.endswith("not well again: receipt")) == ("went_back", True), told
    assert machine.running() == "0.1.0"


def test_what_was_well_by_chance_is_not_asked_for(quick: Machine) -> None:
    machine = quick
    (machine.places.agent_state / "chance").write_text(json.dumps(["ok", "fail", "ok", "fail"]))
    machine.put(machine.package(Kind()))
    assert machine.installer(green_s=0.3).run() == Told("applied", "0.2.0", "0.1.0")


def _cut(machine: Machine, cut: Cut, green_s: float) -> None:
    """SIGKILL for root's part and everything that it has begun, then for the agent: nothing has time to tidy up."""
    there, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()

        def step(name: str) -> None:
            if name == "restarted" and cut.link_down:
                weather(machine, link="fail")
            if name == cut.step:
                os.write(tell, b"!")
                if not cut.later_s:
                    signal.pause()

        try:
            machine.installer(step=step, green_s=green_s).run()
        finally:
            os.close(tell)
            signal.pause()
    os.close(tell)
    came = os.read(there, 1)
    time.sleep(cut.later_s)
    os.killpg(child, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    os.close(there)
    machine.stop()
    assert came == b"!", f"step {cut.step} never came"


@pytest.mark.full
@pytest.mark.parametrize("cut", [*map(Cut, STEPS), *MIDST], ids=str)
def test_power_off_at_any_step_of_a_good_update_goes_on(machine: Machine, cut: Cut) -> None:
    machine.put(machine.package(Kind()))
    _cut(machine, cut, 0.3 if cut.link_down else 5)
    weather(machine)
    machine.installer()._service("start")  # the next boot starts what current leads to
    machine.installer(green_s=5).run()
    assert (machine.running(), machine.sides()) == ("0.2.0", ("b", "b"))
    assert [result.told.fate for result in read_results(machine.places.state)] == ["applied"]


@pytest.mark.full
@pytest.mark.parametrize("step", ["back", "stopped", "outbox led back", "swapped back", "done", "noted"])
def test_power_off_at_any_step_of_the_way_back_goes_back(quick: Machine, step: str) -> None:
    machine = quick
    machine.put(machine.package(Kind(mood="breaks", schema=2)))
    _cut(machine, Cut(step), 0.3)
    machine.installer()._service("start")
    machine.installer(green_s=0.3).run()
    assert machine.sides() == ("a", "a")
    assert machine.running() == "0.1.0"
    assert (machine.places.agent_state / "schema").read_text() == "1"
    assert [result.told.fate for result in read_results(machine.places.state)] == ["went_back"]


def test_a_trial_that_ends_the_power_each_time_is_given_up(quick: Machine) -> None:
    machine = quick
    machine.put(machine.package(Kind()))
    for _ in range(3):
        _cut(machine, Cut("swapped"), 5)
    told = machine.installer(green_s=5).run()
    assert told is not None
    assert (told.fate, "interrupted 3 times" in told.reason) == ("went_back", True)
    assert machine.sides() == ("a", "a")
