"""Grades say no more than was observed, and "no data" is never "not shown"."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import Facts
from hub import strings
from hub.grade import GRADES, Grade, grade

FACTS = st.builds(
    Facts,
    listed=st.none() | st.booleans(),
    reported=st.none() | st.booleans(),
    rendering=st.none() | st.booleans(),
    panel=st.sampled_from(["on", "off", "unknown"]),
    frame=st.sampled_from(["match", "mismatch", "unknown"]),
)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), None),
        (Facts(panel="on"), None),
        (Facts(listed=True), "scheduled"),
        (Facts(listed=True, panel="on"), "scheduled"),
        (Facts(listed=False, reported=True), "reported"),
        (Facts(reported=True, panel="on"), "reported"),
        (Facts(reported=True, rendering=True), "rendering"),
        (Facts(rendering=True), "rendering"),
        (Facts(rendering=True, panel="on"), "panel_on"),
        (Facts(listed=True, reported=True, rendering=True, panel="on", frame="match"), "frame_match"),
        (Facts(frame="match"), "frame_match"),
        (Facts(reported=True, rendering=False), "reported"),
        (Facts(reported=True, rendering=False, panel="on", frame="match"), "reported"),
        (Facts(listed=True, reported=False, rendering=False), "scheduled"),
        (Facts(reported=False, rendering=False), "not_shown"),
        (Facts(listed=True, reported=True, rendering=True, panel="off", frame="match"), "not_shown"),
        (Facts(listed=True, reported=True, rendering=True, panel="on", frame="mismatch"), "not_shown"),
        (Facts(panel="off"), "not_shown"),
    ],
)
def test_the_ladder(facts: Facts, expected: Grade | None) -> None:
    assert grade(facts) == expected


@given(FACTS)
def test_a_panel_that_is_off_is_not_shown_whatever_the_player_says(facts: Facts) -> None:
    assert grade(msgspec.structs.replace(facts, panel="off")) == "not_shown"
    assert grade(msgspec.structs.replace(facts, frame="mismatch")) == "not_shown"


@given(FACTS)
def test_not_shown_needs_something_that_speaks_against_it(facts: Facts) -> None:
    if grade(facts) == "not_shown":
        denied = False in {facts.listed, facts.reported, facts.rendering}
        assert denied or facts.panel == "off" or facts.frame == "mismatch"


@given(FACTS, st.sampled_from(["listed", "reported", "rendering", "panel", "frame"]))
def test_knowing_more_in_favour_never_lowers_the_grade(facts: Facts, name: str) -> None:
    value = {"panel": "on", "frame": "match"}.get(name, True)
    if getattr(facts, name) in {None, "unknown"}:
        before, after = grade(facts), grade(msgspec.structs.replace(facts, **{name: value}))
        assert before is None or (after is not None and GRADES.index(after) >= GRADES.index(before))


def test_every_grade_has_words() -> None:
    assert set(strings.GRADES) == {*GRADES, None} == set(strings.GRADE_HINTS)
