"""Upkeep, once a day: what is older than it may be goes, and old rows are kept small.

Rows that expire are counted to `retired` in the transaction that drops them, so the audit's arithmetic never fails;
the hourly counts stay. With TimescaleDB whole chunks go, and its own job compresses old ones; on plain PostgreSQL rows
go in portions, and the summaries that let a scan pass over other times (BRIN) are brought up to date. What arrives late
for a time that has expired is stored and counted, and goes with the next upkeep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from contract.events import KINDS, Kind
from hub.errors import HubError
from hub.store.engine import Engine, adopt, compress_after
from hub.store.named import named
from hub.store.visits import settle

PORTION_ROWS: Final = 50_000
Tell = Callable[[str], None]


class UpkeepBusy(HubError):
    """Try again later: another upkeep of this database is at work, or what it needs is locked."""


@dataclass
class Upkeep:
    """What was done."""

    engine: Engine
    retired: dict[Kind, int] = field(default_factory=dict)
    """Rows that went, by kind."""
    before: dict[Kind, datetime] = field(default_factory=dict)
    """Up to which moment rows of each kind have gone."""
    sessions_forgotten: int = 0
    """Of agents: names by which a clone would be known."""
    visits_forgotten: int = 0
    """Facts of visitors' sessions."""


def maintain(
    connection: psycopg.Connection[Any],
    retention_days: Mapping[Kind, int],
    compress_after_days: int,
    now: datetime,
    tell: Tell,
) -> Upkeep:
    """Do what is due; safe to interrupt and to run again. `connection` is in autocommit mode. UpkeepBusy as it says."""
    row = connection.execute(named("maintain")["alone"]).fetchone()
    if row is None or not row[0]:
        raise UpkeepBusy("another upkeep of this database is at work; try again later")
    try:
        done = Upkeep(adopt(connection))
        tell(f"engine: {done.engine.name}")
        done.visits_forgotten = _forget_visits(
            connection, _midnight(now) - timedelta(days=retention_days["interaction"])
        )
        for kind in KINDS:
            before = _midnight(now) - timedelta(days=retention_days[kind])
            done.before[kind] = before
            done.retired[kind] = _expire(connection, done.engine, kind, before, tell)
        done.sessions_forgotten = connection.execute(named("maintain")["forget_sessions"], {"now": now}).rowcount
        if done.engine.compresses:
            compress_after(connection, compress_after_days)
        if done.engine.timescaledb is None:
            connection.execute(named("maintain")["brin"])
            tell("summaries of new rows are up to date")
        return done
    finally:
        connection.execute(named("maintain")["alone_no_more"])


def _forget_visits(connection: psycopg.Connection[Any], before: datetime) -> int:
    """Before the acts go that they are made of; what is due is counted first."""
    while settle(connection):
        pass
    return connection.execute(named("visits")["forget"], {"before": before}).rowcount


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _expire(connection: psycopg.Connection[Any], engine: Engine, kind: Kind, before: datetime, tell: Tell) -> int:
    connection.execute(named("maintain")["expire_before"], {"kind": kind, "before": before})
    portions = _portions(connection, kind, before) if engine.timescaledb is None else _chunks(connection, kind, before)
    gone = 0
    for rows in portions:
        gone += rows
        tell(f"{kind}: {gone} rows from before {before:%Y-%m-%d} have gone")
    return gone


def _portions(connection: psycopg.Connection[Any], kind: Kind, before: datetime) -> Iterator[int]:
    given = {"before": before, "most": PORTION_ROWS}
    while gone := _number(connection, f"retire_{kind}", given):
        yield gone


def _chunks(connection: psycopg.Connection[Any], kind: Kind, before: datetime) -> Iterator[int]:
    """Whole chunks only: one that ends after `before` is left until all of it has expired."""
    old = connection.execute(named("engine")["old_chunks"], {"table": kind, "before": before}).fetchall()
    for begins, ends in old:
        given = {"table": f"hub.{kind}", "since": begins, "before": ends}
        with connection.transaction():
            connection.execute(named("maintain")[f"lock_{kind}"])
            gone = _number(connection, f"retire_chunk_{kind}", given)
            connection.execute(named("engine")["drop_chunk"], given)
        yield gone


def _number(connection: psycopg.Connection[Any], query: str, given: Mapping[str, object]) -> int:
    row = connection.execute(named("maintain")[query], given).fetchone()
    return 0 if row is None else int(row[0])
