"""What leaves the province gives nobody away, and leaves once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.visitors.published import (
    Cell,
    Month,
    PublicationRules,
    PublishedCell,
    cells,
    closing_day,
    left_out,
    to_publish,
)

RULES = PublicationRules()
JANUARY = Month(2026, 1)
OPEN = date(2026, 4, 6)
SITES, LANGUAGES = ["BG-20-CMA", "BG-20-TTH"], ["vi", "zh", "und"]
TABLE = cells(JANUARY, SITES, LANGUAGES)


def cell(language: str, site: str = "BG-20-CMA", month: Month = JANUARY) -> Cell:
    return Cell(month, site, language)


def published(sessions: int, rules: PublicationRules = RULES) -> PublishedCell:
    (only,) = to_publish([cell("vi")], {cell("vi"): sessions}, [], OPEN, rules)
    return only


@pytest.mark.parametrize(
    ("sessions", "told"),
    [(0, None), (1, None), (9, None), (10, 10), (12, 10), (13, 15), (17, 15), (18, 20), (1002, 1000), (1003, 1005)],
)
def test_small_figures_are_not_told_and_others_are_rounded(sessions: int, told: int | None) -> None:
    assert published(sessions) == PublishedCell(cell("vi"), told, "c" if told is None else None)


@pytest.mark.parametrize("month", [Month(2026, 1), Month(2026, 12), Month(2024, 2), Month(2025, 2)])
def test_the_closing_day(month: Month) -> None:
    assert (month.last_day + timedelta(days=1)).day == 1
    assert (month.last_day.year, month.last_day.month) == month
    assert closing_day(month, RULES) - month.last_day == timedelta(days=65)


def test_nothing_before_the_closing_day() -> None:
    assert closing_day(JANUARY, RULES) == OPEN
    assert to_publish(TABLE, {}, [], OPEN - timedelta(days=1), RULES) == ()
    assert len(to_publish(TABLE, {}, [], OPEN, RULES)) == len(TABLE) == 6


def test_a_language_that_nobody_chose_looks_like_one_that_few_chose() -> None:
    few = to_publish(TABLE, {cell("zh"): 9, cell("vi"): 40}, [], OPEN, RULES)
    none = to_publish(TABLE, {cell("vi"): 40}, [], OPEN, RULES)
    assert few == none


def test_a_site_that_is_registered_later_is_published_alone() -> None:
    first = to_publish(TABLE, {}, [], OPEN, RULES)
    more = cells(JANUARY, [*SITES, "BG-04-TLU"], LANGUAGES)
    second = to_publish(more, {}, [row.cell for row in first], OPEN, RULES)
    assert {row.cell.site for row in second} == {"BG-04-TLU"}


def test_what_has_no_place_in_the_table_is_told_and_not_published() -> None:
    sessions = {cell("fr"): 500, cell("vi"): 20, cell("lo"): 0}
    assert left_out(TABLE, sessions) == {cell("fr")}
    assert all(row.cell in TABLE for row in to_publish(TABLE, sessions, [], OPEN, RULES))


def test_rows_come_in_an_order_that_tells_nothing() -> None:
    rows = to_publish(TABLE, {cell("zh"): 900}, [], OPEN, RULES)
    assert [row.cell for row in rows] == sorted(TABLE)


def test_wrong_counts_are_not_published() -> None:
    with pytest.raises(ValueError, match="-1 sessions"):
        published(-1)


@pytest.mark.parametrize("wrong", [{"threshold": 12}, {"threshold": 0}, {"threshold": -5}, {"closed_after_days": -1}])
def test_rules_that_would_tell_too_much(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        replace(RULES, **wrong)


THRESHOLDS = st.sampled_from([5, 10, 15, 50])
MONTHS = st.builds(Month, st.sampled_from([2025, 2026]), st.integers(1, 12))
CELLS = st.builds(Cell, MONTHS, st.sampled_from(SITES), st.sampled_from(LANGUAGES))
FIGURES = st.dictionaries(CELLS, st.integers(0, 60), max_size=8)
TODAY = st.dates(date(2025, 1, 1), date(2027, 6, 1))


@given(THRESHOLDS, st.integers(0, 200))
def test_no_visible_figure_is_small_and_none_stands_for_one_count_alone(threshold: int, sessions: int) -> None:
    rules = PublicationRules(threshold=threshold)
    row = published(sessions, rules)
    assert (row.sessions is None) == (row.flag == "c") == (sessions < threshold)
    if row.sessions is not None:
        assert row.sessions >= threshold
        assert row.sessions % 5 == 0
        assert abs(row.sessions - sessions) <= 2
    same = [count for count in range(205) if published(count, rules) == row]
    assert len(same) >= 3


@settings(max_examples=200, deadline=None)
@given(
    st.frozensets(CELLS, max_size=12),
    st.lists(st.tuples(FIGURES, st.frozensets(CELLS, max_size=4), TODAY), max_size=5),
    THRESHOLDS,
    st.integers(0, 90),
)
def test_however_often_it_runs_a_cell_leaves_once_and_not_before_its_day(
    wanted: frozenset[Cell], runs: list[tuple[dict[Cell, int], frozenset[Cell], date]], threshold: int, days: int
) -> None:
    """Figures change between the runs, because late data came in; cells are added; days go back and forth."""
    rules = PublicationRules(threshold, days)
    left: list[Cell] = []
    for figures, more, today in runs:
        wanted |= more
        rows = to_publish(wanted, figures, left, today, rules)
        for row in rows:
            assert row.cell in wanted
            assert today >= row.cell.month.last_day + timedelta(days=days)
            assert row.sessions is None or row.sessions >= threshold
        left += [row.cell for row in rows]
        assert not to_publish(wanted, figures, left, today, rules)
        assert {one for one in wanted if closing_day(one.month, rules) <= today} <= set(left)
    assert len(left) == len(set(left))


@given(st.frozensets(CELLS, max_size=12), FIGURES, FIGURES, TODAY)
def test_which_rows_there_are_does_not_depend_on_visitors(
    wanted: frozenset[Cell], one: dict[Cell, int], other: dict[Cell, int], today: date
) -> None:
    """So neither a row's absence nor its place tells anything."""
    rows, others = (to_publish(wanted, figures, [], today, RULES) for figures in (one, other))
    assert [row.cell for row in rows] == [row.cell for row in others]


@given(st.frozensets(CELLS, max_size=12), FIGURES, TODAY)
def test_each_row_depends_on_its_own_figure_alone(
    wanted: frozenset[Cell], figures: dict[Cell, int], today: date
) -> None:
    """No row is a sum, a difference or a share: no figure can be derived at another granularity than it was told."""
    for row in to_publish(wanted, figures, [], today, RULES):
        alone = {row.cell: figures[row.cell]} if row.cell in figures else {}
        assert to_publish([row.cell], alone, [], today, RULES) == (row,)
