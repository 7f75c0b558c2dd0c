"""Passwords: which are taken, and how they are kept (Argon2id with argon2-cffi's own default profile)."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.people import strings
from hub.people.common_passwords import COMMON
from hub.people.errors import PeopleRefused

LEAST_LETTERS: Final = 12
MOST_LETTERS: Final = 256
_LEAST_DIFFERENT: Final = 5
_NAME_THAT_COUNTS: Final = 4


class TooBusy(Exception):
    """Try again in a moment: too many passwords are being checked."""


class Hashing(Protocol):
    """What keeps passwords."""

    def place(self) -> AbstractContextManager[None]:
        """To be held while a password of somebody who asks is looked at; TooBusy if there is none."""

    def hash(self, password: str) -> str:
        """What is kept of it."""

    def verify(self, kept: str | None, password: str) -> bool:
        """Whether it is the one; None: there is none to compare with, and that takes as long."""

    def is_outdated(self, kept: str) -> bool:
        """Whether it ought to be hashed again, with today's parameters."""


def normal(password: str) -> str:
    """One form for what different keyboards send for the same letters (a Vietnamese one may send them composed)."""
    return unicodedata.normalize("NFKC", password)


def refuse_weak(password: str, name: str) -> None:
    """PeopleRefused unless it is long enough and neither the person's name nor a common word with numbers."""
    text = normal(password)
    if len(text) < LEAST_LETTERS:
        raise PeopleRefused(strings.TOO_SHORT.format(least=LEAST_LETTERS))
    if len(text) > MOST_LETTERS:
        raise PeopleRefused(strings.TOO_LONG.format(most=MOST_LETTERS))
    if len(set(text)) < _LEAST_DIFFERENT:
        raise PeopleRefused(strings.REPEATS)
    folded = text.casefold()
    if (len(name) >= _NAME_THAT_COUNTS and name in folded) or _letters(folded) == _letters(name):
        raise PeopleRefused(strings.IS_THE_NAME)
    if _letters(folded) in COMMON | {""}:
        raise PeopleRefused(strings.TOO_COMMON)


def _letters(text: str) -> str:
    """Without accents, digits and signs: `Mật-Khẩu-2026!` is `matkhau`."""
    plain = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return "".join(mark for mark in plain if mark.isalpha())


class Argon2:
    """Argon2id. Each password takes 64 MiB for a tenth of a second: few are worked on at once, and few may wait."""

    def __init__(self, hasher: PasswordHasher | None = None, *, at_once: int = 2, most_waiting: int = 8) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + most_waiting)
        self._nobodys = self._hasher.hash(secrets.token_hex())

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place among those who wait or are looked at; TooBusy if all are taken."""
        if not self._places.acquire(blocking=False):
            raise TooBusy
        try:
            yield
        finally:
            self._places.release()

    def hash(self, password: str) -> str:
        """With salt and parameters, as text."""
        with self._slots:
            return self._hasher.hash(normal(password))

    def verify(self, kept: str | None, password: str) -> bool:
        """In the same time for somebody and for nobody. A hash that cannot be read fits no password."""
        with self._slots:
            try:
                right = self._hasher.verify(kept or self._nobodys, normal(password))
            except (VerificationError, InvalidHashError):
                return False
        return right and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)
