"""Known is only what the stored events tell; whatever is unknown has a reason.

The properties look at a simulated device: it plays one content all the time it runs, tells of it slice by slice, loses
power at any moment, and of what it told any part may be stored, lost or still under way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.ranges import RangeSet
from hub import strings
from hub.compliance.coverage import (
    REASONS,
    Coverage,
    CoverageRules,
    Heard,
    Life,
    Missing,
    Presence,
    Seen,
    coverage,
    heard_of,
    missing_of,
)
from hub.compliance.intervals import Interval, Intervals

RULES = CoverageRules(heartbeat_ms=10, missed_beats=1, reach_ms=20)
BEGINNINGS = replace(RULES, reach_ms=0)
DAY = Interval(0, 200)


def reasons(covered: Coverage) -> list[tuple[int, int, set[str]]]:
    return [(piece.begin_ms, piece.end_ms, set(piece.reasons)) for piece in covered.unknown]


def steady(first: int, last: int, step: int = 10, seq: int = 1) -> list[Seen]:
    return [Seen(seq + at, time) for at, time in enumerate(range(first, last + 1, step))]


def seen(*streams: list[Seen], rules: CoverageRules = BEGINNINGS) -> Heard:
    return heard_of({f"s{at}": events for at, events in enumerate(streams)}, rules)


def test_a_device_that_speaks_all_day_is_known_all_day() -> None:
    covered = coverage(DAY, seen(steady(-10, 210)), [], [], BEGINNINGS)
    assert covered == Coverage(Intervals.between(*DAY), ())


def test_the_tolerance_is_the_beats_that_may_be_missed_and_half_of_one() -> None:
    assert RULES.tolerance_ms == 25
    for gap, known in [(25, True), (26, False)]:
        covered = coverage(Interval(0, 20), seen([Seen(1, 0), Seen(2, gap)]), [], [], BEGINNINGS)
        assert bool(covered.known) == known


def test_silence() -> None:
    events = [*steady(0, 50), *steady(100, 200, seq=7)]
    assert reasons(coverage(DAY, seen(events), [], [], BEGINNINGS)) == [(50, 100, {"silence"})]
    assert reasons(coverage(DAY, seen(events, rules=RULES), [], [], RULES))[0] == (30, 100, {"silence"})


def test_between_two_streams_nobody_looked_however_short_it_was() -> None:
    covered = coverage(DAY, seen(steady(0, 50), steady(55, 205)), [], [], BEGINNINGS)
    assert reasons(covered) == [(50, 55, {"silence"})]


def test_before_the_first_event_of_all_nothing_is_known() -> None:
    assert reasons(coverage(DAY, seen(steady(5, 205)), [], [], BEGINNINGS)) == [(0, 5, {"silence"})]


def test_late() -> None:
    assert reasons(coverage(DAY, seen(steady(0, 150)), [], [], BEGINNINGS)) == [(150, 200, {"late"})]
    assert reasons(coverage(DAY, seen(steady(0, 150), rules=RULES), [], [], RULES)) == [(130, 200, {"late"})]


def test_just_after_the_end_is_too_early_to_know_the_end() -> None:
    """The slice that tells of it may come as late as `reach_ms` after it."""
    assert reasons(coverage(DAY, seen(steady(0, 210), rules=RULES), [], [], RULES)) == [(190, 200, {"late"})]


def test_no_event_at_all_is_late() -> None:
    assert reasons(coverage(DAY, seen(), [], [], RULES)) == [(0, 200, {"late"})]


def test_a_device_that_is_connected_and_says_nothing_is_silent() -> None:
    presence = [Presence("online", 20, 140), Presence("offline", 140, 170), Presence("online", 170, 200)]
    covered = coverage(DAY, seen(steady(0, 100), rules=RULES), [], presence, RULES)
    assert reasons(covered) == [
        (80, 125, {"late"}),
        (125, 140, {"late", "silence"}),
        (140, 195, {"late"}),
        (195, 200, {"late", "silence"}),
    ]


@pytest.mark.parametrize("state", ["offline", "unknown"])
def test_what_a_kiosk_off_line_has_stored_is_known_once_it_is_here(state: str) -> None:
    presence = [Presence(state, 0, 200)]  # type: ignore[arg-type]
    assert not coverage(DAY, seen(steady(0, 230), rules=RULES), [], presence, RULES).unknown


def test_holes_and_losses() -> None:
    events = steady(0, 230)
    stored = [event for event in events if event.seq not in {6, 7, 15}]
    missing = missing_of("s0", stored, [(6, 7)], "hole") + missing_of("s0", stored, [(15, 15)], "declared_loss")
    assert missing == [Missing("hole", "s0", (6, 7), 40, 70), Missing("declared_loss", "s0", (15, 15), 130, 150)]
    covered = coverage(DAY, seen(stored), missing, [], BEGINNINGS)
    assert reasons(covered) == [
        (40, 70, {"hole", "silence"}),
        (70, 71, {"hole"}),
        (130, 151, {"declared_loss"}),
    ]
    assert covered.doubt == Intervals.of([(40, 71), (130, 151)])
    assert covered.known == Intervals.of([(0, 40), (71, 130), (151, 200)])


def test_a_hole_counts_however_short_it_is() -> None:
    missing = [Missing("hole", "s0", (6, 6), 50, 50)]
    assert reasons(coverage(DAY, seen(steady(0, 230), rules=RULES), missing, [], RULES)) == [(30, 51, {"hole"})]


def test_a_hole_between_times_that_go_backwards() -> None:
    missing = [Missing("hole", "s0", (6, 6), 80, 50)]
    assert reasons(coverage(DAY, seen(steady(0, 230)), missing, [], BEGINNINGS)) == [(50, 81, {"hole"})]


def test_the_first_numbers_of_a_stream_lie_after_the_stream_before() -> None:
    heard = seen(steady(0, 90), steady(100, 230, seq=4))
    missing = [Missing("hole", "s1", (1, 3), None, 100)]
    assert reasons(coverage(DAY, heard, missing, [], BEGINNINGS)) == [
        (90, 100, {"hole", "silence"}),
        (100, 101, {"hole"}),
    ]


def test_the_last_numbers_of_a_stream_lie_before_the_stream_after() -> None:
    heard = seen(steady(0, 90), steady(100, 230))
    missing = [Missing("declared_loss", "s0", (11, 12), 90, None)]
    assert reasons(coverage(DAY, heard, missing, [], BEGINNINGS)) == [
        (90, 100, {"declared_loss", "silence"}),
        (100, 101, {"declared_loss"}),
    ]


def test_without_a_neighbour_the_whole_time_is_in_doubt() -> None:
    heard = seen(steady(0, 230))
    assert reasons(coverage(DAY, heard, [Missing("hole", "s0", (1, 3), None, 50)], [], BEGINNINGS)) == [
        (0, 51, {"hole"})
    ]
    assert reasons(coverage(DAY, heard, [Missing("hole", "s0", (30, 31), 150, None)], [], BEGINNINGS)) == [
        (150, 200, {"hole"})
    ]


def test_a_stream_that_is_lost_as_a_whole_lies_between_the_others() -> None:
    heard = seen(steady(0, 90), steady(100, 230))
    missing = [Missing("declared_loss", "gone", (1, 99), None, None)]
    assert reasons(coverage(DAY, heard, missing, [], BEGINNINGS)) == [(90, 100, {"declared_loss", "silence"})]


def test_a_stream_that_overlaps_bounds_nothing() -> None:
    """Two agents under one name: what one of them did not tell may lie anywhere."""
    heard = seen(steady(0, 230), steady(100, 230, seq=4))
    assert reasons(coverage(DAY, heard, [Missing("hole", "s1", (1, 3), None, 100)], [], BEGINNINGS)) == [
        (0, 101, {"hole"})
    ]
    heard = seen(steady(0, 120), steady(50, 230))
    assert reasons(coverage(DAY, heard, [Missing("hole", "s0", (14, 15), 120, None)], [], BEGINNINGS)) == [
        (120, 200, {"hole"})
    ]


def test_a_stream_s_only_event_does_not_bound_it_on_both_sides() -> None:
    heard = seen(steady(0, 90), steady(100, 100, seq=4), steady(110, 230))
    missing = [Missing("hole", "s1", (1, 3), None, 100), Missing("declared_loss", "s1", (5, 6), 100, None)]
    assert reasons(coverage(DAY, heard, missing, [], BEGINNINGS)) == [
        (90, 100, {"hole", "silence"}),
        (100, 101, {"hole", "declared_loss", "silence"}),
        (101, 110, {"declared_loss", "silence"}),
        (110, 111, {"declared_loss"}),
    ]


def test_what_is_missing_elsewhere_does_not_matter() -> None:
    missing = [
        Missing("hole", "s0", (1, 3), -100, -50),
        Missing("hole", "s0", (1, 3), None, -50),
        Missing("hole", "s0", (90, 91), 300, 400),
        Missing("hole", "s0", (90, 91), 300, None),
    ]
    assert not coverage(DAY, seen(steady(0, 230), rules=RULES), missing, [], RULES).unknown


@pytest.mark.parametrize("wrong", [{"heartbeat_ms": 0}, {"missed_beats": -1}, {"reach_ms": -1}])
def test_rules_that_nobody_could_mean(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        CoverageRules(**wrong)


def test_every_reason_has_a_label() -> None:
    assert tuple(strings.UNKNOWN_REASONS) == REASONS


# -- a simulated device ------------------------------------------------------------------------------------------


class Told(NamedTuple):
    """An event as the kiosk made it: its slice tells of the time since `since_ms`, if it is one."""

    event: Seen
    since_ms: int | None


@dataclass(frozen=True)
class World:
    """What the kiosk told in each stream, and which numbers of it are stored or declared lost."""

    told: dict[str, list[Told]]
    stored: dict[str, frozenset[int]]
    lost: dict[str, frozenset[int]]

    def seen(self) -> dict[str, list[Seen]]:
        return {s: [one.event for one in told if one.event.seq in self.stored[s]] for s, told in self.told.items()}

    def missing(self) -> list[Missing]:
        found: list[Missing] = []
        for stream, events in self.seen().items():
            stored, lost = RangeSet.of(self.stored[stream]), RangeSet.of(self.lost[stream])
            lost = lost.minus(stored)
            high = max(self.stored[stream] | self.lost[stream], default=0)
            holes = RangeSet([(1, high)] if high else []).minus(stored).minus(lost)
            found += missing_of(stream, events, holes, "hole")
            found += missing_of(stream, events, lost, "declared_loss")
        return found

    def slices(self) -> Intervals:
        """The time that stored slices tell of."""
        return Intervals.of(
            (one.since_ms, one.event.time_ms)
            for stream, told in self.told.items()
            for one in told
            if one.since_ms is not None and one.event.seq in self.stored[stream]
        )

    def covered(self, span: Interval, presence: list[Presence], rules: CoverageRules) -> Coverage:
        return coverage(span, heard_of(self.seen(), rules), self.missing(), presence, rules)


# Off for how long, then: every so many ms an event, and whether it is a slice.
RUNS = st.lists(
    st.tuples(st.integers(1, 60), st.lists(st.tuples(st.integers(0, 10), st.booleans()), max_size=12)), max_size=4
)


def lived(runs: list[tuple[int, list[tuple[int, bool]]]]) -> dict[str, list[Told]]:
    """A stream begins with a slice of no duration; none is longer than RULES.reach_ms."""
    now_ms, streams = 0, {}
    for number, (off_ms, steps) in enumerate(runs):
        now_ms += off_ms
        told = [Told(Seen(1, now_ms), now_ms)]
        since_ms = now_ms
        for step_ms, wanted in steps:
            now_ms += step_ms
            is_slice = wanted or now_ms + 10 - since_ms > RULES.reach_ms
            told.append(Told(Seen(len(told) + 1, now_ms), since_ms if is_slice else None))
            since_ms = now_ms if is_slice else since_ms
        streams[f"s{number}"] = told
    return streams


@st.composite
def worlds(draw: st.DrawFn, *, whole: bool = False) -> World:
    told = lived(draw(RUNS))
    fates = st.sampled_from(["stored"] if whole else ["stored", "stored", "stored", "stored", "away", "lost"])
    fate = {stream: [draw(fates) for _ in events] for stream, events in told.items()}
    arrived = {
        stream: len(events) if whole else draw(st.integers(0, len(events) * 2)) for stream, events in told.items()
    }

    def numbers(stream: str, wanted: str) -> frozenset[int]:
        fates_here = fate[stream][: arrived[stream]]
        return frozenset(seq for seq, its in enumerate(fates_here, 1) if its == wanted)

    return World(told, {s: numbers(s, "stored") for s in told}, {s: numbers(s, "lost") for s in told})


MOMENTS = st.integers(-10, 400)
ASKED = st.tuples(MOMENTS, MOMENTS).map(lambda ends: Interval(min(ends), max(ends)))
PRESENCE = st.lists(
    st.builds(Presence, st.sampled_from(["online", "offline", "unknown"]), MOMENTS, MOMENTS), max_size=4
)
MANY = settings(max_examples=400, deadline=None)


@MANY
@given(worlds(), ASKED, PRESENCE)
def test_in_known_time_stored_slices_tell_every_moment(world: World, span: Interval, presence: list[Presence]) -> None:
    known = world.covered(span, presence, RULES).known
    assert not known.minus(world.slices())


@MANY
@given(worlds(), ASKED, PRESENCE)
def test_in_known_time_every_event_is_stored(world: World, span: Interval, presence: list[Presence]) -> None:
    known = world.covered(span, presence, BEGINNINGS).known
    for stream, told in world.told.items():
        for event, _ in told:
            assert event.seq in world.stored[stream] or event.time_ms not in known


@MANY
@given(worlds(), ASKED, PRESENCE)
def test_known_and_unknown_part_the_span(world: World, span: Interval, presence: list[Presence]) -> None:
    covered = world.covered(span, presence, RULES)
    assert covered.known.union(covered.doubt) == Intervals.between(*span)
    assert not covered.known.common(covered.doubt)
    assert all(piece.reasons and piece.begin_ms < piece.end_ms for piece in covered.unknown)
    for left, right in pairwise(covered.unknown):
        assert left.end_ms < right.begin_ms or (left.end_ms == right.begin_ms and left.reasons != right.reasons)


@MANY
@given(worlds(whole=True), ASKED)
def test_where_nothing_is_missing_all_but_the_ends_of_runs_is_known(world: World, span: Interval) -> None:
    lives = heard_of(world.seen(), RULES).lives
    expected = Intervals.of((life.first_ms, life.last_ms - RULES.reach_ms) for life in lives).within(*span)
    covered = world.covered(span, [], RULES)
    assert covered.known == expected
    assert {reason for piece in covered.unknown for reason in piece.reasons} <= {"silence", "late"}


@MANY
@given(worlds(), ASKED, st.data())
def test_what_arrives_never_makes_known_time_unknown(world: World, span: Interval, data: st.DataObject) -> None:
    away = [
        (s, one.event.seq) for s, told in world.told.items() for one in told if one.event.seq not in world.stored[s]
    ]
    if not away:
        return
    stream, seq = data.draw(st.sampled_from(away))
    after = replace(world, stored=world.stored | {stream: world.stored[stream] | {seq}})
    assert not world.covered(span, [], RULES).known.minus(after.covered(span, [], RULES).known)


@given(worlds(), ASKED, PRESENCE)
def test_presence_changes_reasons_only(world: World, span: Interval, presence: list[Presence]) -> None:
    with_it, without = world.covered(span, presence, RULES), world.covered(span, [], RULES)
    assert with_it.known == without.known
    assert [piece for piece in with_it.unknown if "late" not in piece.reasons] == [
        piece for piece in without.unknown if "late" not in piece.reasons
    ]


@given(worlds(), ASKED)
def test_ready_made_runs_say_the_same(world: World, span: Interval) -> None:
    """As SQL would make them: pairs of neighbours in a stream, and each stream's first and last."""
    pairs = [
        (left.time_ms, right.time_ms)
        for events in world.seen().values()
        for left, right in pairwise(events)
        if right.time_ms - left.time_ms <= RULES.tolerance_ms
    ]
    lives = tuple(Life(s, events[0].time_ms, events[-1].time_ms) for s, events in world.seen().items() if events)
    ready = Heard(Intervals.of(pairs), lives)
    assert coverage(span, ready, world.missing(), [], RULES) == world.covered(span, [], RULES)
