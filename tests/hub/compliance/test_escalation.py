"""A notice is due once, only while nobody has the incident in hand, and never before its time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.compliance.escalation import (
    Acknowledgement,
    Incident,
    Notice,
    Step,
    acknowledged,
    closed,
    due,
    next_due_ms,
    noted,
)

T = 1_767_225_600_000
TECHNICIAN, HEAD, SMS = Step(0, "page", "to-truc"), Step(600, "email", "truong-phong"), Step(600, "sms", "truong-phong")
STEPS = [SMS, HEAD, TECHNICIAN]


def test_step_by_step() -> None:
    incident = Incident(T)
    first = due(incident, STEPS, T)
    assert first == (Notice(TECHNICIAN, T),)
    incident = noted(incident, first)
    assert due(incident, STEPS, T + 599_999) == ()
    assert next_due_ms(incident, STEPS) == T + 600_000
    later = due(incident, STEPS, T + 600_000)
    assert later == (Notice(HEAD, T + 600_000), Notice(SMS, T + 600_000))
    incident = noted(incident, later)
    assert due(incident, STEPS, T + 10**9) == ()
    assert next_due_ms(incident, STEPS) is None


def test_what_was_not_booked_is_due_again() -> None:
    incident = Incident(T)
    assert due(incident, STEPS, T) == due(incident, STEPS, T)


def test_a_hub_that_was_away_finds_all_that_became_due() -> None:
    assert [notice.step for notice in due(Incident(T), STEPS, T + 10**9)] == [TECHNICIAN, HEAD, SMS]


def test_steps_that_are_added_or_moved_do_not_repeat_what_was_told() -> None:
    incident = noted(Incident(T), due(Incident(T), STEPS, T))
    more = [Step(60, "page", "to-phó"), *STEPS]
    assert [notice.step.target for notice in due(incident, more, T + 60_000)] == ["to-phó"]


def test_acknowledged_means_no_more_notices() -> None:
    incident = acknowledged(Incident(T), " Nguyễn Văn An ", T + 5)
    assert incident.acknowledged == Acknowledgement("Nguyễn Văn An", T + 5)
    assert due(incident, STEPS, T + 10**9) == ()
    assert next_due_ms(incident, STEPS) is None
    assert acknowledged(incident, "Trần Thị Bình", T + 9) == incident


@pytest.mark.parametrize("nobody", ["", "  "])
def test_nobody_cannot_acknowledge(nobody: str) -> None:
    with pytest.raises(ValueError, match="name"):
        acknowledged(Incident(T), nobody, T)


def test_closed_means_no_more_notices() -> None:
    incident = closed(Incident(T), T + 5)
    assert due(incident, STEPS, T + 10**9) == ()
    assert closed(incident, T + 9) == incident
    assert acknowledged(incident, "Nguyễn Văn An", T + 9) == incident


DEFINITIONS = st.lists(
    st.builds(Step, st.integers(0, 20), st.sampled_from(["sms", "email"]), st.sampled_from(["a", "b"])), max_size=6
)
# A tick that sends, one that dies before it books, an acknowledgement, a closing; each with the seconds that pass.
ACTS = st.lists(st.tuples(st.sampled_from(["tick", "tick", "tick", "die", "ack", "close"]), st.integers(0, 8)))


@given(DEFINITIONS, ACTS)
def test_whatever_happens_a_step_is_booked_once_in_time_and_only_while_it_waits(
    steps: list[Step], acts: list[tuple[str, int]]
) -> None:
    incident, now_ms = Incident(T), T
    booked: list[Step] = []
    waiting = True
    for act, passed_s in acts:
        now_ms += passed_s * 1000
        notices = due(incident, steps, now_ms)
        assert all(T + notice.step.after_s * 1000 == notice.due_ms <= now_ms for notice in notices)
        assert waiting or not notices
        if act == "tick":
            incident = noted(incident, notices)
            booked += [notice.step for notice in notices]
            assert not due(incident, steps, now_ms)
            if waiting:
                assert {step for step in steps if T + step.after_s * 1000 <= now_ms} <= set(booked)
        elif act == "ack":
            incident, waiting = acknowledged(incident, "An", now_ms), False
        elif act == "close":
            incident, waiting = closed(incident, now_ms), False
    assert len(booked) == len(set(booked))


@given(DEFINITIONS, st.integers(0, 30))
def test_the_next_moment_is_when_something_is_due(steps: list[Step], passed_s: int) -> None:
    incident = noted(Incident(T), due(Incident(T), steps, T + passed_s * 1000))
    next_ms = next_due_ms(incident, steps)
    if next_ms is None:
        assert due(incident, steps, T + 10**9) == ()
    else:
        assert due(incident, steps, next_ms - 1) == ()
        assert due(incident, steps, next_ms)
