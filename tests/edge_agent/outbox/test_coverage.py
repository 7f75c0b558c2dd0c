"""What is believed covered: exact in its numbers, coarse in its times, and cheap however many receipts come."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.ranges import RangeSet
from edge_agent.outbox.coverage import SINCE_STEP_MS, Coverage, Since

NUMBERS = st.frozensets(st.integers(1, 30), max_size=12)
STEPS = st.one_of(
    st.tuples(st.just("extend"), NUMBERS, st.integers(0, 5)),
    st.tuples(st.just("forget"), NUMBERS, st.just(0)),
    st.tuples(st.just("replace"), NUMBERS, st.integers(0, 5)),
)


@settings(max_examples=200)
@given(st.lists(STEPS, max_size=12), st.integers(1, 15), st.integers(15, 30))
def test_against_a_dictionary(steps: list[tuple[str, frozenset[int], int]], low: int, high: int) -> None:
    coverage, model, saved = Coverage(), dict[int, int](), set[Since]()
    for step, numbers, hours in steps:
        since_ms = hours * SINCE_STEP_MS
        if step == "extend":
            coverage.extend(RangeSet.of(numbers), since_ms + 7)
            model = dict.fromkeys(numbers, since_ms) | model
        elif step == "forget":
            coverage.forget(RangeSet.of(numbers))
            model = {number: since for number, since in model.items() if number not in numbers}
        else:
            coverage.replace(low, high, RangeSet.of(numbers), since_ms)
            inside = {number for number in numbers if low <= number <= high}
            model = {n: since for n, since in model.items() if n in inside or not low <= n <= high}
            model = dict.fromkeys(inside, since_ms) | model
        change = coverage.change()
        saved = (saved - set(change.gone)) | set(change.new)
        coverage.saved()
        assert coverage.change() == ([], [])
    assert coverage.numbers == RangeSet.of(model)
    told = {number: part.since_ms for part in saved for number in range(part.first, part.last + 1)}
    assert told == model
    assert sum(part.last - part.first + 1 for part in saved) == len(model), "two parts overlap"
    again = Coverage(saved)
    assert again.numbers == coverage.numbers
    assert again.older_than(3 * SINCE_STEP_MS) == RangeSet.of(
        n for n, since in model.items() if since < 3 * SINCE_STEP_MS
    )


def test_receipts_that_come_one_by_one_for_a_week_are_few_parts() -> None:
    coverage = Coverage()
    for seq in range(1, 7 * 24 * 60 + 1):  # one a minute
        coverage.extend(RangeSet.of([seq]), seq * 60_000)
    assert len(coverage.change().new) <= 7 * 24 + 1
    coverage.saved()
    coverage.extend(RangeSet.of([7 * 24 * 60 + 1]), 7 * 24 * 3_600_000)
    assert len(coverage.change().new) == 1


def test_after_a_write_that_failed_the_difference_to_the_disk_is_saved() -> None:
    coverage = Coverage([Since(1, 5, 0)])
    coverage.extend(RangeSet.of([6, 9]), SINCE_STEP_MS)
    coverage.saved()
    coverage.found_saved([Since(1, 5, 0), Since(6, 6, SINCE_STEP_MS)])
    assert coverage.change() == ([], [Since(9, 9, SINCE_STEP_MS)])
    assert coverage.numbers.spans() == [(1, 6), (9, 9)]
