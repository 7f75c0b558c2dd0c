"""Tokens and sessions: what is kept lets nobody in, what is shown is recognised, and both end."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.people.sessions import NOTED_EVERY, Lifetime, Session, new_session, session_sha256
from hub.people.tokens import TOKEN, KnownToken, NewToken, Presented, new_token, presented, refusal

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
LIFETIME = Lifetime(timedelta(hours=12), timedelta(hours=1))


def kept(token: NewToken, **changes: object) -> KnownToken:
    known = KnownToken(
        id=1,
        key=token.key,
        name="grafana",
        sha256=token.sha256,
        scopes=frozenset({"read"}),
        provinces=frozenset({"20"}),
        created_at=NOW,
        expires_at=NOW + timedelta(days=1),
        revoked_at=None,
        used_at=None,
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def shown(text: str) -> Presented:
    found = presented(text)
    assert found is not None
    return found


def test_what_is_kept_is_the_hash_of_256_bits() -> None:
    token = new_token()
    secret = bytes.fromhex(token.text.split("_")[2])
    assert len(secret) == 32
    assert token.sha256 == hashlib.sha256(secret).digest()
    assert TOKEN.fullmatch(token.text)
    assert token.text.startswith(f"ttdn_{token.key}_")
    assert len({new_token().text for _ in range(100)}) == 100


def test_a_secret_is_never_printed() -> None:
    token, session = new_token(), new_session()
    printed = f"{token!r} {token} {shown(token.text)!r} {kept(token)!r} {session!r}"
    assert token.text.split("_")[2] not in printed
    assert repr(token.sha256) not in printed.replace(repr(token), "")
    assert session.text not in printed


def test_the_right_one_is_let_through() -> None:
    token = new_token()
    assert refusal(shown(token.text), kept(token), NOW) is None
    who = kept(token).principal()
    assert (who.key, who.scopes, who.provinces) == (f"token:{token.key}", frozenset({"read"}), frozenset({"20"}))


def test_why_a_token_is_refused() -> None:
    token, other = new_token(), new_token()
    right = shown(token.text)
    assert refusal(right, None, NOW) == "unknown"
    assert refusal(Presented(token.key, shown(other.text).secret), kept(token), NOW) == "unknown"
    assert refusal(right, kept(other), NOW) == "unknown"
    assert refusal(right, kept(token), NOW + timedelta(days=1)) == "expired"
    assert refusal(right, kept(token, revoked_at=NOW), NOW) == "revoked"


def test_only_who_has_the_secret_learns_that_it_is_over() -> None:
    token = new_token()
    guessed = Presented(token.key, bytes(32))
    assert refusal(guessed, kept(token, revoked_at=NOW), NOW) == "unknown"
    assert refusal(guessed, kept(token), NOW + timedelta(days=9)) == "unknown"


@given(st.integers(0, 81), st.sampled_from("0123456789abcdefgXYZ_ "))
def test_one_other_letter_and_it_is_another_token(place: int, letter: str) -> None:
    token = new_token()
    text = token.text[:place] + letter + token.text[place + 1 :]
    other = presented(text)
    if text != token.text and other is not None:
        assert refusal(other, kept(token), NOW) == "unknown"


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    assert presented(text) is None
    assert presented("ttdn_" + text) is None
    assert session_sha256(text) is None


@pytest.mark.parametrize(
    "change", [str.upper, lambda text: text + "\n", lambda text: text[:-1], lambda text: " " + text]
)
def test_other_forms_are_no_tokens(change: object) -> None:
    assert callable(change)
    assert presented(change(new_token().text)) is None


# -- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_is_kept_as_the_hash_of_256_bits() -> None:
    session = new_session()
    assert session_sha256(session.text) == session.sha256 == hashlib.sha256(bytes.fromhex(session.text)).digest()
    assert len(bytes.fromhex(session.text)) == 32
    assert len({new_session().text for _ in range(100)}) == 100


def test_a_session_ends_by_age_and_by_idleness() -> None:
    session = Session(NOW, NOW)
    assert not session.is_over(NOW + timedelta(minutes=59), LIFETIME)
    assert session.is_over(NOW + timedelta(hours=1), LIFETIME)
    used = Session(NOW, NOW + timedelta(hours=11, minutes=30))
    assert not used.is_over(NOW + timedelta(hours=11, minutes=59), LIFETIME)
    assert used.is_over(NOW + timedelta(hours=12), LIFETIME)
    assert used.ends_at(LIFETIME) == NOW + timedelta(hours=12)


def test_a_session_of_the_future_is_over() -> None:
    assert Session(NOW, NOW).is_over(NOW - timedelta(hours=1), LIFETIME)
    assert not Session(NOW, NOW).is_over(NOW - timedelta(seconds=1), LIFETIME)


@given(st.lists(st.integers(1, 7_200), max_size=60))
def test_use_never_makes_a_session_live_longer_than_it_may(pauses_s: list[int]) -> None:
    session, now = Session(NOW, NOW), NOW
    for pause_s in pauses_s:
        now += timedelta(seconds=pause_s)
        if session.is_over(now, LIFETIME):
            assert now - session.seen_at >= LIFETIME.idle or now - NOW >= LIFETIME.most
            return
        assert now - NOW < LIFETIME.most
        if session.is_to_be_noted(now):
            session = session._replace(seen_at=now)
        assert now - session.seen_at < NOTED_EVERY
