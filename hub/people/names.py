"""What people, tokens and provinces may be called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from hub.people import strings
from hub.people.errors import PeopleRefused
from hub.people.principal import Provinces

MOST_LETTERS: Final = 40
_LOGIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")
_PROVINCE: Final = re.compile(r"[0-9]{2}", re.ASCII)


def login_name(typed: str) -> str | None:
    """The name as it is kept, from what a person types; None if nobody can be called so."""
    name = unicodedata.normalize("NFKC", typed).strip().lower()
    return name if _LOGIN.fullmatch(name) else None


def new_login_name(typed: str) -> str:
    """The name of somebody new. PeopleRefused if nobody can be called so."""
    name = login_name(typed)
    if name is None:
        raise PeopleRefused(strings.BAD_NAME.format(name=typed))
    return name


def token_name(typed: str) -> str:
    """What a token is for, in a few words. PeopleRefused if it is empty, long, or has control characters."""
    name = unicodedata.normalize("NFC", typed).strip()
    if not name or len(name) > MOST_LETTERS or not name.isprintable():
        raise PeopleRefused(strings.BAD_PURPOSE)
    return name


def provinces_of(codes: Sequence[str], *, every: bool) -> Provinces:
    """The provinces that somebody is given: named ones or, said in as many words, all. PeopleRefused if neither."""
    if bool(codes) == every:
        raise PeopleRefused(strings.WHICH_PROVINCES)
    for code in codes:
        if not _PROVINCE.fullmatch(code):
            raise PeopleRefused(strings.BAD_PROVINCE.format(code=code))
    return None if every else frozenset(codes)
