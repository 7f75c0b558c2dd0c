"""Hourly counts beside the rows that they are of: compared, and rebuilt if somebody has to.

Only hours of which all rows are there can be recounted; those from before an expiry stay as they are. Counts of visits
are compared with the facts of visits; a rebuild then makes these from their acts again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import psycopg

from hub.counts.hourly import HOURLY
from hub.store.named import named
from hub.store.visits import settle

_TABLES: Final = (*(hourly.table for hourly in HOURLY), "event_hour", "visit_hour")


class Difference(NamedTuple):
    """A count that is not what the rows say (`counted`), or what they say instead (`recounted`)."""

    table: str
    side: str
    row: dict[str, Any]


def devices(connection: psycopg.Connection[Any]) -> list[str]:
    """All devices, to go through them one by one."""
    return [row[0] for row in connection.execute(named("recount")["devices"])]


def differences(connection: psycopg.Connection[Any], device: str) -> list[Difference]:
    """Where counts and rows of one device differ; empty if all is well. Of one snapshot; nobody waits for it."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        given = {"placements": _placements(connection, device)}
        return [
            Difference(table, side, row)
            for table in _TABLES
            for side, row in connection.execute(named("recount")[f"differences_{table}"], given).fetchall()
        ]


def rebuild(connection: psycopg.Connection[Any], device: str) -> None:
    """Make the counts of one device from its rows, while its streams are locked."""
    with connection.transaction():
        row = connection.execute(named("placements")["lock_device"], {"device": device}).fetchone()
        if row is None:
            raise LookupError(f"no device {device}")
        connection.execute(named("placements")["lock_streams"], {"device": row[0]})
        connection.execute(named("visits")["alone"])
        given = {"placements": _placements(connection, device)}
        for table in _TABLES:
            connection.execute(named("recount")[f"clear_{table}"], given)
            connection.execute(named("recount")[f"rebuild_{table}"], given)
        connection.execute(named("visits")["mark_whole"], given)
        while settle(connection):
            pass


def _placements(connection: psycopg.Connection[Any], device: str) -> list[int]:
    rows: Iterable[tuple[int]] = connection.execute(named("recount")["placements"], {"device": device})
    return [row[0] for row in rows]
