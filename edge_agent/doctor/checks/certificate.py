"""The device's own certificate: whether it is there, and until when it is good."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge_agent.doctor.finding import Fact, Finding, fail, ok, warn
from edge_agent.doctor.place import Place
from edge_agent.doctor.x509_dates import Dates, dates

CERTIFICATE: Final = Path("identity/current/certificate.pem")
AUTHORITY: Final = Path("identity/current/authority.pem")
DAY_MS: Final = 86_400_000
SOON_DAYS: Final = 60
"""Renewal begins with a third of the year left (120 days); with so few it must have failed for two months."""


def judge(id_: str, found: Dates, wall_ms: int, renewal_error: str = "") -> Finding:
    """`id_` is certificate.own or certificate.authority; `renewal_error` is why the agent could not renew it."""
    days = (found.ends_ms - wall_ms) // DAY_MS
    facts: dict[str, Fact] = {"until": day(found.ends_ms), "days": days}
    if found.ends_ms < wall_ms:
        return fail(id_, f"{id_}.expired", **facts)
    if found.begins_ms > wall_ms:
        return warn(id_, "certificate.future", since=day(found.begins_ms), now=day(wall_ms))
    if days < SOON_DAYS:
        return warn(id_, f"{id_}.soon", **facts)
    if renewal_error:
        return warn(id_, "certificate.own.not_renewed", reason=renewal_error, **facts)
    return ok(id_, f"{id_}.well", **facts)


def ends_ms(state_folder: Path) -> int | None:
    """When the device's certificate ends; None if there is none that can be read."""
    try:
        return dates((state_folder / CERTIFICATE).read_text("ascii", "replace")).ends_ms
    except (OSError, ValueError):
        return None


def check(place: Place) -> Iterator[Finding]:
    """The files of the identity. A device with a password of old has none."""
    if place.settings is None:
        return
    state = Path(place.settings.state_folder)
    for id_, file in ("certificate.own", state / CERTIFICATE), ("certificate.authority", state / AUTHORITY):
        try:
            error = _renewal_error(place) if id_ == "certificate.own" else ""
            yield judge(id_, dates(file.read_text("ascii", "replace")), place.best_ms(), error)
        except (FileNotFoundError, NotADirectoryError):
            if id_ == "certificate.own" and not place.settings.mqtt.password_file:
                yield fail(id_, "certificate.none")
        except OSError as error:
            yield fail(id_, "certificate.unreadable", file=str(file), reason=error.strerror or str(error))
        except ValueError as error:
            yield fail(id_, "certificate.damaged", file=str(file), reason=str(error))


def _renewal_error(place: Place) -> str:
    status = place.status
    return status.certificate.last_error if status is not None and status.certificate is not None else ""


def day(time_ms: int) -> str:
    """The UTC day, as 2027-01-31."""
    return time.strftime("%Y-%m-%d", time.gmtime(time_ms / 1000))
