"""API tokens: `ttdn_<key>_<secret>`. Shown once; kept as the SHA-256 of the secret's 256 random bits.

The key (48 random bits) is no secret: it finds the row, names the token in lists and stands in a leaked text,
so that whoever finds one can tell which to revoke. The secret needs no slow hash: 256 random bits cannot be guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from hub.people.principal import Principal, Provinces
from hub.people.roles import PERSONAL, Scope

PREFIX: Final = "ttdn_"
TOKEN: Final = re.compile(rf"{PREFIX}([0-9a-f]{{12}})_([0-9a-f]{{64}})", re.ASCII)
KEY: Final = re.compile(r"[0-9a-f]{12}", re.ASCII)
_KEY_BYTES: Final = 6
_SECRET_BYTES: Final = 32
Refusal = Literal["unknown", "expired", "revoked"]


@dataclass(frozen=True)
class NewToken:
    """A token at its birth: `text` is for whoever asked for it and is kept nowhere."""

    key: str
    sha256: bytes
    text: str = field(repr=False)


@dataclass(frozen=True)
class KnownToken:
    """A token as it is kept."""

    id: int
    key: str
    name: str
    sha256: bytes = field(repr=False)
    scopes: frozenset[Scope]
    provinces: Provinces
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None

    def principal(self) -> Principal:
        """Who asks with it."""
        return Principal("token", self.key, self.scopes - PERSONAL, self.provinces, until=self.expires_at)


@dataclass(frozen=True)
class Presented:
    """What somebody showed; the secret is not checked yet."""

    key: str
    secret: bytes = field(repr=False)


def new_token() -> NewToken:
    """A token that nobody can guess."""
    key, secret = secrets.token_hex(_KEY_BYTES), secrets.token_bytes(_SECRET_BYTES)
    return NewToken(key, digest(secret), f"{PREFIX}{key}_{secret.hex()}")


def presented(text: str) -> Presented | None:
    """The parts of a token; None if it has not a token's form."""
    match = TOKEN.fullmatch(text)
    return Presented(match[1], bytes.fromhex(match[2])) if match else None


def refusal(shown: Presented, known: KnownToken | None, now: datetime) -> Refusal | None:
    """Why it is not let through; None if it is. Only who has the secret learns that a token expired or was revoked."""
    if known is None or known.key != shown.key or not hmac.compare_digest(digest(shown.secret), known.sha256):
        return "unknown"
    if known.revoked_at is not None:
        return "revoked"
    return "expired" if now >= known.expires_at else None


def digest(secret: bytes) -> bytes:
    """What is kept of a secret of 256 random bits."""
    return hashlib.sha256(secret).digest()
