"""Rule by rule: what looks at players and screens become."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from contract.events import Facts, Fault, Play, Screen
from edge_agent.draft import Draft
from edge_agent.observation import Content, ScreenPower, Showing
from edge_agent.playlog import Playlog, PlaylogSettings, play_ids, stale_ms

A, B = Content("a.mp4"), Content("b.mp4")
SEEN = Facts(listed=True, reported=True, rendering=True)
UNSEEN = Facts()
STOOD = Facts(listed=True, reported=True, rendering=False)
SHA, OTHER_SHA = "a" * 64, "b" * 64


def look(at_s: float, content: Content | None = A, **fields: Any) -> Showing:
    facts = {"listed": True, "reported": True, "rendering": True}
    names = {"screen": "main", "player": "mpv"}
    return Showing(at_ms=round(at_s * 1000), content=content, **{**names, **facts, **fields})


def power(at_s: float, *, panel_on: bool | None = None, **fields: Any) -> ScreenPower:
    return ScreenPower(at_ms=round(at_s * 1000), panel_on=panel_on, **{"screen": "main", "state": "active", **fields})


def playlog(**settings: int) -> Playlog:
    return Playlog(count(1).__next__, PlaylogSettings(**settings))


def after(log: Playlog, *readings: Showing | ScreenPower) -> list[Draft]:
    return [draft for reading in readings for draft in log.see(reading)]


def looks(first_s: int, last_s: int, **fields: Any) -> list[Showing]:
    """One look every two seconds."""
    return [look(at_s, **fields) for at_s in range(first_s, last_s + 1, 2)]


def plays(drafts: list[Draft]) -> list[tuple[int, int, float, str, Facts]]:
    """Play id, slice, duration in s, status, facts."""
    return [
        (event.play_id, event.slice, event.duration_ms / 1000, event.status, event.facts)
        for event in (draft.event for draft in drafts)
        if isinstance(event, Play)
    ]


def at_s(drafts: list[Draft]) -> list[float]:
    return [draft.at_ms / 1000 for draft in drafts]


def test_first_look_opens_a_play_with_the_facts_as_seen() -> None:
    (draft,) = playlog().see(look(5, Content("a.mp4", SHA)))
    assert draft.at_ms == 5_000
    event = draft.event
    assert isinstance(event, Play)
    assert (event.content_ref, event.content_sha256, event.screen, event.player) == ("a.mp4", SHA, "main", "mpv")
    assert plays([draft]) == [(1, 0, 0, "running", SEEN)]


def test_nothing_shown_is_no_play() -> None:
    assert after(playlog(), look(1, None), look(3, None)) == []


def test_one_slice_every_five_minutes() -> None:
    drafts = after(playlog(), *looks(0, 700))
    assert plays(drafts) == [(1, 0, 0, "running", SEEN), (1, 1, 300, "running", SEEN), (1, 2, 300, "running", SEEN)]
    assert at_s(drafts) == [0, 300, 600]


def test_interval_of_slices_can_be_set() -> None:
    assert at_s(after(playlog(slice_s=10), *looks(0, 30))) == [0, 10, 20, 30]


def test_change_of_facts_closes_the_old_time_and_opens_the_new() -> None:
    drafts = after(playlog(), look(0), look(2), look(4, rendering=False), look(6, rendering=False))
    assert plays(drafts) == [(1, 0, 0, "running", SEEN), (1, 1, 4, "running", SEEN), (1, 2, 0, "running", STOOD)]


def test_change_of_facts_starts_the_five_minutes_anew() -> None:
    drafts = after(playlog(slice_s=10), *looks(0, 4), *looks(6, 16, rendering=False))
    assert at_s(drafts) == [0, 6, 6, 16]


def test_another_content_ends_the_play_well() -> None:
    drafts = after(playlog(), look(0), look(2), look(4, B))
    assert plays(drafts) == [(1, 0, 0, "running", SEEN), (1, 1, 4, "success", SEEN), (2, 0, 0, "running", SEEN)]


@pytest.mark.parametrize("content", [B, None])
def test_play_ends_as_the_player_says(content: Content | None) -> None:
    drafts = after(playlog(), look(0), look(2, content, ended="content_failure"))
    assert plays(drafts)[1] == (1, 1, 2, "content_failure", SEEN)


def test_running_is_no_end() -> None:
    assert plays(after(playlog(), look(0), look(2, None, ended="running")))[-1][3] == "success"


def test_nothing_shown_ends_the_play_and_the_same_content_begins_another() -> None:
    drafts = after(playlog(), look(0), look(2, None), look(4, None), look(6))
    assert [row[:4] for row in plays(drafts)] == [(1, 0, 0, "running"), (1, 1, 2, "success"), (2, 0, 0, "running")]


def test_each_turn_of_a_loop_is_a_play() -> None:
    drafts = after(playlog(), look(0, turn=1), look(2, turn=1), look(4, turn=2))
    assert [row[:4] for row in plays(drafts)] == [(1, 0, 0, "running"), (1, 1, 4, "success"), (2, 0, 0, "running")]


def test_turns_counted_anew_by_the_probe_go_on_with_the_play() -> None:
    drafts = after(playlog(), look(0, turn=7), look(2, turn=0), look(4, turn=1))
    assert [row[:4] for row in plays(drafts)] == [(1, 0, 0, "running"), (1, 1, 4, "success"), (2, 0, 0, "running")]


def test_hash_found_while_playing_cuts_the_same_play() -> None:
    drafts = after(playlog(), look(0), look(2, Content("a.mp4", SHA)), look(4))
    hashes = [(draft.event.play_id, draft.event.content_sha256) for draft in drafts if isinstance(draft.event, Play)]
    assert hashes == [(1, None), (1, None), (1, SHA)]


def test_other_bytes_under_the_same_name_are_another_play() -> None:
    drafts = after(playlog(), look(0, Content("a.mp4", SHA)), look(2, Content("a.mp4", OTHER_SHA)))
    assert [row[:2] for row in plays(drafts)] == [(1, 0), (1, 1), (2, 0)]


def test_stop_ends_all_plays_at_their_last_look() -> None:
    log = playlog()
    after(log, look(0), look(0, B, player="chromium"), look(2), look(2, B, player="chromium"))
    drafts = log.stop(3_000)
    assert [row[2:4] for row in plays(drafts)] == [(2, "interrupted"), (2, "interrupted")]
    assert at_s(drafts) == [2, 2]
    assert log.stop(4_000) == log.tick(60_000) == []


class TestUnseen:
    def test_time_since_the_last_look_becomes_unknown_then_the_play_ends(self) -> None:
        log = playlog()
        after(log, *looks(0, 4))
        assert log.tick(10_000) == []
        drafts = log.tick(10_001)
        assert plays(drafts) == [(1, 1, 4, "running", SEEN), (1, 2, 0, "running", UNSEEN)]
        assert at_s(drafts) == [4, 4]
        assert log.tick(18_999) == []
        drafts = log.tick(19_000)
        assert plays(drafts) == [(1, 3, 15, "interrupted", UNSEEN)]
        assert at_s(drafts) == [19]

    def test_a_late_tick_tells_the_same(self) -> None:
        log = playlog()
        after(log, *looks(0, 4))
        drafts = log.tick(3_000_000_000)
        assert plays(drafts)[1:] == [(1, 2, 0, "running", UNSEEN), (1, 3, 15, "interrupted", UNSEEN)]
        assert at_s(drafts) == [4, 4, 19]

    def test_a_player_seen_again_in_time_goes_on_with_its_play(self) -> None:
        log = playlog()
        drafts = after(log, look(0), look(2), look(12), look(14), look(16, None))
        assert plays(drafts)[1:] == [
            (1, 1, 2, "running", SEEN),
            (1, 2, 0, "running", UNSEEN),
            (1, 3, 10, "running", UNSEEN),
            (1, 4, 0, "running", SEEN),
            (1, 5, 4, "success", SEEN),
        ]

    def test_a_player_seen_again_too_late_begins_another(self) -> None:
        drafts = after(playlog(), look(0), look(2), look(17))
        assert plays(drafts)[-2:] == [(1, 3, 15, "interrupted", UNSEEN), (2, 0, 0, "running", SEEN)]

    def test_an_end_that_nobody_saw_is_no_success(self) -> None:
        assert plays(after(playlog(), look(0), look(12, B)))[-2:] == [
            (1, 2, 12, "interrupted", UNSEEN),
            (2, 0, 0, "running", SEEN),
        ]

    def test_a_late_look_never_overlaps_the_play_that_ended(self) -> None:
        log = playlog()
        after(log, look(0))
        log.tick(15_000)
        assert at_s(log.see(look(14))) == [15]

    def test_stop_of_an_unseen_player_tells_its_time_as_unknown(self) -> None:
        log = playlog()
        after(log, look(0))
        assert plays(log.stop(9_000)) == [(1, 1, 0, "running", UNSEEN), (1, 2, 9, "interrupted", UNSEEN)]

    def test_a_slow_probe_is_waited_for(self) -> None:
        log = playlog()
        log.see(look(0), look_s=10)
        assert log.tick(30_000) == []
        assert [row[2:4] for row in plays(log.tick(30_001))] == [(0, "running"), (30, "interrupted")]

    def test_three_looks_but_never_less_than_five_seconds(self) -> None:
        assert [stale_ms(look_s) for look_s in (0.2, 2, 10, 10**9)] == [5_000, 6_000, 30_000, 1_800_000]


class TestPanel:
    def facts(self, panel: Any) -> Facts:
        return Facts(listed=True, reported=True, rendering=True, panel=panel)

    def test_first_look_at_a_screen_and_each_change_is_an_event(self) -> None:
        log = playlog()
        drafts = after(
            log,
            power(0, brightness=80),
            power(2, brightness=80),
            power(4, brightness=40),
            power(6, state="asleep", brightness=40, panel_on=False),
            power(8, state="asleep", brightness=40, panel_on=False, volume=5),
        )
        events = [draft.event for draft in drafts]
        assert [(e.state, e.brightness, e.volume) for e in events if isinstance(e, Screen)] == [
            ("active", 80, None),
            ("active", 40, None),
            ("asleep", 40, None),
            ("asleep", 40, 5),
        ]
        assert at_s(drafts) == [0, 4, 6, 8]

    @pytest.mark.parametrize(("panel_on", "panel"), [(True, "on"), (False, "off"), (None, "unknown")])
    def test_a_play_carries_the_panel_of_its_screen(self, panel_on: bool | None, panel: str) -> None:
        drafts = after(playlog(), power(0, panel_on=panel_on), power(0, screen="led", panel_on=True), look(1))
        assert plays(drafts) == [(1, 0, 0, "running", self.facts(panel))]

    def test_a_change_between_two_looks_is_told_exactly_with_the_second(self) -> None:
        log = playlog()
        after(log, power(0, panel_on=True), look(0), power(2, panel_on=True), look(2))
        assert after(log, power(3, panel_on=False)) == []
        drafts = after(log, look(4))
        assert plays(drafts) == [(1, 1, 3, "running", self.facts("on")), (1, 2, 0, "running", self.facts("off"))]
        assert at_s(drafts) == [3, 3]

    def test_a_change_after_the_last_look_of_a_hung_player(self) -> None:
        log = playlog()
        after(log, power(0, panel_on=True), look(0), power(2, panel_on=True), look(2), power(4, panel_on=False))
        drafts = log.tick(9_000)
        assert plays(drafts) == [
            (1, 1, 2, "running", self.facts("on")),
            (1, 2, 0, "running", Facts(panel="on")),
            (1, 3, 2, "running", Facts(panel="on")),
            (1, 4, 0, "running", Facts(panel="off")),
        ]

    def test_a_screen_no_longer_seen_is_unknown_since_its_last_look(self) -> None:
        log = playlog()
        drafts = after(log, power(0, panel_on=True), look(0), look(2), power(2, panel_on=True), look(4), look(9))
        assert plays(drafts)[1:] == [
            (1, 1, 2, "running", self.facts("on")),
            (1, 2, 0, "running", self.facts("unknown")),
        ]

    def test_other_screens_are_left_alone(self) -> None:
        log = playlog()
        after(log, look(0), look(0, screen="led"), look(2), look(2, screen="led"))
        drafts = after(log, power(2, screen="led", panel_on=False))
        assert [draft.event.screen for draft in drafts if isinstance(draft.event, Play)] == ["led", "led"]


class TestFlapping:
    def flaps(self, until_s: int) -> list[Showing]:
        return [look(at_s, rendering=at_s % 4 != 0) for at_s in range(2, until_s + 1, 2)]

    def faults(self, drafts: list[Draft]) -> list[Fault]:
        return [draft.event for draft in drafts if isinstance(draft.event, Fault)]

    def test_too_many_changes_are_told_at_their_weakest_and_reported_once(self) -> None:
        drafts = after(playlog(), *self.flaps(300))
        (fault,) = self.faults(drafts)
        assert (fault.code, fault.component) == ("flapping", "mpv")
        assert "a.mp4" in fault.reason
        assert len(plays(drafts)) == 1 + 2 * 13
        assert plays(drafts)[-1][4] == STOOD

    def test_time_of_flapping_is_told_under_the_weakest_facts(self) -> None:
        log = playlog()
        drafts = after(log, *self.flaps(200), look(202, None))
        assert sum(row[2] for row in plays(drafts)) == 200
        assert plays(drafts)[-1][2:] == (174, "success", STOOD)

    def test_once_calm_facts_are_told_as_seen(self) -> None:
        log = playlog()
        drafts = after(log, *self.flaps(100), *looks(102, 200))
        closed, opened = plays(drafts)[-2:]
        assert (closed[4], opened[2], opened[4]) == (STOOD, 0, SEEN)
        assert at_s(drafts)[-1] <= 162

    def test_flapping_anew_within_an_hour_is_not_reported_again(self) -> None:
        log = playlog()
        drafts = after(log, *self.flaps(100), *looks(102, 200))
        again = [look(at_s, rendering=at_s % 4 != 0) for at_s in range(202, 302, 2)]
        assert len(self.faults(drafts + after(log, *again))) == 1

    def test_time_that_nobody_saw_stays_unknown_while_flapping(self) -> None:
        log = playlog()
        after(log, *self.flaps(100))
        assert plays(after(log, look(110)))[-1][4] == UNSEEN


def test_players_and_screens_are_independent() -> None:
    log = playlog()
    drafts = after(
        log, look(0), look(0, B, player="chromium"), look(0, screen="led"), look(2, None), look(2, screen="led")
    )
    assert [
        (draft.event.play_id, draft.event.player, draft.event.screen)
        for draft in drafts
        if isinstance(draft.event, Play)
    ] == [
        (1, "mpv", "main"),
        (2, "chromium", "main"),
        (3, "mpv", "led"),
        (1, "mpv", "main"),
    ]


def test_time_that_runs_back_is_clamped() -> None:
    drafts = after(playlog(), look(10), look(4, rendering=False), look(2, None))
    assert [(row[1], row[2]) for row in plays(drafts)] == [(0, 0), (1, 0), (2, 0)]
    assert at_s(drafts) == [10, 10, 10]


class TestPlayIds:
    def test_consecutive_from_a_random_start(self) -> None:
        next_id = play_ids(lambda bits: 5)
        assert [next_id(), next_id()] == [(5 << 20) + 1, (5 << 20) + 2]

    def test_a_new_start_once_the_numbers_are_used_up(self) -> None:
        starts = iter([0, 7])
        next_id = play_ids(lambda bits: next(starts))
        ids = [next_id() for _ in range(1 << 20)]
        assert (ids[0], ids[-2], ids[-1]) == (1, (1 << 20) - 1, (7 << 20) + 1)

    def test_all_within_what_every_json_reader_keeps_exact(self) -> None:
        assert play_ids(lambda bits: 2**bits - 1)() < 2**53
        assert play_ids()() >= 1
