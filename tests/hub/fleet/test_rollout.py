"""Waves: who is next, when, and when it halts by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contract.release import Fate
from hub.errors import ConfigError
from hub.fleet.rollout import Decision, Member, Rules, decide, steps_of, waves

NOW = datetime(2026, 11, 24, tzinfo=UTC)
RULES = Rules(timedelta(hours=1), 2)


def member(device: str, wave: int, fate: Fate | None = None, ago_s: int = 7200, **more: bool) -> Member:
    ended = NOW - timedelta(seconds=ago_s) if fate else None
    return Member(device, wave, more.get("ordered", fate is not None), more.get("online", True), fate, ended)


def test_steps_as_people_write_them() -> None:
    assert steps_of("1, 10%,100%") == ("1", "10%", "100%")
    for bad in ("", "1", "x,100%", "10%,50%", "-1,100%"):
        with pytest.raises(ConfigError):
            steps_of(bad)


def test_every_device_is_of_one_wave() -> None:
    devices = [f"k{number}" for number in range(40)]
    found = waves(devices, ("1", "10%", "100%"), "7")
    assert [list(found.values()).count(wave) for wave in range(3)] == [1, 3, 36]
    assert found == waves(devices[::-1], ("1", "10%", "100%"), "7")
    assert waves(["one"], ("1", "10%", "100%"), "7") == {"one": 0}


def test_the_first_wave_is_told_and_the_next_one_waits_until_it_was_good_for_a_while() -> None:
    others = [member("b", 1), member("c", 2)]
    assert decide([member("a", 0), *others], 0, RULES, NOW) == Decision(("a",), 0)
    assert decide([member("a", 0, ordered=True), *others], 0, RULES, NOW) == Decision((), 0)
    assert decide([member("a", 0, "applied", 60), *others], 0, RULES, NOW) == Decision((), 0)
    assert decide([member("a", 0, "applied"), *others], 0, RULES, NOW) == Decision(("b",), 1)


def test_what_is_away_waits_and_keeps_nobody_waiting() -> None:
    away = member("b", 1, ordered=True, online=False)
    assert decide([member("a", 0, "applied"), away, member("c", 2)], 1, RULES, NOW).order == ("c",)
    nobody = [member("a", 0, ordered=True, online=False), member("b", 1)]
    assert decide(nobody, 0, RULES, NOW) == Decision((), 0), "nobody has shown that it works"
    assert decide([member("a", 0, "applied"), away], 1, RULES, NOW) == Decision((), 1)


def test_it_halts_by_itself() -> None:
    assert decide([member("a", 0, "went_back"), member("b", 1)], 0, RULES, NOW).state == "halted"
    one = [member("a", 0, "applied"), member("b", 1, "failed"), member("c", 1, ordered=True)]
    assert decide(one, 1, RULES, NOW).state == "running"
    two = decide([*one, member("d", 1, "refused")], 1, RULES, NOW)
    assert (two.state, two.reason, two.order) == ("halted", "it did not work on: b, d", ())


def test_it_ends() -> None:
    assert decide([member("a", 0, "applied"), member("b", 1, "applied", 5)], 1, RULES, NOW).state == "finished"
