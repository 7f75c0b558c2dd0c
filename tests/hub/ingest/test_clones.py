from __future__ import annotations

import pytest

from hub.ingest.clones import WINDOW_MS, Clones

DEVICE = "bg-20-cma-k1"


def _heard(sessions: str, *, step_ms: int = 1_000) -> list[bool]:
    clones = Clones()
    return [clones.hear(DEVICE, session * 16, at * step_ms) for at, session in enumerate(sessions)]


@pytest.mark.parametrize("sessions", ["aaaa", "abcdefghijkl", "aba", "abab"[:3] + "aacc", "aabbcc"])
def test_restarts_and_one_late_message_are_no_clone(sessions: str) -> None:
    assert not any(_heard(sessions))


@pytest.mark.parametrize("sessions", ["abab", "aaabbaab", "abcab", "abac" + "a"])
def test_who_takes_turns_is_two(sessions: str) -> None:
    assert _heard(sessions)[-1]


def test_what_lies_far_apart_is_no_clone() -> None:
    assert not any(_heard("abab", step_ms=WINDOW_MS))


def test_devices_are_told_apart() -> None:
    clones = Clones()
    assert not any(clones.hear(device, session, 0) for session in "abc" for device in ("one", "two"))
