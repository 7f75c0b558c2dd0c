"""Proof says no more than was observed, and no data is never `not_shown`."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import Facts
from hub.compliance.proof import Proof, proof
from hub.grade import GRADES, Grade, grade
from tests.hub.test_grade import FACTS

MINIMA = st.sampled_from(GRADES[1:])


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(reported=True, rendering=True), "shown"),
        (Facts(reported=True, rendering=True, panel="on", frame="match"), "shown"),
        (Facts(reported=True), "open"),
        (Facts(listed=True), "open"),
        (Facts(), "open"),
        (Facts(panel="on"), "open"),
        (Facts(reported=True, rendering=False), "not_shown"),
        (Facts(reported=True, rendering=True, panel="off"), "not_shown"),
        (Facts(reported=True, rendering=True, frame="mismatch"), "not_shown"),
    ],
)
def test_rendering_is_the_least_that_counts(facts: Facts, expected: Proof) -> None:
    assert proof(facts) == expected


@pytest.mark.parametrize(
    ("minimum", "facts", "expected"),
    [
        ("reported", Facts(reported=True, rendering=False), "shown"),
        ("reported", Facts(reported=True, panel="off"), "not_shown"),
        ("scheduled", Facts(listed=True), "shown"),
        ("panel_on", Facts(rendering=True), "open"),
        ("panel_on", Facts(rendering=False), "not_shown"),
        ("frame_match", Facts(rendering=True, panel="on"), "open"),
    ],
)
def test_another_minimum(minimum: Grade, facts: Facts, expected: Proof) -> None:
    assert proof(facts, minimum) == expected


def test_not_shown_is_no_minimum() -> None:
    with pytest.raises(ValueError, match="not_shown"):
        proof(Facts(), "not_shown")


def completions(facts: Facts) -> list[Facts]:
    """All that the facts can be once everything is observed."""
    known = [(True, False) if value is None else (value,) for value in (facts.listed, facts.reported, facts.rendering)]
    panels = ("on", "off") if facts.panel == "unknown" else (facts.panel,)
    frames = ("match", "mismatch") if facts.frame == "unknown" else (facts.frame,)
    return [
        Facts(listed=listed, reported=reported, rendering=rendering, panel=panel, frame=frame)  # type: ignore[arg-type]
        for listed, reported, rendering, panel, frame in product(*known, panels, frames)
    ]


@given(FACTS, MINIMA)
def test_it_is_open_exactly_where_an_observation_could_still_prove_it(facts: Facts, minimum: Grade) -> None:
    reachable = any(proof(whole, minimum) == "shown" for whole in completions(facts))
    reached = grade(facts)
    shown = reached is not None and GRADES.index(reached) >= GRADES.index(minimum)
    assert proof(facts, minimum) == ("shown" if shown else "open" if reachable else "not_shown")


@given(FACTS, MINIMA)
def test_all_observed_leaves_nothing_open(facts: Facts, minimum: Grade) -> None:
    assert all(proof(whole, minimum) != "open" for whole in completions(facts))


@given(FACTS, MINIMA)
def test_a_panel_that_is_off_proves_nothing(facts: Facts, minimum: Grade) -> None:
    for whole in completions(facts):
        if whole.panel == "off" or whole.frame == "mismatch":
            assert proof(whole, minimum) == "not_shown"
