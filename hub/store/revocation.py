"""Revoked certificates and barred devices in the database: it is what holds, and lists at brokers follow it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from hub.errors import ConfigError
from hub.people.deeds import Deed
from hub.registry import strings as registry_strings
from hub.store.named import named

Connection = psycopg.Connection[Any]


def revoke(connection: Connection, device: str, reason: str, *, by: str, now: datetime) -> list[str]:
    """Take back every certificate and open code of a device, and hear it no longer, until it is enrolled again.

    The serials that were good until now. ConfigError: no such device.
    """
    with connection.transaction():
        found = connection.execute(named("enrolment")["device"], {"device": device}).fetchone()
        if found is None:
            raise ConfigError(registry_strings.NO_DEVICE.format(device=device))
        given = {"device": found[0], "reason": reason, "now": now}
        serials = [row[0] for row in connection.execute(named("enrolment")["revoke"], given).fetchall()]
        connection.execute(named("enrolment")["withdraw_codes"], given)
        connection.execute(named("enrolment")["bar"], given)
        deed: Deed = "device_revoked"
        entry = {"now": now, "who": by, "deed": deed, "what": f"device:{device}"}
        detail = Jsonb({"reason": reason, "serials": serials})
        connection.execute(named("enrolment")["note"], entry | {"detail": detail})
    return serials


def revoked(connection: Connection, now: datetime) -> dict[str, datetime]:
    """Serials that the revocation list must name, with the time of each."""
    return dict(connection.execute(named("enrolment")["revoked"], {"now": now}).fetchall())


def to_cut_off(connection: Connection) -> list[str]:
    """Devices that may still have a session with a certificate that was revoked."""
    return [row[0] for row in connection.execute(named("enrolment")["to_cut_off"]).fetchall()]


def cut_off(connection: Connection, devices: Iterable[str], before: datetime, now: datetime) -> None:
    """Their sessions with what was revoked at that time have ended for sure."""
    given = {"devices": list(devices), "before": before, "now": now}
    connection.execute(named("enrolment")["cut_off"], given)


def barred(connection: Connection) -> dict[str, datetime]:
    """Devices that are not heard, and since when."""
    return dict(connection.execute(named("enrolment")["barred"]).fetchall())
