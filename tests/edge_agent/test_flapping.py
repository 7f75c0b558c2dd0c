"""What is weakest, and when a play flaps."""

from __future__ import annotations

from typing import Any

import pytest

from contract.events import Facts
from edge_agent.flapping import FlapGuard, weakest

GOOD, BAD = Facts(rendering=True, panel="on"), Facts(rendering=False, panel="on")


@pytest.mark.parametrize(
    ("field", "order"),
    [
        ("listed", [False, None, True]),
        ("reported", [False, None, True]),
        ("rendering", [False, None, True]),
        ("panel", ["off", "unknown", "on"]),
        ("frame", ["mismatch", "unknown", "match"]),
    ],
)
def test_what_speaks_least_for_the_content_wins(field: str, order: list[Any]) -> None:
    for low, weaker in enumerate(order):
        for stronger in order[low:]:
            one, other = Facts(**{field: weaker}), Facts(**{field: stronger})
            assert weakest(one, other) == weakest(other, one) == one


def test_flaps_from_the_first_change_beyond_the_limit_until_a_calm_minute() -> None:
    guard = FlapGuard(4)
    for second in range(5):
        assert guard.allowed(second * 1_000, GOOD, GOOD, blind=False) == GOOD
        guard.note(second * 1_000)
    flapping = [guard.flapping]
    for at_ms, told in ((4_500, BAD), (60_999, BAD), (61_000, GOOD)):
        assert guard.allowed(at_ms, GOOD, BAD, blind=False) == told
        flapping.append(guard.flapping)
    assert flapping == [False, True, True, False]


def test_slow_changes_are_no_flapping() -> None:
    guard = FlapGuard(4)
    for second in range(0, 200, 15):
        guard.note(second * 1_000)
        assert guard.allowed(second * 1_000, GOOD, BAD, blind=False) == GOOD


def test_what_nobody_sees_while_flapping_is_unknown_until_calm() -> None:
    guard = FlapGuard(4)
    for second in range(5):
        guard.note(second * 1_000)
    assert guard.allowed(5_000, Facts(panel="on"), BAD, blind=True) == Facts(panel="on")
    assert guard.allowed(6_000, GOOD, Facts(panel="on"), blind=False) == Facts(panel="on")
    assert guard.allowed(70_000, GOOD, Facts(panel="on"), blind=False) == GOOD
