"""RangeSet does what a set of numbers does, and keeps its ranges few, sorted and apart."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.ranges import RangeSet

SPANS = st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))
SETS = st.frozensets(st.integers(0, 50), max_size=30)


def numbers(ranges: RangeSet) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


def check_shape(ranges: RangeSet) -> None:
    spans = ranges.spans()
    assert all(first <= last for first, last in spans)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(spans))
    assert ranges.count() == len(numbers(ranges))
    assert len(ranges) == len(spans)
    assert bool(ranges) == bool(spans)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.booleans(), SPANS), max_size=25))
def test_adding_and_removing(steps: list[tuple[bool, tuple[int, int]]]) -> None:
    ranges, model = RangeSet(), set[int]()
    for is_added, (first, last) in steps:
        span = set(range(first, last + 1))
        if is_added:
            ranges.add(first, last)
            model |= span
        else:
            ranges.remove(first, last)
            model -= span
        assert numbers(ranges) == model
        check_shape(ranges)


@settings(max_examples=300)
@given(SETS, SETS, st.integers(0, 50), st.integers(0, 50), st.integers(0, 60))
@example(frozenset({22, 23}), frozenset(), 23, 22, 0)
def test_set_operations(ours: frozenset[int], theirs: frozenset[int], low: int, high: int, count: int) -> None:
    a, b = RangeSet.of(ours), RangeSet.of(sorted(theirs))
    found = {
        "minus": (a.minus(b), ours - theirs),
        "common": (a.common(b), ours & theirs),
        "head": (a.head(count), set(sorted(ours)[:count])),
        "within": (a.within(low, high), {number for number in ours if low <= number <= high}),
        "copy": (a.copy(), ours),
    }
    joined = a.copy()
    joined.update(b)
    found["update"] = (joined, ours | theirs)
    for name, (result, expected) in found.items():
        assert numbers(result) == expected, name
        check_shape(result)
    assert numbers(a) == ours, "an operation changed what it was asked of"
    assert (a == b) == (ours == theirs)
    assert all((number in a) == (number in ours) for number in range(52))


def test_an_empty_range_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="empty"):
        RangeSet([(2, 1)])


def test_large_numbers_cost_nothing() -> None:
    ranges = RangeSet([(1, 2**53 - 1)])
    ranges.remove(2**40, 2**40)
    assert ranges.spans() == [(1, 2**40 - 1), (2**40 + 1, 2**53 - 1)]
    assert repr(RangeSet([(1, 2)])) == "RangeSet([(1, 2)])"
    assert RangeSet() != {1}
