"""What a configuration says together: openings over midnight, openings that overlap, keys to come."""

from __future__ import annotations

import pytest

from contract.config import DeviceConfig, OpenSpan, is_open, problems, unknown_keys

MONDAY, SUNDAY = 1, 7


@pytest.mark.parametrize(
    ("weekday", "minute", "answer"),
    [
        (1, 7 * 60 - 1, False),
        (1, 7 * 60, True),
        (1, 17 * 60 - 1, True),
        (1, 17 * 60, False),
        (SUNDAY, 23 * 60, True),
        (MONDAY, 60, True),
        (MONDAY, 2 * 60, False),
        (2, 60, False),
    ],
)
def test_an_opening_may_go_past_midnight_and_the_week(weekday: int, minute: int, *, answer: bool) -> None:
    opening = [OpenSpan(MONDAY, 7 * 60, 600), OpenSpan(SUNDAY, 22 * 60, 240)]
    assert is_open(opening, weekday, minute) is answer
    assert problems(DeviceConfig(revision=1, opening=opening)) == []


@pytest.mark.parametrize(
    "opening",
    [
        [OpenSpan(1, 420, 300), OpenSpan(1, 600, 60)],
        [OpenSpan(1, 0, 60), OpenSpan(SUNDAY, 1_430, 60)],
        [OpenSpan(3, 1_380, 120), OpenSpan(4, 30, 60)],
        [OpenSpan(3, 60, 60), OpenSpan(3, 60, 60)],
    ],
)
def test_openings_that_overlap_are_told(opening: list[OpenSpan]) -> None:
    (told,) = problems(DeviceConfig(revision=1, opening=opening))
    assert told.startswith("opening: weekday ")


def test_openings_that_touch_do_not_overlap() -> None:
    whole_week = [OpenSpan(day, 0, 24 * 60) for day in range(1, 8)]
    assert problems(DeviceConfig(revision=1, opening=whole_week)) == []


def test_keys_of_a_newer_hub_are_named() -> None:
    raw = {"revision": 1, "intervals": {"alive_s": 30, "nap_s": 9}, "budget": {"day_bytes": 1}, "colour": "red"}
    assert unknown_keys(raw) == ["colour", "intervals.nap_s", "budget.day_bytes"]
    assert unknown_keys([]) == []
