"""One-use codes as the hub makes them: it keeps only a hash of the secret."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from contract.enrol_code import SECRET_BYTES, EnrolCode, authority_fingerprint


class NewCode(NamedTuple):
    """A code to hand out, once."""

    code: EnrolCode
    issued_at: datetime
    expires_at: datetime

    @property
    def sha256(self) -> bytes:
        """What is kept of it."""
        return hash_of(self.code.secret)

    def link(self, url: str) -> str:
        """What its QR says. What follows the # reaches no server."""
        return f"{url}/enrol#{self.code.text()}"


def new_code(authority_der: bytes, now: datetime, life: timedelta) -> NewCode:
    """For the hub whose certificate authority this is."""
    issued_at = now.replace(second=0, microsecond=0)  # the code carries whole minutes
    code = EnrolCode(
        secrets.token_bytes(SECRET_BYTES), authority_fingerprint(authority_der), round(issued_at.timestamp() * 1000)
    )
    return NewCode(code, now, now + life)


def hash_of(secret: bytes) -> bytes:
    """SHA-256; the secret is random, so nothing slower is needed."""
    return hashlib.sha256(secret).digest()
