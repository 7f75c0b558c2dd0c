"""`enough` is proven, `too_little` and `not_at_all` are certain, and what could be either is `unknown`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.events import Facts, Play
from hub import strings
from hub.compliance.fulfilment import RESULTS, Fulfilment, Part, Slice, Tally, fulfilments, judge, slice_of
from hub.compliance.intervals import Interval, Intervals
from hub.compliance.local_time import HOUR_MS, day_begin_ms
from hub.compliance.plan import UNITS, LanguageShare, PlanItem, Window, stayed, windows
from hub.compliance.proof import Proof

DAY = date(2026, 3, 2)
MINUTE_MS = 60_000
HOURLY = PlanItem(DAY, DAY, "plays_per_hour", 2, hours=frozenset({7}))
DAILY = PlanItem(DAY, DAY, "plays_per_day", 2, hours=frozenset({7, 9}))
SECONDS = PlanItem(DAY, DAY, "seconds_per_day", 600, hours=frozenset({7, 9}))
NOTHING = Intervals()


def at(clock: float) -> int:
    """The moment of a local clock, as 7.30 for half past seven."""
    hour, minute = divmod(round(clock * 100), 100)
    return day_begin_ms(DAY) + hour * HOUR_MS + minute * MINUTE_MS


def span(begin: float, end: float) -> Interval:
    return Interval(at(begin), at(end))


def play(number: int, begin: float, end: float, proof: Proof = "shown", language: str | None = "vi") -> list[Slice]:
    return [
        Slice(number, 0, span(begin, begin), "open", language),
        Slice(number, 1, span(begin, end), proof, language),
    ]


def of(item: PlanItem, slices: list[Slice], *unknown: Interval) -> Fulfilment:
    (only,) = fulfilments(item, windows(item, DAY, DAY), slices, Intervals.of(unknown))
    return only


def test_enough() -> None:
    found = of(HOURLY, play(1, 7.00, 7.05) + play(2, 7.59, 8.10))
    assert found.result == "enough"
    assert found.total == Part(None, 2, 2, 2)
    assert found.shown_ms == 6 * MINUTE_MS
    assert found.unknown == NOTHING


def test_what_is_proven_counts_in_a_window_with_gaps() -> None:
    found = of(HOURLY, play(1, 7.00, 7.05) + play(2, 7.10, 7.15), span(6.00, 7.00), span(7.20, 9.00))
    assert found.result == "enough"
    assert found.unknown == Intervals.of([span(7.20, 8.00)])


def test_too_little_and_not_at_all_want_full_knowledge() -> None:
    assert of(HOURLY, play(1, 7.00, 7.05)).result == "too_little"
    assert of(HOURLY, []).result == "not_at_all"
    assert of(HOURLY, play(1, 7.00, 7.05), span(7.30, 7.31)).result == "unknown"
    assert of(HOURLY, [], span(7.30, 7.31)).result == "unknown"
    assert of(HOURLY, [], span(6.00, 7.00), span(8.00, 9.00)).result == "not_at_all"


def test_a_gap_too_short_for_what_is_missing_is_no_excuse() -> None:
    item = replace(HOURLY, least=5, shortest_play_ms=10 * MINUTE_MS)
    assert of(item, [], span(7.10, 7.40)).result == "too_little"
    assert of(item, [], span(7.10, 7.51)).result == "unknown"
    assert of(item, [], span(7.10, 7.20), span(7.30, 7.40)).total == Part(None, 5, 0, 2)
    assert of(replace(item, screens=2), [], span(7.10, 7.40)).result == "unknown"


def test_seconds_that_a_gap_cannot_hold() -> None:
    assert of(SECONDS, play(1, 7.00, 7.04), span(9.00, 9.06)).result == "unknown"
    assert of(SECONDS, play(1, 7.00, 7.04), span(9.00, 9.05)).result == "too_little"
    assert of(replace(SECONDS, screens=2), play(1, 7.00, 7.04), span(9.00, 9.03)).result == "unknown"
    assert of(replace(SECONDS, screens=2), play(1, 7.00, 7.04), span(9.00, 9.02)).result == "too_little"
    assert of(SECONDS, play(1, 7.00, 7.10)).result == "enough"
    assert of(SECONDS, play(1, 8.00, 9.00)).result == "not_at_all"


def test_time_counts_where_it_lies() -> None:
    found = of(SECONDS, play(1, 6.50, 9.04))
    assert found.total.shown == found.shown_ms == 64 * MINUTE_MS


def test_a_play_counts_where_it_begins_and_once() -> None:
    item = replace(HOURLY, least=1, hours=frozenset({7, 8}))
    made = fulfilments(item, windows(item, DAY, DAY), play(1, 7.50, 8.20), NOTHING)
    assert [(found.total.shown, found.result) for found in made] == [(1, "enough"), (0, "too_little")]
    assert of(DAILY, play(1, 8.50, 9.10)).total.shown == 0


def test_without_slice_0_nobody_knows_where_it_began() -> None:
    found = of(HOURLY, play(1, 7.00, 7.05)[1:], span(6.55, 7.01))
    assert (found.total.shown, found.result) == (0, "unknown")


def test_a_video_that_was_seen_to_move_only_after_it_began_was_shown() -> None:
    slices = [*play(1, 7.00, 7.01, "open"), Slice(1, 2, span(7.01, 7.04), "shown", "vi")]
    assert of(replace(HOURLY, least=1), slices).result == "enough"


def test_known_not_to_be_shown_and_not_observed() -> None:
    one = replace(HOURLY, least=1)
    black = [Slice(1, 0, span(7.00, 7.00), "not_shown", "vi"), Slice(1, 1, span(7.00, 7.05), "not_shown", "vi")]
    assert of(one, black).result == "not_at_all"
    assert of(one, play(1, 7.00, 7.05, "open")).result == "unknown"
    assert of(replace(SECONDS, least=300), play(1, 7.00, 7.05, "open")).result == "unknown"
    assert of(SECONDS, play(1, 7.00, 7.05, "open")).result == "too_little"


def test_what_followed_in_a_gap_may_prove_it() -> None:
    one = replace(HOURLY, least=1, hours=frozenset({7, 8}))
    black = [Slice(1, 0, span(7.59, 7.59), "not_shown", "vi"), Slice(1, 1, span(7.59, 8.00), "not_shown", "vi")]
    made = fulfilments(one, windows(one, DAY, DAY), black, Intervals.of([span(8.00, 8.10)]))
    assert made[0].result == "unknown"


def test_a_page_that_has_stood_since_yesterday_is_not_nothing() -> None:
    found = of(HOURLY, [Slice(1, 90, span(6.00, 9.00), "shown", "vi")])
    assert (found.result, found.shown_ms) == ("too_little", HOUR_MS)


MIXED = replace(DAILY, least=10, languages=(LanguageShare("vi", 50), LanguageShare("zh", 25)))


def plays(languages: str) -> list[Slice]:
    tags = {"v": "vi", "z": "zh-Hans", "e": "en", "3": "vie", "?": None}
    return [
        one
        for at_, tag in enumerate(languages)
        for one in play(at_, 7 + at_ / 100, 7.01 + at_ / 100, "shown", tags[tag])
    ]


@pytest.mark.parametrize(
    ("languages", "result"),
    [
        ("vvvvvzzzee", "enough"),
        ("vvvvvzzzeeeeeeeeeeeeeeeeeee", "enough"),
        ("vvvvvzzee", "too_little"),
        ("vvvvvzzeee", "too_little"),
        ("vvvvzzzeee", "too_little"),
        ("vvvvvzz???", "unknown"),
        ("vvvv?zzzee", "unknown"),
        ("vvvvvzzz??", "enough"),
        ("eeeeeeeeee", "too_little"),
        ("33333zzzee", "too_little"),
        ("", "not_at_all"),
    ],
)
def test_a_mix_of_languages(languages: str, result: str) -> None:
    found = of(MIXED, plays(languages))
    assert found.result == result
    assert [(part.language, part.required) for part in found.languages] == [("vi", 5), ("zh", 3)]


def test_the_language_that_a_later_slice_tells() -> None:
    slices = [Slice(1, 0, span(7.00, 7.00), "open", None), Slice(1, 1, span(7.00, 7.05), "shown", "vi")]
    item = replace(DAILY, least=1, languages=(LanguageShare("vi", 100),))
    assert of(item, slices).result == "enough"


def test_evidence_of_a_stored_play() -> None:
    stored = Play(
        seq=9, time=at(7.05), play_id=77, slice=3, content_ref="x.mp4", screen="hdmi-a-1", player="mpv",
        duration_ms=5 * MINUTE_MS, facts=Facts(reported=True),
    )  # fmt: skip
    assert slice_of(stored, "lo") == Slice(77, 3, span(7.00, 7.05), "open", "lo")
    assert slice_of(stored, None, "reported").proof == "shown"


def test_counts_of_their_own_can_be_judged() -> None:
    (window,) = windows(DAILY, DAY, DAY)
    tally = Tally({("vi", "shown"): 1, ("en", "open"): 1}, {("vi", "shown"): 5})
    found = judge(DAILY, window, tally, NOTHING)
    assert (found.result, found.total) == ("unknown", Part(None, 2, 1, 2))


def test_no_windows_nothing_to_say() -> None:
    assert fulfilments(DAILY, (), play(1, 7.00, 7.05), NOTHING) == ()


def test_every_result_has_a_label() -> None:
    assert tuple(strings.FULFILMENTS) == RESULTS


# -- what really happened, and what of it is known -----------------------------------------------------------------


@dataclass(frozen=True)
class Part0:
    """A slice as it was, and as it is known: hidden, without proof, without language."""

    slice: Slice
    shown: bool
    language: str
    stored: bool


@dataclass(frozen=True)
class World:
    parts: list[Part0]
    unknown: Intervals
    shortest_ms: int
    screens: int

    def slices(self) -> list[Slice]:
        return [part.slice for part in self.parts if part.stored]


@st.composite
def worlds(draw: st.DrawFn, *, known: bool = False) -> World:
    screens = draw(st.integers(1, 2))
    parts: list[Part0] = []
    begun: list[list[int]] = [[] for _ in range(screens)]
    ids = iter(range(1000))
    for screen in range(screens):
        now = at(6.30) + draw(st.integers(0, 60)) * MINUTE_MS
        for _ in range(draw(st.integers(0, 7))):
            now += draw(st.integers(0, 25)) * MINUTE_MS
            begun[screen].append(now)
            number, language = next(ids), draw(st.sampled_from(["vi", "zh-Hans"]))
            lengths = [0, *draw(st.lists(st.integers(0, 12), min_size=1, max_size=3)), 1]
            for slice_number, length in enumerate(lengths):
                time = Interval(now, now + length * MINUTE_MS)
                now = time.end_ms
                shown, seen = draw(st.booleans()), known or draw(st.booleans())
                proof: Proof = ("shown" if shown else "not_shown") if seen else "open"
                told = language if known or draw(st.integers(0, 3)) else None
                stored = known or draw(st.integers(0, 3)) > 0
                parts.append(Part0(Slice(number, slice_number, time, proof, told), shown, language, stored))
    hidden = [(part.slice.time.begin_ms, part.slice.time.end_ms + 1) for part in parts if not part.stored]
    more = [] if known else draw(st.lists(st.tuples(st.integers(360, 660), st.integers(1, 30)), max_size=2))
    begin = day_begin_ms(DAY)
    gaps = [(begin + first * MINUTE_MS, begin + (first + length) * MINUTE_MS) for first, length in more]
    shortest = min((b - a for times in begun for a, b in pairwise(times)), default=MINUTE_MS)
    return World(parts, Intervals.of([*hidden, *gaps]), shortest, screens)


def items(world: World) -> st.SearchStrategy[PlanItem]:
    shares = st.sampled_from([(), (LanguageShare("vi", 40),), (LanguageShare("vi", 30), LanguageShare("zh", 30))])
    return st.sampled_from(UNITS).flatmap(
        lambda unit: st.builds(
            PlanItem,
            first_day=st.just(DAY),
            last_day=st.just(DAY),
            unit=st.just(unit),
            least=st.integers(1, 3600 if unit == "seconds_per_day" else 6),
            hours=st.sampled_from([frozenset({7}), frozenset({7, 8}), frozenset({7, 9})]),
            languages=shares,
            shortest_play_ms=st.sampled_from([None, world.shortest_ms]),
            screens=st.just(world.screens),
        )
    )


def truth(world: World, item: PlanItem, window: Window, language: str | None) -> int:
    """What was really shown in a window, in plays or ms, by the plainest reckoning."""
    mine = [part for part in world.parts if language is None or part.language.startswith(language)]
    if item.unit == "seconds_per_day":
        return sum(Intervals.of([part.slice.time]).common(window.time).length_ms for part in mine if part.shown)
    shown = {part.slice.play for part in mine if part.shown}
    opened = [p.slice for p in mine if p.slice.number == 0 and p.slice.time.end_ms in window.time]
    return len([one for one in opened if one.play in shown])


def really_met(world: World, item: PlanItem, found: Fulfilment) -> bool:
    return all(
        truth(world, item, found.window, part.language) >= part.required for part in (found.total, *found.languages)
    )


MANY = settings(max_examples=400, deadline=None)


@MANY
@given(st.data())
def test_no_result_is_ever_wrong(data: st.DataObject) -> None:
    world = data.draw(worlds())
    item = data.draw(items(world))
    for found in fulfilments(item, windows(item, DAY, DAY), world.slices(), world.unknown):
        if found.result == "enough":
            assert really_met(world, item, found)
        elif found.result != "unknown":
            assert not really_met(world, item, found)
        if found.result == "not_at_all":
            everything = replace(item, unit="seconds_per_day")
            assert truth(world, item, found.window, None) == truth(world, everything, found.window, None) == 0
        for part in (found.total, *found.languages):
            real = truth(world, item, found.window, part.language)
            assert part.shown <= real
            assert part.at_most is None or real <= part.at_most
        assert found.unknown == world.unknown.common(found.window.time)


@MANY
@given(st.data())
def test_who_knows_everything_always_knows(data: st.DataObject) -> None:
    world = data.draw(worlds(known=True))
    item = data.draw(items(world))
    seconds = replace(item, unit="seconds_per_day")
    for found in fulfilments(item, windows(item, DAY, DAY), world.slices(), NOTHING):
        assert found.total.shown == found.total.at_most == truth(world, item, found.window, None)
        assert found.shown_ms == truth(world, seconds, found.window, None)
        nothing = not found.total.shown and not found.shown_ms
        expected = "enough" if really_met(world, item, found) else "not_at_all" if nothing else "too_little"
        assert found.result == expected


@given(st.data())
def test_enough_is_enough_whatever_is_unknown(data: st.DataObject) -> None:
    world = data.draw(worlds())
    item = data.draw(items(world))
    asked = windows(item, DAY, DAY)
    everything = Intervals.between(at(0), at(24))
    some = fulfilments(item, asked, world.slices(), world.unknown)
    blind = fulfilments(item, asked, world.slices(), everything)
    for found, without in zip(some, blind, strict=True):
        assert (found.result == "enough") == (without.result == "enough")
        assert without.result in {"enough", "unknown", "too_little"}


@given(st.data())
def test_more_doubt_never_makes_a_result_firmer(data: st.DataObject) -> None:
    world = data.draw(worlds())
    item = data.draw(items(world))
    asked = windows(item, DAY, DAY)
    more = world.unknown.union(Intervals.of([span(7.10, 7.25)]))
    before = fulfilments(item, asked, world.slices(), world.unknown)
    after = fulfilments(item, asked, world.slices(), more)
    for old, new in zip(before, after, strict=True):
        allowed = {"enough": {"enough"}, "unknown": {"unknown"}, "too_little": {"too_little", "unknown"}}
        assert new.result in allowed.get(old.result, {"not_at_all", "too_little", "unknown"})


@given(st.data())
def test_the_order_of_slices_does_not_matter(data: st.DataObject) -> None:
    world = data.draw(worlds())
    item = data.draw(items(world))
    asked = windows(item, DAY, DAY)
    shuffled = data.draw(st.permutations(world.slices()))
    assert fulfilments(item, asked, shuffled, world.unknown) == fulfilments(item, asked, world.slices(), world.unknown)


@pytest.mark.parametrize(
    ("item", "begin", "end", "least", "there_ms"),
    [
        (DAILY, 0.00, 24.00, 2, 120 * MINUTE_MS),
        (DAILY, 0.00, 9.00, 1, 60 * MINUTE_MS),
        (replace(DAILY, least=3), 8.00, 24.00, 2, 60 * MINUTE_MS),
        (SECONDS, 9.00, 24.00, 300, 60 * MINUTE_MS),
        (HOURLY, 7.00, 24.00, 2, 60 * MINUTE_MS),
        (HOURLY, 8.00, 24.00, 2, 0),
        (DAILY, 10.00, 24.00, 2, 0),
    ],
)
def test_a_place_is_asked_for_the_time_of_a_stay(
    item: PlanItem, begin: float, end: float, least: int, there_ms: int
) -> None:
    asked, kept = stayed(item, windows(item, DAY, DAY), span(begin, end))
    assert (asked, sum(window.time.length_ms for window in kept)) == (replace(item, least=least), there_ms)
