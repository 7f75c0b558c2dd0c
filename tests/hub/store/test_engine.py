"""The engine is found out, and what TimescaleDB does differently: chunks, their compression, late rows, their end."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import psycopg
import pytest

from contract.events import KINDS, AnyEvent, Kind
from hub.store import recount
from hub.store.audit import audit
from hub.store.connection import connect
from hub.store.engine import CHUNK_DAYS, adopt, engine
from hub.store.ledger_store import LedgerStore
from hub.store.maintain import UpkeepBusy, maintain
from hub.store.migrate import migrate
from hub.store.named import named
from hub.store.placements import place
from tests.fix_timescale import Engine
from tests.hub.making import DEVICE, delivery, fault, play
from tests.hub.store.test_counts import SITES, empty

DAY_MS: Final = 24 * 3_600_000
NOW_MS: Final = time.time_ns() // 1_000_000
"""The real one: TimescaleDB's jobs know no other."""
NOW: Final = datetime.fromtimestamp(NOW_MS / 1000, UTC)
ONLY_TIMESCALE = pytest.mark.parametrize("engine", ["timescaledb"], indirect=True)


def old(event: AnyEvent, days: int) -> AnyEvent:
    """The same, so many days ago."""
    return msgspec.structs.replace(event, time=NOW_MS - days * DAY_MS)


def upkeep(connection: psycopg.Connection, days: int = 800, compress_after_days: int = 60) -> Any:
    kept: dict[Kind, int] = dict.fromkeys(KINDS, days)
    return maintain(connection, kept, compress_after_days, NOW, lambda _text: None)


def number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def chunks(connection: psycopg.Connection, table: str, *, compressed: bool | None = None) -> int:
    which = "" if compressed is None else f" AND is_compressed = {compressed}"
    return number(
        connection, f"SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = '{table}'{which}"
    )


def run_compression(connection: psycopg.Connection) -> None:
    """What the server's scheduler does once a day; this one has none."""
    jobs = connection.execute(
        "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression'"
    ).fetchall()
    assert len(jobs) == len(KINDS)
    for (job,) in jobs:
        connection.execute(f"CALL run_job({job})".encode())


def test_it_is_found_out(connection: psycopg.Connection, engine: Engine) -> None:
    from hub.store.engine import engine as find_out

    found = find_out(connection)
    assert (found.timescaledb is not None) == (engine == "timescaledb")
    assert found.compresses == (engine == "timescaledb")
    assert found.name.startswith("TimescaleDB 2." if engine == "timescaledb" else "PostgreSQL")


@ONLY_TIMESCALE
def test_every_kind_is_a_hypertable_that_compresses(connection: psycopg.Connection) -> None:
    rows = connection.execute("SELECT hypertable_name, compression_enabled FROM timescaledb_information.hypertables")
    assert {name: enabled for name, enabled in rows if name in KINDS} == dict.fromkeys(KINDS, True)
    assert set(CHUNK_DAYS) == set(KINDS)
    assert adopt(connection) == engine(connection)  # again: nothing to do


@ONLY_TIMESCALE
def test_tables_with_rows_become_hypertables(empty_engine_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """TimescaleDB was installed after the hub: what is there goes along."""
    with monkeypatch.context() as patched:
        patched.setattr("hub.store.migrate.adopt", lambda _connection: None)
        migrate(empty_engine_database)
    with connect(empty_engine_database, "test", autocommit=True) as connection:
        LedgerStore(connection).commit([delivery([fault(1), old(fault(2), 400)])], [], NOW_MS)
        assert connection.execute("SELECT * FROM timescaledb_information.hypertables").fetchall() == []
        adopt(connection)
        assert chunks(connection, "fault") == 2
        assert audit(connection).ok


@ONLY_TIMESCALE
def test_late_rows_go_into_compressed_chunks(connection: psycopg.Connection) -> None:
    empty(connection)
    store = LedgerStore(connection)
    store.commit([delivery([old(play(number), 70) for number in (1, 2, 3)])], [], NOW_MS)
    store.commit([delivery([old(fault(4), 100), old(play(5), 1)])], [], NOW_MS)
    upkeep(connection)
    run_compression(connection)
    assert (chunks(connection, "play", compressed=True), chunks(connection, "play", compressed=False)) == (1, 1)
    store.commit([delivery([old(play(number), 70) for number in (2, 6)])], [], NOW_MS)  # 2 again, 6 late
    assert number(connection, "SELECT count(*) FROM play") == 5
    with connection.transaction():
        place(connection, DEVICE, SITES[0])
        place(connection, DEVICE, SITES[1], NOW - timedelta(days=80))
    assert number(connection, "SELECT count(DISTINCT placement) FROM play") == 1
    assert audit(connection).ok
    assert recount.differences(connection, DEVICE) == []


def test_what_expires_is_counted_and_the_audit_adds_up(connection: psycopg.Connection, engine: Engine) -> None:
    empty(connection)
    store = LedgerStore(connection)
    events = [old(play(number), 100 - number) for number in range(1, 21)]
    store.commit([delivery(events)], [], NOW_MS)
    if engine == "timescaledb":
        upkeep(connection)
        run_compression(connection)
    done = upkeep(connection, days=90)
    assert done.retired["play"] == 9  # those of 99 to 91 days ago; a day begins at midnight UTC
    assert number(connection, "SELECT count(*) FROM play") == 11
    assert number(connection, "SELECT sum(events) FROM retired") == 9
    assert number(connection, "SELECT sum(plays) FROM play_hour") == 20
    late = [old(play(number), 95) for number in (21, 22)]
    store.commit([delivery(late)], [], NOW_MS)
    assert number(connection, "SELECT sum(plays) FROM play_hour") == 22
    assert audit(connection).ok
    assert upkeep(connection, days=90).retired["play"] == 2
    assert audit(connection).ok
    recount.rebuild(connection, DEVICE)
    assert number(connection, "SELECT sum(plays) FROM play_hour") == 22


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # the other has one backend only
def test_one_upkeep_at_a_time(connection: psycopg.Connection, database: str) -> None:
    with connect(database, "other", autocommit=True) as other:
        other.execute(named("maintain")["alone"])
        with pytest.raises(UpkeepBusy, match="try again later"):
            upkeep(connection)
        other.execute(named("maintain")["alone_no_more"])
    upkeep(connection)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_portions(connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.maintain.PORTION_ROWS", 4)
    empty(connection)
    LedgerStore(connection).commit([delivery([old(fault(number), 50) for number in range(1, 11)])], [], NOW_MS)
    told: list[str] = []
    kept: dict[Kind, int] = dict.fromkeys(KINDS, 30)
    maintain(connection, kept, 60, NOW, told.append)
    assert [text for text in told if text.startswith("fault")] == [
        f"fault: {rows} rows from before {NOW - timedelta(days=30):%Y-%m-%d} have gone" for rows in (4, 8, 10)
    ]
    assert audit(connection).ok
