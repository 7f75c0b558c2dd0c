"""What holds of every history: exact sums, numbers without holes, and no claim that no look made."""

from __future__ import annotations

from collections import defaultdict
from itertools import count, pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.codec import encode_event
from contract.events import Play
from edge_agent.clock import Stamp
from edge_agent.draft import Draft, stamped
from edge_agent.observation import Content, ScreenPower, Showing
from edge_agent.playlog import Playlog, PlaylogSettings, stale_ms

STALE_MS = stale_ms(2.0)
Tick = int
Step = Showing | ScreenPower | Tick
Track = tuple[str, str]

MAYBE = st.sampled_from([True, True, False, None])
CONTENTS = st.sampled_from(
    [None, Content("a.mp4"), Content("a.mp4", "a" * 64), Content("a.mp4", "b" * 64), Content("b")]
)
LOOKS = st.builds(
    Showing,
    at_ms=st.just(0),
    screen=st.sampled_from(["main", "led"]),
    player=st.sampled_from(["mpv", "chromium"]),
    content=CONTENTS,
    turn=st.integers(0, 1),
    listed=MAYBE,
    reported=MAYBE,
    rendering=MAYBE,
    ended=st.sampled_from([None, "running", "success", "content_failure"]),
)
STEADY = st.builds(
    Showing,
    at_ms=st.just(0),
    screen=st.just("main"),
    player=st.just("mpv"),
    content=st.just(Content("a.mp4")),
    reported=MAYBE,
    rendering=st.booleans(),
)
POWERS = st.builds(
    ScreenPower,
    at_ms=st.just(0),
    screen=st.sampled_from(["main", "led"]),
    state=st.sampled_from(["active", "asleep"]),
    panel_on=MAYBE,
    brightness=st.sampled_from([None, 50]),
)
ACTIONS = st.one_of(LOOKS, STEADY, STEADY, POWERS, st.just(0))
FORWARD = st.sampled_from([0, 1, 400, 1_000, 2_000, 2_000, 2_000, 5_001, 7_000, 15_000, 400_000])
ANYWHERE = FORWARD | st.sampled_from([-1, -3_000, -600_000, 2**40])


QUICK = st.sampled_from([500, 1_000, 1_000, 2_000, 6_500])
RESTLESS = st.one_of(STEADY, STEADY, STEADY, POWERS.map(lambda power: msgspec.structs.replace(power, screen="main")))


@st.composite
def histories(
    draw: st.DrawFn, gaps: st.SearchStrategy[int] = FORWARD, actions: st.SearchStrategy[Step] = ACTIONS, least: int = 0
) -> list[Step]:
    """Looks, screens and ticks, each some time after (or before) the one drawn before it."""
    now_ms, history = 1_000_000, list[Step]()
    for gap, action in draw(st.lists(st.tuples(gaps, actions), min_size=least, max_size=60)):
        now_ms = max(now_ms + gap, 0)
        history.append(now_ms if isinstance(action, int) else msgspec.structs.replace(action, at_ms=now_ms))
    return history


FLAPPING = histories(QUICK, RESTLESS, least=30)


def play_through(history: list[Step], *, ticks: bool = True) -> list[Draft]:
    log = Playlog(count(1).__next__, PlaylogSettings(slice_s=10, flapping_cuts=4))
    drafts, last_ms = list[Draft](), 0
    for step in history:
        last_ms = max(last_ms, step if isinstance(step, int) else step.at_ms)
        if not isinstance(step, int):
            drafts += log.see(step)
        elif ticks:
            drafts += log.tick(step)
    return drafts + log.stop(last_ms)


def by_play(drafts: list[Draft]) -> dict[int, list[tuple[int, Play]]]:
    plays = defaultdict[int, list[tuple[int, Play]]](list)
    for draft in drafts:
        if isinstance(draft.event, Play):
            plays[draft.event.play_id].append((draft.at_ms, draft.event))
    return plays


@settings(max_examples=150, deadline=None)
@given(histories(ANYWHERE))
def test_slices_of_a_play_are_whole_and_its_sum_is_its_time(history: list[Step]) -> None:
    for slices in by_play(play_through(history)).values():
        moments = [at_ms for at_ms, _ in slices]
        events = [event for _, event in slices]
        assert [event.slice for event in events] == list(range(len(events)))
        assert [event.status == "running" for event in events] == [True] * (len(events) - 1) + [False]
        assert events[0].duration_ms == 0
        assert [later - before for before, later in pairwise(moments)] == [event.duration_ms for event in events[1:]]
        assert sum(event.duration_ms for event in events) == moments[-1] - moments[0]
        assert all(event.duration_ms >= 0 for event in events)


