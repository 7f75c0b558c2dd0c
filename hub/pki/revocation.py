"""The revocation list: which certificates brokers let in no longer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from hub.pki.authority import Authority

LIFE: Final = timedelta(days=180)
"""A broker whose list is older than this lets nobody in, so it is far off: a hub that is down for a season ..."""
RENEW_AFTER: Final = timedelta(days=7)
"""... while every week it is signed anew."""


class RevocationList(NamedTuple):
    """What a list says."""

    number: int
    made_at: datetime
    next_update: datetime
    serials: frozenset[str]


def sign(authority: Authority, number: int, revoked: Mapping[str, datetime], now: datetime) -> bytes:
    """A list in PEM of these serials, revoked at those times."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.certificate.subject)
    builder = builder.last_update(now - timedelta(hours=1)).next_update(now + LIFE)
    for serial, at in sorted(revoked.items()):
        entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(at)
        builder = builder.add_revoked_certificate(entry.build())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = builder.add_extension(issuer, critical=False).add_extension(x509.CRLNumber(number), critical=False)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def read(pem: bytes) -> RevocationList:
    """ValueError if it is no list of ours."""
    found = x509.load_pem_x509_crl(pem)
    number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    ends = found.next_update_utc
    if ends is None:
        raise ValueError("a list without an end")
    serials = frozenset(f"{entry.serial_number:040x}" for entry in found)
    return RevocationList(number, found.last_update_utc, ends, serials)


def is_stale(known: RevocationList | None, revoked: Iterable[str], now: datetime) -> bool:
    """Whether another one has to be made: something is revoked that it lacks, or it is a week old."""
    if known is None:
        return True
    return not set(revoked) <= known.serials or not known.made_at <= now < known.made_at + RENEW_AFTER
