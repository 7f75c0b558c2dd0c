"""Upkeep, once a day: what is older than it may be goes, and old rows are kept small.

Rows that expire are counted to `retired` in the transaction that drops them, so the audit's arithmetic never fails;
the hourly counts stay. With TimescaleDB whole chunks go, and its own job compresses old ones; on plain PostgreSQL rows
go in portions, and the summaries that let a scan pass over other times (BRIN) are brought up to date. What arrives late
for a time that has expired is stored and counted, and goes with the next upkeep.

Acts of visitors and the facts made of them are gone *at most* so many days after the time of the event: what would be
too old before the upkeep after this one goes now. So are bytes that nobody could read, after they came in. The other
kinds are kept *at least* so many days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

from contract.events import KINDS, Kind
from hub.errors import HubError
from hub.store.engine import Engine, adopt, compress_after
from hub.store.named import named
from hub.store.visits import settle

PORTION_ROWS: Final = 50_000
REJECTED_DAYS: Final = 30
"""At most so long bytes are kept that nobody could read: acts of visitors may be among them."""
UNTIL_NEXT: Final = timedelta(days=2)
"""After the midnight (UTC) before an upkeep. The next one is over by then: that of the next night (18 to 22 UTC), or
one a day by hand."""
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
    rejected_forgotten: int = 0
    """Messages that nobody could read."""
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
        for kind in KINDS:
            done.before[kind] = expired_before(kind, retention_days[kind], now)
            done.retired[kind] = 0
        _expire_visits(connection, done, tell)
        unread = {"before": expired_before("interaction", REJECTED_DAYS, now)}
        done.rejected_forgotten = _number(connection, "retire_rejected", unread)
        for kind, before in done.before.items():
            if kind != "interaction":
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


def expired_before(kind: Kind, days: int, now: datetime) -> datetime:
    """Up to which moment rows of a kind go with an upkeep that begins now: a midnight (UTC), where chunks end."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days) + (UNTIL_NEXT if kind == "interaction" else timedelta(0))


def _expire_visits(connection: psycopg.Connection[Any], done: Upkeep, tell: Tell) -> None:
    """Acts of visitors go together with the facts made of them, after all of them are counted.

    Whoever makes facts, or moves a device, waits meanwhile: what comes in later is a fact by itself, and counts once.
    """
    before = done.before["interaction"]
    connection.execute(named("maintain")["expire_before"], {"kind": "interaction", "before": before})
    parts = _days if done.engine.timescaledb is None else _chunks_of_acts
    for acts, facts in parts(connection, before):
        done.retired["interaction"] += acts
        done.visits_forgotten += facts
        if acts:
            gone = done.retired["interaction"]
            tell(f"interaction: {gone} rows from before {before:%Y-%m-%d} have gone")


def _days(connection: psycopg.Connection[Any], before: datetime) -> Iterator[tuple[int, int]]:
    """Day by day. Sessions of which something comes in just then stay, and go with the next upkeep."""
    days = [row[0] for row in connection.execute(named("visits")["expired_days"], {"before": before}).fetchall()]
    for end in sorted({*days, before}):
        _settle_all(connection)
        with connection.transaction():
            connection.execute(named("visits")["alone"])
            ((acts, facts),) = connection.execute(named("visits")["retire"], {"before": end}).fetchall()
        yield acts, facts


def _chunks_of_acts(connection: psycopg.Connection[Any], before: datetime) -> Iterator[tuple[int, int]]:
    for begins, ends in _old_chunks(connection, "interaction", before):
        _settle_all(connection)
        with connection.transaction():
            connection.execute(named("visits")["alone"])  # before acts are locked, as when a device is moved
            connection.execute(named("maintain")["lock_interaction"])
            _settle_all(connection)  # what has come in since; nothing does now
            given = {"table": "hub.interaction", "since": begins, "before": ends}
            gone = _number(connection, "retire_chunk_interaction", given)
            facts = connection.execute(named("visits")["forget"], given).rowcount
            connection.execute(named("engine")["drop_chunk"], given)
        yield gone, facts
    _settle_all(connection)
    yield 0, connection.execute(named("visits")["forget"], {"before": before}).rowcount


def _settle_all(connection: psycopg.Connection[Any]) -> None:
    while settle(connection):
        pass


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
    for begins, ends in _old_chunks(connection, kind, before):
        given = {"table": f"hub.{kind}", "since": begins, "before": ends}
        with connection.transaction():
            connection.execute(named("maintain")[f"lock_{kind}"])
            gone = _number(connection, f"retire_chunk_{kind}", given)
            connection.execute(named("engine")["drop_chunk"], given)
        yield gone


def _old_chunks(connection: psycopg.Connection[Any], kind: Kind, before: datetime) -> list[tuple[datetime, datetime]]:
    return connection.execute(named("engine")["old_chunks"], {"table": kind, "before": before}).fetchall()


def _number(connection: psycopg.Connection[Any], query: str, given: Mapping[str, object]) -> int:
    row = connection.execute(named("maintain")[query], given).fetchone()
    return 0 if row is None else int(row[0])
