"""Sets of moments behave as sets of moments."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.compliance.intervals import Interval, Intervals

SMALL = st.integers(-20, 20)
SPANS = st.lists(st.tuples(SMALL, SMALL), max_size=8)
SETS = SPANS.map(Intervals.of)


def moments(intervals: Intervals) -> set[int]:
    return {moment for moment in range(-25, 25) if moment in intervals}


def assert_canonical(intervals: Intervals) -> None:
    assert all(begin < end for begin, end in intervals)
    assert all(left.end_ms < right.begin_ms for left, right in pairwise(intervals))


@given(SPANS)
def test_all_that_is_put_in_is_in_and_nothing_else(spans: list[tuple[int, int]]) -> None:
    intervals = Intervals.of(spans)
    assert_canonical(intervals)
    assert moments(intervals) == {moment for begin, end in spans for moment in range(begin, end)}
    assert intervals.length_ms == len(moments(intervals))
    assert len(intervals) == len(list(intervals))


@given(SETS, SETS)
def test_union_difference_and_common_part(one: Intervals, other: Intervals) -> None:
    for made, expected in [
        (one.union(other), moments(one) | moments(other)),
        (one.minus(other), moments(one) - moments(other)),
        (one.common(other), moments(one) & moments(other)),
    ]:
        assert_canonical(made)
        assert moments(made) == expected


@given(SETS, SETS)
def test_equal_sets_are_equal_values(one: Intervals, other: Intervals) -> None:
    assert (one == other) == (moments(one) == moments(other))
    assert one.minus(other).union(one.common(other)) == one


@given(SETS, SMALL, SMALL)
def test_what_lies_within_a_span(intervals: Intervals, begin: int, end: int) -> None:
    assert intervals.within(begin, end) == intervals.common(Intervals.between(begin, end))


@given(SETS, SMALL, SMALL)
def test_touching_is_overlapping_or_bordering(intervals: Intervals, one: int, other: int) -> None:
    begin, end = min(one, other), max(one, other)
    expected = any(span.begin_ms <= end and span.end_ms >= begin for span in intervals)
    assert intervals.touches(begin, end) == expected


@pytest.mark.parametrize(("begin", "end", "length"), [(1, 3, 2), (3, 3, 0), (3, 1, 0)])
def test_the_length_of_an_interval(begin: int, end: int, length: int) -> None:
    assert Interval(begin, end).length_ms == length
    assert Intervals.between(begin, end).length_ms == length
