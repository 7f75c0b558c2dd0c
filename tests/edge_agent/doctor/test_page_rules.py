"""Who gets in at the phone's page."""

from __future__ import annotations

import pytest

from edge_agent.doctor import page_rules
from edge_agent.doctor.page_rules import FREE_GUESSES, LAST_GUESS, door


def test_a_code_is_six_digits() -> None:
    for _ in range(50):
        assert page_rules.is_code(page_rules.new_code())
    assert not any(map(page_rules.is_code, ("", "12345", "1234567", "12345x", "１２３４５６")))


def test_a_code_works_once() -> None:
    closed = door("012345")
    assert not closed.opens_to("")
    opened, verdict = closed.knocked("012345", "cookie", 0)
    assert verdict == "in"
    assert opened.opens_to("cookie")
    assert not opened.opens_to("other")
    again, verdict = opened.knocked("012345", "another", 0)
    assert verdict == "wrong"
    assert again.opens_to("cookie"), "whoever was in stays in"
    assert not again.opens_to("another")


def test_guessing_waits_and_then_ends() -> None:
    state, now_s = door("012345"), 0.0
    for _ in range(FREE_GUESSES):
        assert state.knocked("012345", "c", now_s)[1] == "in"
        state, verdict = state.knocked("999999", "c", now_s)
        assert verdict == "wrong"
    assert state.knocked("012345", "c", now_s + 1) == (state, "wait"), "the right one waits, too"
    assert state.knocked("012345", "c", now_s + 31)[1] == "in"
    guesses = FREE_GUESSES
    while not state.closed:
        now_s = state.wait_until_s
        state, verdict = state.knocked("999999", "c", now_s)
        guesses += 1
    assert (guesses, verdict) == (LAST_GUESS, "closed")
    assert now_s > 3_000, "twenty guesses of a million take an hour"
    assert state.knocked("012345", "c", now_s + 10**6)[1] == "closed"


@pytest.mark.parametrize("near", ["127.0.0.1", "192.168.1.20", "10.0.0.9", "172.20.1.1", "169.254.1.1"])
def test_near(near: str) -> None:
    assert page_rules.is_near(near)


@pytest.mark.parametrize("far", ["8.8.8.8", "113.160.0.1", "100.64.0.1", "0.0.0.0", "odd"])
def test_far(far: str) -> None:
    assert not page_rules.is_near(far)


def test_hosts_and_cookies() -> None:
    assert page_rules.is_ours("192.168.1.20:8780", ["192.168.1.20"], 8780)
    assert not page_rules.is_ours("evil.example:8780", ["192.168.1.20"], 8780)
    assert not page_rules.is_ours("", [], 8780)
    assert page_rules.cookie_of("a=b; ttdn_page=xyz; c") == "xyz"
    assert page_rules.cookie_of("a=b") == ""


@pytest.mark.parametrize(
    ("said", "expected"),
    [("0", 0), ("9", 9), ("64", 64), ("65", None), ("000000400000000", None), ("064", None), ("", None), ("-1", None),
     ("\u0661", None), ("1 ", None)],
)  # fmt: skip
def test_how_much_of_a_form_is_read(said: str, expected: int | None) -> None:
    assert page_rules.form_bytes(said) == expected
