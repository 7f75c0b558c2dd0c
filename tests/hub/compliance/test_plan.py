"""Windows are local hours and days of the plan, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.compliance.intervals import Intervals
from hub.compliance.local_time import DAY_MS, HOUR_MS, day_begin_ms
from hub.compliance.plan import UNITS, LanguageShare, PlanItem, windows

MONDAY = date(2026, 3, 2)
ITEM = PlanItem(MONDAY, date(2026, 3, 31), "plays_per_hour", 4, hours=frozenset({7, 8, 13}))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_every_hour_is_a_window() -> None:
    made = windows(ITEM, MONDAY, MONDAY)
    seven = day_begin_ms(MONDAY) + 7 * HOUR_MS
    assert [(window.day, window.hour) for window in made] == [(MONDAY, 7), (MONDAY, 8), (MONDAY, 13)]
    assert made[0].time == Intervals.between(seven, seven + HOUR_MS)


@pytest.mark.parametrize("unit", ["plays_per_day", "seconds_per_day"])
def test_the_hours_of_a_day_are_one_window(unit: str) -> None:
    item = replace(ITEM, unit=unit)  # type: ignore[arg-type]
    (window,) = windows(item, MONDAY, MONDAY)
    assert window.hour is None
    assert [span.length_ms for span in window.time] == [2 * HOUR_MS, HOUR_MS]


def test_only_days_of_plan_and_period() -> None:
    item = PlanItem(MONDAY, date(2026, 3, 8), "plays_per_day", 1, weekdays=frozenset({1, 7}))
    assert [window.day for window in windows(item, date(2026, 1, 1), date(2026, 12, 31))] == [MONDAY, date(2026, 3, 8)]
    assert windows(item, date(2026, 3, 3), date(2026, 3, 7)) == ()
    assert windows(item, date(2026, 4, 1), date(2026, 4, 30)) == ()
    assert windows(item, date(2026, 3, 8), MONDAY) == ()


@pytest.mark.parametrize(("unit", "required"), [*zip(UNITS, (4, 4, 4000), strict=True)])
def test_what_is_required_is_plays_or_ms(unit: str, required: int) -> None:
    assert replace(ITEM, unit=unit).required == required  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"least": 0},
        {"weekdays": frozenset()},
        {"weekdays": frozenset({0})},
        {"hours": frozenset()},
        {"hours": frozenset({24})},
        {"languages": (LanguageShare("vi", 0),)},
        {"languages": (LanguageShare("vi", 60), LanguageShare("lo", 41))},
        {"languages": (LanguageShare("vi", 10), LanguageShare("vi", 20))},
        {"shortest_play_ms": 0},
        {"screens": 0},
    ],
)
def test_what_nobody_could_mean(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must|may"):
        replace(ITEM, **wrong)  # type: ignore[arg-type]


@given(
    st.dates(date(2026, 2, 1), date(2026, 4, 30)),
    st.integers(0, 10),
    st.frozensets(st.integers(1, 7), min_size=1),
    st.frozensets(st.integers(0, 23), min_size=1),
    st.sampled_from(UNITS),
)
def test_the_windows_are_exactly_the_hours_that_were_meant(
    first: date, days: int, weekdays: frozenset[int], hours: frozenset[int], unit: str
) -> None:
    last = first + timedelta(days=days)
    item = PlanItem(date(2026, 2, 20), date(2026, 4, 10), unit, 1, weekdays, hours)  # type: ignore[arg-type]
    made = windows(item, first, last)
    spans = [span for window in made for span in window.time]
    assert all(left.end_ms <= right.begin_ms for left, right in pairwise(spans))
    whole = Intervals.of(spans)
    for hour in range(-24, (days + 2) * 24):
        moment_ms = day_begin_ms(first) + hour * HOUR_MS
        local = (EPOCH + timedelta(milliseconds=moment_ms)).astimezone(timezone(timedelta(hours=7)))
        meant = (
            max(first, item.first_day) <= local.date() <= min(last, item.last_day)
            and local.isoweekday() in weekdays
            and local.hour in hours
        )
        assert (moment_ms in whole) == (moment_ms + HOUR_MS - 1 in whole) == meant
    for window in made:
        begin_ms = day_begin_ms(window.day)
        assert not window.time.minus(Intervals.between(begin_ms, begin_ms + DAY_MS))
