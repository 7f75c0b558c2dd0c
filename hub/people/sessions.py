"""Sessions of people who logged in: a random id in a cookie, kept as its SHA-256, that ends by age or by idleness."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hub.people.tokens import digest

NOTED_EVERY: Final = timedelta(seconds=60)
"""The use of a session is written down at most this often: a page that renews itself would else write all the time."""
_ID: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ID_BYTES: Final = 32


class Lifetime(NamedTuple):
    """How long a session lives at most, and how long without being used."""

    most: timedelta
    idle: timedelta


@dataclass(frozen=True)
class NewSession:
    """A session at its birth: `text` is for the cookie and is kept nowhere."""

    sha256: bytes
    text: str = field(repr=False)


class Session(NamedTuple):
    """When it began and was last used, as far as was noted."""

    began_at: datetime
    seen_at: datetime

    def ends_at(self, lifetime: Lifetime) -> datetime:
        """When it is over unless it is used again."""
        return min(self.began_at + lifetime.most, self.seen_at + lifetime.idle)

    def is_over(self, now: datetime, lifetime: Lifetime) -> bool:
        """Whether it no longer lets anybody in. One that begins in the future is over: the clock was wrong."""
        return now >= self.ends_at(lifetime) or now < self.began_at - NOTED_EVERY

    def is_to_be_noted(self, now: datetime) -> bool:
        """Whether its use is to be written down."""
        return now >= self.seen_at + NOTED_EVERY


def new_session() -> NewSession:
    """A session that nobody can guess."""
    secret = secrets.token_bytes(_ID_BYTES)
    return NewSession(digest(secret), secret.hex())


def session_sha256(cookie: str) -> bytes | None:
    """What a session is kept under, from its cookie; None if that has not a session's form."""
    return digest(bytes.fromhex(cookie)) if _ID.fullmatch(cookie) else None
