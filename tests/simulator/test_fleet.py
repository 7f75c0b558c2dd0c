"""What the simulated border is made of, without servers; and a process of it that loses its parent."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from contract.codec import decode_event, encode_event
from contract.events import AnyEvent, Fault, Interaction, Play, Screen
from contract.ids import is_device_id
from contract.status import Queue
from edge_agent import sessions
from edge_agent.clock import Stamp
from edge_agent.draft import Draft, stamped
from edge_agent.faults import CODES
from edge_agent.health import Self
from edge_agent.observation import Showing
from edge_agent.observer import Observer
from edge_agent.playlog import PlaylogSettings
from simulator import border
from simulator.border import BorderError, Device
from simulator.catalogue import playlist, strangers
from simulator.child import PROJECT
from simulator.fleet import MIN_PROCESSES, split
from simulator.fleet_process import Part, Report
from simulator.journal import Accepted, Opened, read
from simulator.kills import kills
from simulator.place import Place
from simulator.player import SimulatedPlayer, SimulatedSystem
from simulator.ports import free_port
from simulator.scenes import Scene, scenes
from simulator.spells import Spells
from simulator.visits import visits

SITES = border.sites()
DEVICES = border.devices(SITES, 1)


@pytest.mark.parametrize("seed", range(1, 31))
def test_every_site_has_one_to_three_devices_and_there_are_enough(seed: int) -> None:
    devices = border.devices(SITES, seed)
    counts = Counter(device.site for device in devices)
    assert len(SITES) == 29
    assert counts.keys() == {site.code for site in SITES}
    assert set(counts.values()) <= {1, 2, 3}
    assert len(devices) >= 45
    assert len({device.name for device in devices}) == len(devices)
    assert all(is_device_id(device.name) for device in devices)
    assert {device.kind for device in devices} == {"kiosk", "led", "tv", "loa"}


def test_a_province_is_a_part_of_the_whole() -> None:
    sites = border.sites("20")
    assert [site.code for site in sites] == ["BG-20-CMA", "BG-20-TTH"]
    assert border.devices(sites, 1) == [device for device in DEVICES if device.site in {site.code for site in sites}]
    with pytest.raises(BorderError, match="province 99 has no site in the demo's data; there are 04, 08"):
        border.sites("99")


def test_a_further_device_is_numbered_on() -> None:
    (more,) = border.numbered(SITES[0], ["kiosk"], DEVICES, note=" (thật)")
    assert more.name not in {device.name for device in DEVICES}
    assert more.title_vi.endswith("Hoành Mô (thật)")


def test_contents_speak_the_neighbours_language() -> None:
    by_site = {device.site: device for device in DEVICES}
    for code, language in (("BG-20-CMA", "zh"), ("BG-38-TTA", "lo"), ("BG-91-GTH", "km")):
        device = by_site[code]
        assert device.languages == ("vi", "en", language)
        refs = [item.content.ref for item in playlist(device)]
        assert len(set(refs)) == len(refs)
        assert any(f"_{language}." in ref or f"/{language}/" in ref for ref in refs)
        assert all(item.unapproved for item in strangers(device))


# -- stories --------------------------------------------------------------------------------------------------------


class Life:
    """A device's story lived through in no time: the real observer over simulated probes."""

    def __init__(self, device: Device, seed: str) -> None:
        self.now_ms = 1_000_000
        self.begun: list[Scene] = []
        self.player = SimulatedPlayer(
            device, scenes(device, seed), now_ms=lambda: self.now_ms, begun=lambda scene, _: self.begun.append(scene)
        )
        self._system = SimulatedSystem(device, seed, now_ms=lambda: self.now_ms)
        self._observer = Observer(PlaylogSettings(), lambda: Self(Queue(), None, None, 0, 0))

    def live(self, seconds: int) -> list[AnyEvent]:
        drafts: list[Draft] = []
        for second in range(seconds):
            drafts += self._observer.see(self.player.name, self.player.read(), self.now_ms, self.player.interval_s)
            if second % 20 == 0:
                drafts += self._observer.see("system", self._system.read(), self.now_ms, self._system.interval_s)
            drafts += self._observer.tick(self.now_ms)
            self.now_ms += 1_000
        drafts += self._observer.stop(self.now_ms)
        return [_sealed(draft) for draft in drafts]


def _sealed(draft: Draft) -> AnyEvent:
    return msgspec.structs.replace(stamped(draft, Stamp(draft.at_ms, "synced")), seq=1)


def _without_ids(events: list[AnyEvent]) -> list[AnyEvent]:
    return [msgspec.structs.replace(event, play_id=1) if isinstance(event, Play) else event for event in events]


@pytest.fixture(scope="module")
def lives() -> list[AnyEvent]:
    """A quarter of an hour of every device."""
    return [event for device in DEVICES for event in Life(device, "1").live(900)]


def test_every_event_keeps_the_contract(lives: list[AnyEvent]) -> None:
    for event in lives:
        assert decode_event(encode_event(event)) == event


