"""Connections that only read: each block sees one snapshot, and no statement runs for long.

A reader is made for certain provinces, and each of its queries takes them: there is no way to ask for more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Final, Literal, NamedTuple

import psycopg
from psycopg.rows import dict_row

from hub.people.principal import Provinces
from hub.store.catalogue_reader import CatalogueReader
from hub.store.named import named
from hub.store.pool import Pool, make_pool
from hub.store.registry import ListName, listed
from hub.store.visit_reader import VisitReader

_STATEMENT_S: Final = 15.0
ReaderPool = Pool
Row = dict[str, Any]
IncidentState = Literal["open", "waiting", "in_hand", "closed", "all"]
"""Open ones wait for somebody or are in somebody's hands."""


class Place(NamedTuple):
    """A place in the order of plays: the last one of a page."""

    time: datetime
    stream: int
    play_id: int
    slice: int


def reader_pool(dsn: str, connections: int) -> ReaderPool:
    """Of connections that only read."""
    return make_pool(dsn, "api", connections=connections, statement_timeout_s=_STATEMENT_S, configure=_read_only)


class IncidentFilter(NamedTuple):
    """Which incidents; None: any."""

    state: IncidentState = "open"
    kind: str | None = None
    device: str | None = None
    site: str | None = None
    id: int | None = None


class Reader(CatalogueReader, VisitReader):
    """Questions within one snapshot, about these provinces: what stands elsewhere, or nowhere, is not there for it."""

    def __init__(self, cursor: psycopg.Cursor[Row], provinces: Provinces) -> None:
        self._cursor = cursor
        self._provinces = None if provinces is None else sorted(provinces)

    def sites(self) -> list[Row]:
        """Registered sites, by province."""
        return self._all("reading", "sites")

    def devices(
        self, now: datetime, alive_timeout_s: float, link_timeout_s: float, name: str | None = None
    ) -> list[Row]:
        """Every device, or the one of this name, with its presence, by site."""
        timeouts = {"alive_timeout_s": alive_timeout_s, "link_timeout_s": link_timeout_s}
        return self._all("presence", "devices", now=now, name=name, **timeouts)

    def screens(self, device: int | None = None) -> list[Row]:
        """The last that was told of each screen."""
        return self._all("reading", "screens", device=device)

    def open_incidents(self, device: int | None = None) -> list[Row]:
        """How many incidents of each kind are open, by device."""
        return self._all("reading", "open_incidents", device=device)

    def device(self, name: str) -> int | None:
        """The id of a device that stands there now; None if there is none."""
        return self._id("device", name)

    def device_ever(self, name: str) -> int | None:
        """The id of a device that stands there now or stood there once; None if there is none."""
        return self._id("device_ever", name)

    def plays(self, device: int, limit: int, before: Place | None) -> list[Row]:
        """Slices from when the device stood there, newest first, below `before`."""
        below = before._asdict() if before is not None else dict.fromkeys(Place._fields)
        return self._all("reading", "plays", device=device, limit=limit, **below)

    def streams(self, device: int) -> list[Row]:
        """The ledger's accounts, newest stream first."""
        return self._all("reading", "streams", device=device)

    def incidents(self, wanted: IncidentFilter, limit: int, before: int | None = None, *, exact: bool) -> list[Row]:
        """Incidents, newest first, below `before`; `exact`: with names of people and all details."""
        return self._all("reading", "incidents", **wanted._asdict(), limit=limit, before=before, exact=exact)

    def live_brokers(self, now: datetime, link_timeout_s: float) -> list[str]:
        """Brokers that a live worker listens on."""
        return [row["broker"] for row in self._all("presence", "live_brokers", now=now, link_timeout_s=link_timeout_s)]

    def registry(self, name: ListName, as_of: date | None = None) -> list[Row]:
        """A list of the registry, as it was on a day."""
        return listed(self._cursor.connection, name, as_of, self._provinces)

    def _id(self, query: str, name: str) -> int | None:
        rows = self._all("reading", query, name=name)
        return int(rows[0]["id"]) if rows else None

    def _all(self, file: str, query: str, **values: object) -> list[Row]:
        return self._cursor.execute(named(file)[query], values | {"provinces": self._provinces}).fetchall()


@contextmanager
def reading(pool: ReaderPool, provinces: Provinces) -> Iterator[Reader]:
    """One snapshot. psycopg_pool.PoolTimeout or psycopg.Error if the database cannot be used."""
    with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        yield Reader(cursor, provinces)


def _read_only(connection: psycopg.Connection) -> None:
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
