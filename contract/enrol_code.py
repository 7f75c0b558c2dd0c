"""The one-use code with which a kiosk becomes a device of a hub: what stands in it, and how people write it.

25 bytes as 40 characters of Crockford's base32 in eight groups: version, secret, fingerprint of the hub's certificate
authority, minute of issue, check byte. So one thing to type proves the kiosk to the hub (secret), the hub to the kiosk
(fingerprint, so that the first contact cannot be intercepted), and tells a kiosk without a clock what time it is at
least. Letters that are easily taken for figures are read as those; case, spaces and hyphens do not matter.
"""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec import Struct

from contract.errors import ContractError

SECRET_BYTES: Final = 8
AUTHORITY_BYTES: Final = 12
_VERSION: Final = 1
_EPOCH_MS: Final = 1_577_836_800_000
"""2020-01-01T00:00:00Z."""
_MINUTE_MS: Final = 60_000
_MINUTE_BYTES: Final = 3
_GROUP: Final = 5
_LENGTH: Final = 40
_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE: Final = str.maketrans("OIL", "011", " -\t\r\n\u2010\u2011\u2013\u00a0")


class EnrolCode(Struct, frozen=True):
    """What a code says. `authority` is `authority_fingerprint` of the certificate that signs the hub's."""

    secret: bytes
    authority: bytes
    issued_ms: int
    """Unix ms, whole minutes: no kiosk that holds this code lives before it."""

    def text(self) -> str:
        """As people read it: groups of five, hyphens between them."""
        minutes = (self.issued_ms - _EPOCH_MS) // _MINUTE_MS
        body = bytes([_VERSION]) + self.secret + self.authority + minutes.to_bytes(_MINUTE_BYTES, "big")
        number = int.from_bytes(body + _check(body), "big")
        digits = "".join(_DIGITS[number >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))
        return "-".join(digits[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))


def authority_fingerprint(der: bytes) -> bytes:
    """The first 12 bytes of the SHA-256 of a certificate in DER: to find another one is 2^96 work."""
    return hashlib.sha256(der).digest()[:AUTHORITY_BYTES]


def parse_enrol_code(text: str) -> EnrolCode:
    """The code that somebody typed. ContractError, which never repeats it, says what is wrong with it."""
    digits = text.upper().translate(_ALIKE)
    if len(digits) != _LENGTH:
        raise ContractError("invalid", f"the code has {len(digits)} characters; expected {_LENGTH}, hyphens apart")
    for at, digit in enumerate(digits):
        if digit not in _DIGITS:
            raise ContractError("invalid", f"character {at % _GROUP + 1} of group {at // _GROUP + 1} is in no code")
    number = 0
    for digit in digits:
        number = number << 5 | _DIGITS.index(digit)
    raw = number.to_bytes(_LENGTH * 5 // 8, "big")
    body, check = raw[:-1], raw[-1:]
    if check != _check(body):
        raise ContractError("invalid", "the code is mistyped: its characters do not fit together; compare each group")
    if body[0] != _VERSION:
        raise ContractError("invalid", f"the code is of version {body[0]}; this agent reads {_VERSION}: update it")
    secret, authority = body[1 : 1 + SECRET_BYTES], body[1 + SECRET_BYTES : -_MINUTE_BYTES]
    minutes = int.from_bytes(body[-_MINUTE_BYTES:], "big")
    return EnrolCode(secret, authority, _EPOCH_MS + minutes * _MINUTE_MS)


def _check(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:1]
