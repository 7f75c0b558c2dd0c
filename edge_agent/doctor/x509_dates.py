"""From when to when a certificate is good, out of its PEM, without loading cryptography.

Only the dates are read; whether signatures are right is for OpenSSL to say, at every connection.
"""

from __future__ import annotations

import ssl
from calendar import timegm
from datetime import UTC, datetime
from typing import Final, NamedTuple

_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class Dates(NamedTuple):
    """Unix ms, both included."""

    begins_ms: int
    ends_ms: int


class _Part(NamedTuple):
    tag: int
    body: bytes
    rest: bytes


def dates(pem: str) -> Dates:
    """Of the first certificate in a PEM text. ValueError if there is none, or it is not one."""
    begin, end = pem.find(_BEGIN), pem.find(_END)
    if not 0 <= begin < end:
        raise ValueError("there is no certificate in it")
    return dates_of_der(ssl.PEM_cert_to_DER_cert(pem[begin : end + len(_END)]))


def dates_of_der(der: bytes) -> Dates:
    """Of a certificate in DER. ValueError if it is not one."""
    signed = _part(_part(der, _SEQUENCE).body, _SEQUENCE).body
    if signed[:1] == bytes([_VERSION]):
        signed = _part(signed).rest
    for _ in ("serial number", "algorithm", "issuer"):
        signed = _part(signed).rest
    validity = _part(signed, _SEQUENCE).body
    begins = _part(validity)
    return Dates(_time_ms(begins), _time_ms(_part(begins.rest)))


def _part(data: bytes, tag: int | None = None) -> _Part:
    """The element at the beginning of `data`."""
    if len(data) < 2 or (tag is not None and data[0] != tag):
        raise ValueError("it is not a certificate")
    length, at = data[1], 2
    if length & 0x80:
        at = 2 + (length & 0x7F)
        length = int.from_bytes(data[2:at], "big")
    if len(data) < at + length:
        raise ValueError("it is cut off")
    return _Part(data[0], data[at : at + length], data[at + length :])


def _time_ms(part: _Part) -> int:
    formats = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}
    if part.tag not in formats:
        raise ValueError("its dates are of no known form")
    moment = datetime.strptime(part.body.decode("ascii", "replace"), formats[part.tag]).replace(tzinfo=UTC)
    if part.tag == _UTC_TIME and moment.year >= 2050:  # RFC 5280: two digits mean 1950 to 2049
        moment = moment.replace(year=moment.year - 100)
    return timegm(moment.timetuple()) * 1000