@settings(max_examples=100, deadline=None)
@given(histories(ANYWHERE))
def test_plays_of_one_player_never_overlap(history: list[Step]) -> None:
    ended_ms: dict[Track, int] = {}
    for slices in by_play(play_through(history)).values():
        (first_ms, opener), (last_ms, _) = slices[0], slices[-1]
        track = (opener.screen, opener.player)
        assert first_ms >= ended_ms.get(track, 0)
        ended_ms[track] = last_ms


@settings(max_examples=100, deadline=None)
@given(histories(ANYWHERE))
def test_every_event_is_of_the_contract(history: list[Step]) -> None:
    for seq, draft in enumerate(play_through(history), start=1):
        event = stamped(draft, Stamp(1_700_000_000_000, "synced"))
        assert event.clock == "synced"
        encode_event(msgspec.structs.replace(event, seq=seq))


@settings(max_examples=150, deadline=None)
@given(histories() | FLAPPING)
def test_facts_are_told_only_of_time_that_looks_speak_for(history: list[Step]) -> None:
    seen = defaultdict[Track, list[Showing]](list)
    for step in history:
        if isinstance(step, Showing):
            seen[step.screen, step.player].append(step)
    for slices in by_play(play_through(history)).values():
        for at_ms, event in slices:
            if event.duration_ms:
                refute(event, at_ms - event.duration_ms, at_ms, seen[event.screen, event.player])


def refute(event: Play, from_ms: int, to_ms: int, looks: list[Showing]) -> None:
    """What is told of this time is what the looks in force said, the time between looks being short enough."""
    spans = [*pairwise(looks), (looks[-1], None)]
    for look, following in spans:
        until_ms = to_ms if following is None else following.at_ms
        if look.at_ms >= to_ms or until_ms <= max(from_ms, look.at_ms):
            continue
        claimed = event.facts.rendering or event.facts.reported or event.facts.listed
        speaks = following is not None and following.at_ms - look.at_ms <= STALE_MS
        assert speaks or not claimed
        assert speaks or event.facts.rendering is None
        for told, said in ((event.facts.rendering, look.rendering), (event.facts.reported, look.reported)):
            assert told is not True or said is True
        assert not speaks or (look.content is not None and look.content.ref == event.content_ref)


@settings(max_examples=100, deadline=None)
@given(histories() | FLAPPING)
def test_a_panel_is_told_as_on_only_while_looks_say_so(history: list[Step]) -> None:
    powers = defaultdict[str, list[ScreenPower]](list)
    for step in history:
        if isinstance(step, ScreenPower):
            powers[step.screen].append(step)
    for slices in by_play(play_through(history)).values():
        for at_ms, event in slices:
            if event.duration_ms and event.facts.panel == "on":
                refute_panel(at_ms - event.duration_ms, at_ms, powers[event.screen])


def refute_panel(from_ms: int, to_ms: int, looks: list[ScreenPower]) -> None:
    assert looks
    assert looks[0].at_ms <= from_ms
    for look, following in [*pairwise(looks), (looks[-1], None)]:
        until_ms = to_ms if following is None else min(to_ms, following.at_ms)
        if until_ms > max(from_ms, look.at_ms):
            assert look.panel_on is True
            assert until_ms - look.at_ms <= STALE_MS


@settings(max_examples=100, deadline=None)
@given(histories() | FLAPPING)
def test_ticks_change_when_things_are_told_not_what(history: list[Step]) -> None:
    with_ticks, without = by_play(play_through(history)), by_play(play_through(history, ticks=False))
    assert with_ticks == without


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=200, max_size=400))
def test_a_flapping_play_costs_few_events(rendering: list[bool]) -> None:
    look = Showing(at_ms=0, screen="main", player="mpv", content=Content("a.mp4"))
    history: list[Step] = [
        msgspec.structs.replace(look, at_ms=at_s * 1_000, rendering=on) for at_s, on in enumerate(rendering)
    ]
    minutes = len(rendering) // 60 + 1
    assert len(play_through(history)) <= 2 + minutes * (2 * 5 + 6 + 2)
