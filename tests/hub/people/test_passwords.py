"""Which passwords are taken, and how they are kept."""

from __future__ import annotations

import threading
import unicodedata
from typing import Literal

import pytest
from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY
from hypothesis import given
from hypothesis import strategies as st

from hub.people.common_passwords import COMMON
from hub.people.errors import PeopleRefused
from hub.people.passwords import LEAST_LETTERS, MOST_LETTERS, Argon2, TooBusy, normal, refuse_weak
from tests.hub.people.making import CHEAP

GOOD = "bốn con ngựa vàng"


class Counting(PasswordHasher):
    """Notes what it compares with."""

    def __init__(self, time_cost: int = 1) -> None:
        super().__init__(time_cost=time_cost, memory_cost=8, parallelism=1)
        self.compared: list[str | bytes] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
        self.compared.append(hash)
        return super().verify(hash, password)


@pytest.mark.parametrize("password", [GOOD, "đ" * 4 + "abcdefgh1", "Quan tri vien nha bep 7", "x9!v8?m7.k6q"])
def test_good_passwords(password: str) -> None:
    refuse_weak(password, "nguyen.an")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "ít nhất 12"),
        ("mười một chữ"[:11], "ít nhất 12"),
        ("a" * 300, "tối đa 256"),
        ("abababababab", "lặp lại"),
        ("123123123123", "lặp lại"),
        ("nguyen.an2026!", "tên đăng nhập"),
        ("xx NGUYEN.AN xx", "tên đăng nhập"),
        ("nguyen-an-20261123", "tên đăng nhập"),
        ("123456789012", "phổ biến"),
        ("Password2026!", "phổ biến"),
        ("Mật-Khẩu-2026", "phổ biến"),
        ("Quản trị viên 1", "phổ biến"),
        ("2026Administrator", "phổ biến"),
        ("VietNam@30041975", "phổ biến"),
    ],
)
def test_what_is_refused_and_why(password: str, why: str) -> None:
    with pytest.raises(PeopleRefused, match=why) as caught:
        refuse_weak(password, "nguyen.an")
    assert not password or password not in str(caught.value)


def test_a_short_name_does_not_forbid_its_letters() -> None:
    refuse_weak("bốn con ngựa vàng", "an")
    with pytest.raises(PeopleRefused, match="tên đăng nhập"):
        refuse_weak("an1234567890", "an")


@given(st.text(max_size=300), st.from_regex(r"[a-z][a-z0-9.]{0,20}[a-z]", fullmatch=True))
def test_what_is_taken_is_long_and_without_the_name(password: str, name: str) -> None:
    try:
        refuse_weak(password, name)
    except PeopleRefused:
        return
    assert LEAST_LETTERS <= len(normal(password)) <= MOST_LETTERS
    assert len(name) < 4 or name not in normal(password).casefold()


def test_common_words_are_written_as_they_are_compared() -> None:
    assert all(word.isascii() and word.isalpha() and word.islower() for word in COMMON)


def test_kept_with_the_library_s_own_profile_and_a_salt() -> None:
    hashing = Argon2()
    kept = hashing.hash(GOOD)
    profile = RFC_9106_LOW_MEMORY
    assert kept.startswith(f"$argon2id$v=19$m={profile.memory_cost},t={profile.time_cost},p={profile.parallelism}$")
    assert hashing.verify(kept, GOOD)
    assert not hashing.verify(kept, GOOD + "x")
    assert not hashing.is_outdated(kept)
    assert hashing.is_outdated(CHEAP.hash(GOOD))


def test_two_of_the_same_are_kept_differently() -> None:
    assert CHEAP.hash(GOOD) != CHEAP.hash(GOOD)


def test_the_same_letters_from_another_keyboard() -> None:
    decomposed = unicodedata.normalize("NFD", GOOD)
    assert decomposed != GOOD
    assert CHEAP.verify(CHEAP.hash(GOOD), decomposed)
    assert CHEAP.verify(CHEAP.hash(decomposed), GOOD)


def test_nobody_s_password_is_compared_too_with_the_same_parameters() -> None:
    library = Counting(time_cost=2)
    hashing = Argon2(library)
    kept = hashing.hash(GOOD)
    assert not hashing.verify(None, GOOD)
    assert hashing.verify(kept, GOOD)
    nobodys, somebodys = map(str, library.compared)
    assert nobodys != somebodys
    assert nobodys.split("$")[:4] == somebodys.split("$")[:4]


def test_not_even_nobody_s_own_password_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda: "known to the attacker")
    hashing = Argon2(Counting())
    assert not hashing.verify(None, "known to the attacker")


@pytest.mark.parametrize("kept", ["", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$broken$broken", "$2b$12$" + "x" * 53])
def test_a_hash_that_cannot_be_read_fits_nothing(kept: str) -> None:
    assert not CHEAP.verify(kept or "$argon2", GOOD)


def test_more_than_may_wait_are_sent_away() -> None:
    hashing = Argon2(Counting(), at_once=1, most_waiting=1)
    with hashing.place(), hashing.place(), pytest.raises(TooBusy), hashing.place():
        pass
    with hashing.place():
        assert hashing.verify(hashing.hash(GOOD), GOOD)


def test_no_more_than_so_many_at_once() -> None:
    inside, most, lock = [0], [0], threading.Lock()

    class Slow(Counting):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            try:
                return super().verify(hash, password)
            finally:
                with lock:
                    inside[0] -= 1

    hashing = Argon2(Slow(time_cost=20), at_once=2)
    threads = [threading.Thread(target=hashing.verify, args=(None, GOOD)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most[0] <= 2
