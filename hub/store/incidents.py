"""Incidents in the database: raised with the rows that show them, taken in hand by people, told step by step."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import dict_row

from hub.compliance.escalation import Incident, Step
from hub.compliance.local_time import local_date
from hub.counts.hourly import HOUR_MS
from hub.counts.tally import Tally
from hub.errors import HubError
from hub.notices.message import CONTENT_KINDS, Told
from hub.store.arrays import columns
from hub.store.contents import Contents
from hub.store.moment import moment, unix_ms
from hub.store.named import named

MOST_WAITING: Final = 1_000


class NoSuchIncident(HubError):
    """Look again at `ttdn-hub incident list`: there is none of this number, or it is not open any more."""


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


def close_approved(connection: psycopg.Connection[Any], now: datetime) -> int:
    """Close what a change of the catalogue has made good; how many."""
    return connection.execute(named("incidents")["close_approved"], {"now": now, "kinds": list(CONTENT_KINDS)}).rowcount


def waiting(connection: psycopg.Connection[Any], kinds: Iterable[str]) -> list[Waiting]:
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


def tried(connection: psycopg.Connection[Any], incident: int, step: Step, now: datetime, error: str | None) -> None:
    """Note that a step was tried; without `error` it was sent."""
    given = {"incident": incident, **step._asdict(), "now": now, "error": error}
    connection.execute(named("incidents")["tried"], given)


def acknowledge(connection: psycopg.Connection[Any], incident: int, by: str, now: datetime) -> None:
    """A person takes it in hand. NoSuchIncident if it is not there, not open, or somebody has it."""
    _change(connection, "acknowledge", incident, by, now)


def close(connection: psycopg.Connection[Any], incident: int, by: str, now: datetime) -> None:
    """A person says that it is over. NoSuchIncident if it is not there or not open."""
    _change(connection, "close", incident, by, now)


def incidents(connection: psycopg.Connection[Any], *, only_open: bool, most: int = 1_000) -> list[dict[str, Any]]:
    """Open ones first, newest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(named("incidents")["list"], {"open": only_open, "most": most}).fetchall()


def _change(connection: psycopg.Connection[Any], query: str, incident: int, by: str, now: datetime) -> None:
    name = by.strip()
    if not name:
        raise NoSuchIncident("an incident is taken in hand by a person: name them")
    given = {"id": incident, "by": name, "now": now}
    if connection.execute(named("incidents")[query], given).fetchone() is None:
        raise NoSuchIncident(_why_not(connection, incident))


def _why_not(connection: psycopg.Connection[Any], incident: int) -> str:
    row = connection.execute(named("incidents")["state"], {"id": incident}).fetchone()
    if row is None:
        return f"there is no incident {incident}; see: ttdn-hub incident list"
    acknowledged_by, closed_by, closed_at = row
    if closed_at is not None:
        return f"incident {incident} was closed by {closed_by}"
    return f"incident {incident} is in the hands of {acknowledged_by} already"