def test_everything_happens_that_the_demo_is_to_show(lives: list[AnyEvent]) -> None:
    plays = [event for event in lives if isinstance(event, Play)]
    assert {play.status for play in plays} == {"running", "success", "interrupted"}
    assert any(play.facts.rendering is False for play in plays), "a stuck video"
    assert any(play.facts.panel == "off" for play in plays), "a dark panel"
    assert any(play.facts.listed is False for play in plays), "a stranger"
    codes = {event.code for event in lives if isinstance(event, Fault)}
    assert (
        {"undervoltage", "video_stuck", "media_failed", "page_load_failed", "screen_disconnected"}
        <= codes
        <= set(CODES)
    )
    assert {event.state for event in lives if isinstance(event, Screen)} == {"active", "asleep", "disconnected"}
    assert not any(isinstance(event, Fault) and event.code == "flapping" for event in lives)


def test_the_same_seed_tells_the_same_story() -> None:
    for device in DEVICES[:6]:
        told = _without_ids(Life(device, "7").live(300))
        assert told == _without_ids(Life(device, "7").live(300))
        assert told != _without_ids(Life(device, "8").live(300))


def test_a_scene_is_seen_at_the_moment_at_which_it_begins() -> None:
    life = Life(DEVICES[0], "1")
    life.player.read()
    began_ms = life.now_ms
    first, second = life.begun[0], next(islice(scenes(DEVICES[0], "1"), 1, None))
    life.now_ms += first.lasts_ms + 700
    looks = [reading for reading in life.player.read() if isinstance(reading, Showing)]
    assert [look.at_ms for look in looks] == [began_ms + first.lasts_ms, life.now_ms]
    assert looks[0].content == second.content


def _acts(device: Device, seed: str, count: int) -> Iterator[AnyEvent]:
    session: sessions.Session | None = None
    rules, at_ms, numbers = sessions.SessionRules(idle_ms=20_000), 0, iter(range(1, 10_000))
    for act in islice(visits(device, seed), count):
        at_ms += act.wait_ms
        for message in act.messages:
            step = sessions.after_message(session, message, at_ms, rules, lambda: next(numbers))
            session = step.session
            yield from map(_sealed, step.drafts)


def test_visitors_use_everything_a_kiosk_has() -> None:
    kiosk = next(device for device in DEVICES if device.kind == "kiosk")
    events = list(_acts(kiosk, "1", 400))
    acts = [event for event in events if isinstance(event, Interaction)]
    assert len(acts) == len(events)
    for event in acts:
        assert decode_event(encode_event(event)) == event
    assert {act.action for act in acts} == {
        "session_start", "language", "page_view", "media_play", "search_used", "qr_shown", "feedback", "session_end",
    }  # fmt: skip
    assert {act.language for act in acts} <= {None, *kiosk.languages}
    assert events == list(_acts(kiosk, "1", 400))


def test_spells_come_and_go_and_are_seeded() -> None:
    def lived(seed: str) -> list[tuple[float, str, bool]]:
        spells = Spells(["a", "b"], random.Random(seed))
        return [(now, *change) for now in range(1_000, 2_000) for change in spells.due(now)]

    changes = lived("1")
    assert changes == lived("1") != lived("2")
    assert changes[0][0] > 1_000
    for name in "ab":
        states = [offline for _, device, offline in changes if device == name]
        assert len(states) > 4
        assert states == [at % 2 == 0 for at in range(len(states))]


@pytest.mark.parametrize(("seconds", "processes"), [(60, 6), (20, 3), (5, 1)])
def test_what_is_killed(seconds: int, processes: int) -> None:
    plan = kills(seconds, processes, random.Random(1))
    assert plan == sorted(plan) == kills(seconds, processes, random.Random(1))
    assert all(0 < kill.at_s < seconds for kill in plan)
    counts = Counter(kill.target for kill in plan)
    assert (counts["broker"], counts["hub"], counts["database"]) == (1, 1, 1)
    times = Counter(kill.process for kill in plan if kill.target == "agents")
    assert len(times) >= processes / 3
    assert all(count > 1 for count in times.values())
    assert set(times) <= set(range(processes))


def test_some_ten_devices_a_process() -> None:
    parts = split(DEVICES)
    assert sorted(device.name for part in parts for device in part) == sorted(device.name for device in DEVICES)
    assert max(map(len, parts)) <= 10
    assert len(split(DEVICES[:5])) == MIN_PROCESSES
    assert [len(part) for part in split(DEVICES[:2])] == [1, 1]


# -- a process of it --------------------------------------------------------------------------------------------------


def test_a_process_ends_with_its_parent_and_goes_on_over_its_folders(tmp_path: Path) -> None:
    devices = DEVICES[:2]
    for device in devices:
        Place(tmp_path, device.name).password_file.write_text("none")
    part = Part(root=str(tmp_path), broker_port=free_port(), seed="1", devices=devices)
    for _ in range(2):
        child = subprocess.Popen(
            [sys.executable, "-m", "simulator.fleet_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROJECT,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(msgspec.json.encode(part) + b"\n")
        child.stdin.flush()
        report = msgspec.json.decode(child.stdout.readline(), type=Report)
        assert (report.online, report.failures) == (0, [])
        child.stdin.close()
        assert child.wait(30) == 0
        child.stdout.close()
    for device in devices:
        records = list(read(Place(tmp_path, device.name).journal))
        assert sum(isinstance(record, Opened) for record in records) == 2
        assert len({record.stream for record in records if isinstance(record, Accepted)}) == 2
