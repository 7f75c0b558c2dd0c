"""Incidents in the database: raised with the rows that show them, taken in hand by people, told step by step."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from hub.compliance.escalation import Incident, Step
from hub.compliance.local_time import local_date
from hub.counts.hourly import HOUR_MS
from hub.counts.tally import Tally
from hub.errors import HubError
from hub.notices import strings
from hub.notices.message import Told
from hub.people.deeds import Deed
from hub.people.principal import Provinces
from hub.store.arrays import columns
from hub.store.contents import Contents
from hub.store.moment import moment, unix_ms
from hub.store.named import named

MOST_WAITING: Final = 1_000
Connection = psycopg.Connection[Any]


class NoSuchIncident(HubError):
    """Look again at `ttdn-hub incident list`: there is none of this number, or not within these provinces."""


class IncidentTaken(HubError):
    """Leave it: somebody has it in hand already, or it is closed."""


class NobodyNamed(HubError):
    """Say who it is."""


class Responder(NamedTuple):
    """Who takes an incident in hand or closes it."""

    name: str
    key: str
    """For the audit log, as `person:nguyen.an`: who asked for it, who may have named somebody else."""
    within: Provinces = None


class Waiting(NamedTuple):
    """An incident that nobody has taken in hand."""

    told: Told
    escalation: Incident
    failures: dict[Step, tuple[int, int]]
    """Steps that did not go out yet: how often tried, and when last, Unix ms."""


def raise_content_incidents(connection: psycopg.Connection, tally: Tally, contents: Contents, now_ms: int) -> None:
    """Open incidents for what was shown and is not approved, in the transaction that stores it."""
    shown = {
        (placement, contents.id(*group[0]), local_date(hour * HOUR_MS).isoformat())
        for placement, hour, group in tally.sums.get("play", ())
    }
    if shown:
        arrays = columns(sorted(shown), ("placement", "content", "day"))
        connection.execute(named("incidents")["raise_content"], arrays | {"now": moment(now_ms)})


def follow_catalogue(connection: Connection, change: int, now: datetime) -> None:
    """What a change of the catalogue makes of open incidents, in its transaction.

    One is closed by it when nothing of its kind is left on the days that it speaks of, where it speaks of. What is bad
    in another way since has an incident of that kind, whose name tells what became of the old one.
    """
    given = {"change": change, "now": now}
    became = connection.execute(named("incidents")["open_changed"], given).fetchall()
    told = {"ids": [row[0] for row in became], "kinds": [row[1] for row in became]}
    connection.execute(named("incidents")["close_changed"], given | told)


def waiting(connection: Connection, kinds: Iterable[str]) -> list[Waiting]:
    """Incidents of these kinds that nobody has taken in hand, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(named("incidents")["waiting"], {"kinds": list(kinds), "most": MOST_WAITING}).fetchall()
    return [_waiting(row) for row in rows]


def _waiting(row: dict[str, Any]) -> Waiting:
    sent, failures = set(), {}
    for one in row.pop("notices"):
        step = Step(one["after_s"], one["channel"], one["target"])
        if one["sent"]:
            sent.add(step)
        else:
            failures[step] = (one["tries"], round(one["tried_ms"]))
    told = Told(**row)
    return Waiting(told, Incident(unix_ms(told.opened_at), told=frozenset(sent)), failures)


def tried(connection: Connection, incident: int, step: Step, now: datetime, error: str | None) -> None:
    """Note that a step was tried; without `error` it was sent."""
    given = {"incident": incident, **step._asdict(), "now": now, "error": error}
    connection.execute(named("incidents")["tried"], given)


def acknowledge(connection: Connection, incident: int, by: Responder, now: datetime) -> None:
    """A person takes it in hand. NoSuchIncident; IncidentTaken if somebody has it, or it is closed; NobodyNamed."""
    with connection.transaction():
        known = _held(connection, incident, by)
        if known.acknowledged_by is not None:
            raise IncidentTaken(strings.IN_HAND.format(number=incident, by=known.acknowledged_by))
        _change(connection, "acknowledge", known, by, now)


def close(connection: Connection, incident: int, by: Responder, now: datetime) -> None:
    """A person says that it is over. NoSuchIncident; IncidentTaken if it is closed already; NobodyNamed."""
    with connection.transaction():
        _change(connection, "close", _held(connection, incident, by), by, now)


def incidents(connection: Connection, *, only_open: bool, most: int = 1_000) -> list[dict[str, Any]]:
    """Open ones first, newest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(named("incidents")["list"], {"open": only_open, "most": most}).fetchall()


class _Known(NamedTuple):
    """An open incident that nobody else changes meanwhile."""

    id: int
    kind: str
    device: str
    acknowledged_by: str | None


def _held(connection: Connection, incident: int, by: Responder) -> _Known:
    if not by.name.strip():
        raise NobodyNamed(strings.NOBODY)
    provinces = None if by.within is None else sorted(by.within)
    row = connection.execute(named("incidents")["lock"], {"id": incident, "provinces": provinces}).fetchone()
    if row is None:
        raise NoSuchIncident(strings.NO_INCIDENT.format(number=incident))
    kind, device, acknowledged_by, is_closed, closed_by = row
    if is_closed:
        told = strings.CLOSED_BY if closed_by else strings.CLOSED_BY_HUB
        raise IncidentTaken(told.format(number=incident, by=closed_by))
    return _Known(incident, kind, device, acknowledged_by)


def _change(
    connection: Connection, query: Literal["acknowledge", "close"], known: _Known, by: Responder, now: datetime
) -> None:
    name = by.name.strip()
    connection.execute(named("incidents")[query], {"id": known.id, "by": name, "now": now})
    deed: Deed = "incident_closed" if query == "close" else "incident_acknowledged"
    entry = {"now": now, "who": by.key, "deed": deed, "what": f"incident:{known.id}"}
    detail = Jsonb({"by": name, "kind": known.kind, "device": known.device})
    connection.execute(named("incidents")["note"], entry | {"detail": detail})
