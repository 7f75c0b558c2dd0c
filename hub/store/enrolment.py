"""Codes and certificates of devices in the database, each change with its entry of the audit log in one transaction.

The device's row is locked first: of two keys that come with one code at the same moment one gets a certificate and the
other is refused, and a revocation comes wholly before or wholly after. What is signed is signed within the transaction,
so that no certificate is out that the database does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

import psycopg
from cryptography import x509
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from hub.errors import ConfigError
from hub.people.deeds import Deed
from hub.pki.authority import pem_of, serial_of
from hub.pki.codes import NewCode
from hub.registry import strings as registry_strings
from hub.registry.csv_file import line_of
from hub.registry.device_names import may_be_device, next_device
from hub.registry.files import kind_of
from hub.store import registry
from hub.store.named import named

AGAIN: Final = timedelta(days=7)
"""So long the same key gets the same certificate again for the same code."""
MOST_RENEWALS: Final = 20
"""Of one certificate, by different keys: a device asks once, or once more after a power cut."""
MISUSED: Final = "code_misused"
"""The incident: a code came again with another key."""
Connection = psycopg.Connection[Any]
Row = dict[str, Any]
Sign = Callable[[str], x509.Certificate]
"""Makes a certificate for a device of this name."""
Reason = Literal["wrong", "used", "expired", "withdrawn", "revoked", "too_many"]


class Refused(Exception):
    """Nothing was issued. The reason is for log and metrics; who asks is told the same whatever it is."""

    def __init__(self, reason: Reason, device: str = "") -> None:
        super().__init__(f"{reason}{f' ({device})' if device else ''}")
        self.reason: Final = reason
        self.device: Final = device


class Issued(NamedTuple):
    """A certificate."""

    device: str
    pem: str
    again: bool
    """The same request had been answered before."""


def add_device(connection: Connection, site: str, kind: str, title_vi: str | None, *, by: str, now: datetime) -> str:
    """Register a device of the next free name at a site; its name. ConfigError: no such site, or no name is left."""
    if connection.execute("SELECT FROM site WHERE code = %s", (site,)).fetchone() is None:
        raise ConfigError(registry_strings.NO_SITE.format(site=site))
    with connection.transaction():
        registry.alone(connection)
        known = [row["name"] for row in _rows(connection, "device_names", {})]
        name = next_device(site, kind, known)
        if not may_be_device(name):
            raise ConfigError(f"{name!r} cannot be a device's name; give the site a shorter code")
        file = line_of(["name", "kind", "site", "title_vi"]) + line_of([name, kind, site, title_vi or ""])
        registry.import_file(connection, kind_of("devices"), file.encode(), by=by, now=now)
    return name


def issue_code(connection: Connection, device: str, code: NewCode, *, by: str, now: datetime) -> None:
    """A code for a device; older ones that nobody has used hold no longer. ConfigError: no such device."""
    if not may_be_device(device):
        raise ConfigError(f"{device!r} cannot be a device's name; it is reserved, or not of a-z, 0-9, '-'")
    with connection.transaction():
        number = _device(connection, device)
        _run(connection, "withdraw_codes", device=number, now=now)
        _run(connection, "put_code", sha256=code.sha256, device=number, now=now, expires_at=code.expires_at)
        detail = {"expires_at": code.expires_at.isoformat()}
        _note(connection, by, "device_code_issued", device, now, detail)


def enrol(connection: Connection, sha256: bytes, spki_sha256: bytes, now: datetime, sign: Sign) -> Issued:
    """The certificate for a code of this hash and a key. Refused; staff are told if another key has used it."""
    with connection.transaction():
        _rows(connection, "hold_device_of_code", {"sha256": sha256})
        rows = _rows(connection, "find_code", {"sha256": sha256})
        code = rows[0] if rows else None
        refused = _why_not(code, spki_sha256, now)
        if code is not None and refused is None:
            if code["used_at"] is not None:
                return Issued(code["name"], code["pem"], again=True)
            return _enrol(connection, code, sha256, spki_sha256, now, sign)
        if code is not None and refused == "used" and code["spki_sha256"] != spki_sha256:
            _tell_misuse(connection, code, now)
    raise Refused(refused or "wrong", code["name"] if code else "")


def renew(connection: Connection, serial: str, spki_sha256: bytes, now: datetime, sign: Sign) -> Issued:
    """The next certificate of the device that has the one of this number, for another key. Refused."""
    with connection.transaction():
        _rows(connection, "hold_device_of_certificate", {"serial": serial})
        rows = _rows(connection, "find_certificate", {"serial": serial})
        if not rows:
            raise Refused("wrong")
        known = rows[0]
        device = known["name"]
        renewals = _rows(connection, "find_renewals", {"renews": serial})
        same = [row for row in renewals if row["spki_sha256"] == spki_sha256]
        if known["revoked_at"] is not None or any(row["revoked_at"] is not None for row in same):
            raise Refused("revoked", device)
        if same:
            return Issued(device, same[0]["pem"], again=True)
        if len(renewals) >= MOST_RENEWALS:
            raise Refused("too_many", device)
        issued = _put(connection, known["device"], sign(device), spki_sha256, serial, now)
        _note(connection, f"device:{device}", "device_renewed", device, now, {"serial": serial_of(issued)})
        return Issued(device, pem_of(issued), again=False)


def devices(connection: Connection, now: datetime, device: str | None = None) -> list[Row]:
    """Every device, or one, with its newest certificate and its open code."""
    return _rows(connection, "list", {"now": now, "device": device})


def certificates(connection: Connection, device: str) -> list[Row]:
    """All certificates of a device, newest first."""
    return _rows(connection, "certificates", {"device": device})


# -- inside -----------------------------------------------------------------------------------------------------------


def _why_not(code: Row | None, spki_sha256: bytes, now: datetime) -> Reason | None:
    if code is None:
        return "wrong"
    if code["used_at"] is not None:
        if code["spki_sha256"] != spki_sha256 or now > code["used_at"] + AGAIN:
            return "used"
        return "revoked" if code["revoked_at"] is not None else None
    if code["withdrawn_at"] is not None:
        return "withdrawn"
    return "expired" if now >= code["expires_at"] else None


def _enrol(connection: Connection, code: Row, sha256: bytes, spki_sha256: bytes, now: datetime, sign: Sign) -> Issued:
    device = code["name"]
    issued = _put(connection, code["device"], sign(device), spki_sha256, None, now)
    serial = serial_of(issued)
    _run(connection, "use_code", sha256=sha256, spki_sha256=spki_sha256, serial=serial, now=now)
    _run(connection, "unbar", device=code["device"])
    _run(connection, "close_revoked", device=code["device"], now=now)
    _note(connection, f"device:{device}", "device_enrolled", device, now, {"serial": serial})
    return Issued(device, pem_of(issued), again=False)


def _put(
    connection: Connection,
    device: int,
    certificate: x509.Certificate,
    spki_sha256: bytes,
    renews: str | None,
    now: datetime,
) -> x509.Certificate:
    _run(
        connection,
        "put_certificate",
        serial=serial_of(certificate),
        device=device,
        spki_sha256=spki_sha256,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        now=now,
        renews=renews,
        pem=pem_of(certificate),
    )
    return certificate


def _tell_misuse(connection: Connection, code: Row, now: datetime) -> None:
    detail = Jsonb({"used_at": code["used_at"].isoformat(timespec="seconds")})
    given = {"kind": MISUSED, "device": code["name"], "detail": detail, "now": now}
    connection.execute(named("ledger")["raise_incident"], given)


def _device(connection: Connection, device: str) -> int:
    rows = _rows(connection, "device", {"device": device})
    if not rows or not rows[0]["is_registered"]:
        raise ConfigError(registry_strings.NO_DEVICE.format(device=device))
    return int(rows[0]["id"])


def _run(connection: Connection, query: str, **values: Any) -> None:
    connection.execute(named("enrolment")[query], values)


def _rows(connection: Connection, query: str, values: Row) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(named("enrolment")[query], values).fetchall()


def _note(connection: Connection, who: str, deed: Deed, device: str, now: datetime, detail: Row) -> None:
    _run(connection, "note", now=now, who=who, deed=deed, what=f"device:{device}", detail=Jsonb(detail))
