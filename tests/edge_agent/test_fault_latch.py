"""One fault when a trouble shows, one an hour while it lasts."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contract.codec import encode_event
from contract.events import Fault
from edge_agent.clock import Stamp
from edge_agent.draft import Draft, stamped
from edge_agent.fault_latch import FaultLatch
from edge_agent.observation import Trouble

HOT = Trouble(code="over_temperature", reason="91 C")
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


def told(drafts: list[Draft]) -> list[tuple[str | None, str, str]]:
    return [
        (event.component, event.code, event.reason) for event in (d.event for d in drafts) if isinstance(event, Fault)
    ]


def screen(number: int) -> Trouble:
    return Trouble(code="screen_disconnected", reason=f"screen {number}")


def test_a_trouble_is_told_when_it_shows_and_not_again() -> None:
    latch = FaultLatch()
    (draft,) = latch.see("system", [HOT], 5)
    assert draft.at_ms == 5
    assert told([draft]) == [("system", "over_temperature", "91 C")]
    assert latch.see("system", [HOT], MINUTE_MS) == []


def test_a_reason_with_other_figures_is_the_same_trouble() -> None:
    latch = FaultLatch()
    latch.see("system", [HOT], 0)
    assert latch.see("system", [Trouble(code="over_temperature", reason="92 C")], MINUTE_MS) == []


def test_a_trouble_that_lasts_is_told_each_hour_as_it_is_by_then() -> None:
    latch = FaultLatch()
    latch.see("system", [HOT], 0)
    worse = Trouble(code="over_temperature", reason="99 C")
    assert latch.see("system", [worse], HOUR_MS - 1) == []
    assert told(latch.see("system", [worse], HOUR_MS)) == [("system", "over_temperature", "99 C")]
    assert latch.see("system", [worse], HOUR_MS + 1) == []


def test_a_trouble_that_stayed_away_is_new_again() -> None:
    latch = FaultLatch(clear_s=300)
    latch.see("system", [HOT], 0)
    latch.see("system", [], MINUTE_MS)
    assert len(latch.see("system", [HOT], 6 * MINUTE_MS)) == 1


def test_a_trouble_that_comes_and_goes_is_told_once_an_hour() -> None:
    latch = FaultLatch()
    drafts = [
        draft
        for at_s in range(0, 7_200, 2)
        for draft in latch.see("system", [HOT] if at_s % 4 == 0 else [], at_s * 1_000)
    ]
    assert [draft.at_ms for draft in drafts] == [0, HOUR_MS]


def test_a_second_trouble_of_a_code_is_told_when_it_joins() -> None:
    latch = FaultLatch()
    latch.see("screen", [screen(1)], 0)
    assert told(latch.see("screen", [screen(1), screen(2)], 1)) == [("screen", "screen_disconnected", "screen 2")]
    assert latch.see("screen", [screen(2)], 2) == latch.see("screen", [screen(2), screen(1)], 3) == []


def test_the_same_trouble_said_twice_is_one() -> None:
    assert len(FaultLatch().see("screen", [screen(1), screen(1)], 0)) == 1


def test_components_and_codes_are_independent() -> None:
    latch = FaultLatch()
    latch.see("system", [HOT], 0)
    assert len(latch.see("screen", [screen(1)], 1)) == 1
    assert len(latch.see("mpv", [HOT], 2)) == 1
    assert len(latch.see("system", [HOT, Trouble(code="low_disk")], 3)) == 1


def test_time_that_runs_back_tells_nothing_twice() -> None:
    latch = FaultLatch()
    latch.see("system", [HOT], HOUR_MS)
    latch.see("system", [], HOUR_MS)
    assert latch.see("system", [HOT], 0) == []


@given(st.text(st.characters()))
def test_any_reason_can_be_told(reason: str) -> None:
    (draft,) = FaultLatch().see("system", [Trouble(code="low_disk", reason=reason)], 0)
    encode_event(msgspec.structs.replace(stamped(draft, Stamp(1, "estimated")), seq=1))
