"""Who may see the phone's page, without I/O: a code that works once, few guesses, a cookie for who had it.

The code has six digits because it is read off a terminal and typed into a telephone. What makes that enough: it works
once, after five wrong ones each further guess waits longer, and after twenty the page closes.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from typing import Final, Literal

from msgspec import Struct

COOKIE: Final = "ttdn_page"
CODE_DIGITS: Final = 6
FREE_GUESSES: Final = 5
LAST_GUESS: Final = 20
FIRST_WAIT_S: Final = 30.0
MAX_WAIT_S: Final = 300.0
MAX_FORM_BYTES: Final = 64
SECURITY_HEADERS: Final = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)


def new_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def is_code(text: str) -> bool:
    """Whether it can be a code."""
    return len(text) == CODE_DIGITS and text.isascii() and text.isdigit()


def form_bytes(content_length: str) -> int | None:
    """How much of a form is to be read; None if it is too large, or no number that a browser writes."""
    if not (content_length.isascii() and content_length.isdigit() and len(content_length) <= len(str(MAX_FORM_BYTES))):
        return None
    return length if (length := int(content_length)) <= MAX_FORM_BYTES else None


Verdict = Literal["in", "wrong", "wait", "closed"]


class Door(Struct, frozen=True, kw_only=True):
    """The state of the door; each question gives the next state. Codes and cookies are kept as hashes only."""

    code_sha256: bytes
    """Empty once it was used."""
    cookie_sha256: bytes = b""
    wrong: int = 0
    wait_until_s: float = 0.0

    @property
    def closed(self) -> bool:
        """Too many guesses: nobody comes in any more."""
        return self.wrong >= LAST_GUESS

    def knocked(self, code: str, cookie: str, now_s: float) -> tuple[Door, Verdict]:
        """Somebody gives a code; if it is right, `cookie` opens from now on."""
        if self.closed:
            return self, "closed"
        if now_s < self.wait_until_s:
            return self, "wait"
        if self.code_sha256 and hmac.compare_digest(self.code_sha256, _hash(code)):
            return Door(code_sha256=b"", cookie_sha256=_hash(cookie), wrong=self.wrong), "in"
        wrong = self.wrong + 1
        over = wrong - FREE_GUESSES
        wait_s = min(MAX_WAIT_S, FIRST_WAIT_S * 2.0**over) if over >= 0 else 0.0
        changed = Door(
            code_sha256=self.code_sha256, cookie_sha256=self.cookie_sha256, wrong=wrong, wait_until_s=now_s + wait_s
        )
        return changed, "closed" if changed.closed else "wrong"

    def opens_to(self, cookie: str) -> bool:
        """Whether this telephone has given the code."""
        return bool(self.cookie_sha256) and hmac.compare_digest(self.cookie_sha256, _hash(cookie))


def door(code: str) -> Door:
    """A door that opens to `code`, once."""
    return Door(code_sha256=_hash(code))


def is_near(client: str) -> bool:
    """Whether an address may ask at all: those of local networks, not the world's."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    return address.is_private and not address.is_unspecified


def is_ours(host_header: str, own: list[str], port: int) -> bool:
    """Whether the request names one of our addresses: a foreign page whose name was rebound to us does not."""
    return host_header.lower() in {f"{name}:{port}" for name in [*own, "127.0.0.1", "localhost"]}


def cookie_of(header: str) -> str:
    """Our cookie out of a Cookie header; empty if there is none."""
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
