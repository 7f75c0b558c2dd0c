"""A draft becomes an event with the time of its moment."""

from __future__ import annotations

from contract.events import UNNUMBERED, Fault
from edge_agent.clock import Stamp
from edge_agent.draft import UNSTAMPED, Draft, stamped


def test_only_time_and_clock_are_stamped() -> None:
    draft = Draft(5, Fault(seq=UNNUMBERED, time=UNSTAMPED, code="low_disk", reason="full", component="system"))
    event = stamped(draft, Stamp(1_700_000_000_000, "estimated"))
    assert event == Fault(
        seq=UNNUMBERED,
        time=1_700_000_000_000,
        clock="estimated",
        code="low_disk",
        reason="full",
        component="system",
    )
