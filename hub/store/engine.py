"""What the database can do: plain PostgreSQL, or PostgreSQL with TimescaleDB. The server is asked, nobody configures.

All tables and statements are the same on both. With TimescaleDB the tables of events are hypertables, and old chunks
are compressed by its own job. Its retention policies are not used: they drop rows that the audit would miss.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import psycopg

from contract.events import Kind
from hub.store.named import named

CHUNK_DAYS: Final[dict[Kind, int]] = {
    "play": 1,
    "interaction": 1,
    "health": 7,
    "screen": 30,
    "fault": 30,
    "lifecycle": 30,
    "loss": 30,
}
"""A chunk a day where rows are many or must go to the day; a week or a month where they are few: a segment is the
better compressed the more rows it has, and a query of a year opens fewer chunks."""


class Engine(NamedTuple):
    """TimescaleDB's version, or None; and whether its edition compresses (the community licence; Apache's does not)."""

    timescaledb: str | None
    compresses: bool

    @property
    def name(self) -> str:
        """For people."""
        return "PostgreSQL" if self.timescaledb is None else f"TimescaleDB {self.timescaledb}"


def engine(connection: psycopg.Connection[Any]) -> Engine:
    """Ask this database."""
    version = _value(connection, "version")
    return Engine(version, version is not None and _value(connection, "license") == "timescale")


def adopt(connection: psycopg.Connection[Any]) -> Engine:
    """Make the tables of events hypertables where TimescaleDB is there; safe to run again, slow on large tables."""
    found = engine(connection)
    if found.timescaledb is None:
        return found
    known = dict(connection.execute(named("engine")["hypertables"]).fetchall())
    for table, days in CHUNK_DAYS.items():
        if table not in known:
            connection.execute(named("engine")["make_hypertable"], {"table": f"hub.{table}", "days": days})
    if found.compresses and not all(known.get(table) for table in CHUNK_DAYS):
        connection.execute(named("engine")["compression"])
    return found


def compress_after(connection: psycopg.Connection[Any], days: int) -> None:
    """Let TimescaleDB compress chunks older than that, by its own job."""
    for table in CHUNK_DAYS:
        row = connection.execute(named("engine")["policy"], {"table": table}).fetchone()
        if row is None or row[0] != days:
            connection.execute(named("engine")["drop_policy"], {"table": f"hub.{table}"})
            connection.execute(named("engine")["set_policy"], {"table": f"hub.{table}", "days": days})


def _value(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(named("engine")[query]).fetchone()
    return None if row is None else row[0]
