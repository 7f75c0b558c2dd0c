"""`python -m tests.bench storage`: how many bytes an event takes, before and after compression.

Real TimescaleDB (2.23, as WebAssembly) holds the hub's own tables; the events of 60 devices come in batches of 50
through the hub's own commit, one event a device every half a minute, as a busy kiosk has them. Then every chunk is
compressed, as TimescaleDB's job does after 60 days. Bytes are those of tables, TOAST and indexes of all seven kinds of
rows, before and after, by TimescaleDB's own account; `bytes_per_event_counts` is what hourly counts add, which stay for
good.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg

from contract.events import KINDS
from hub.counts.hourly import HOURLY
from hub.ledger.rules import Delivery
from hub.store.connection import connect
from hub.store.ledger_store import LedgerStore
from hub.store.migrate import migrate
from tests.bench.report import say
from tests.bench.workload import kinds_of, make_workload
from tests.timescale.server import Timescale

BATCH_EVENTS: Final = 50
GAP_MS: Final = 30_000
GROUP: Final = 100
"""Batches a commit."""
_COUNTS: Final = (*(hourly.table for hourly in HOURLY), "event_hour")


class Size(NamedTuple):
    """How much is stored."""

    devices: int
    batches: int
    """A device."""


FULL: Final = Size(60, 334)
QUICK: Final = Size(4, 4)


def run(folder: Path, *, quick: bool) -> dict[str, Any]:
    """The whole bench."""
    size = QUICK if quick else FULL
    workload = make_workload(size.devices, size.batches, BATCH_EVENTS, gap_ms=GAP_MS)
    events = workload.events()
    with Timescale(folder) as server:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
        migrate(server.dsn)
        with connect(server.dsn, "bench", autocommit=True) as connection:
            deliveries = [_delivery(workload.devices, workload.streams, batch) for batch in workload.batches]
            _store(connection, deliveries, events)
            say("compressing")
            sizes = {kind: _compress(connection, kind) for kind in KINDS}
            counts = _number(connection, f"SELECT {' + '.join(f'pg_total_relation_size({t!r})' for t in _COUNTS)}")
            version = _text(connection, "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
            kept = _number(connection, f"SELECT {' + '.join(f'(SELECT count(*) FROM {kind})' for kind in KINDS)}")
    if kept != events:
        raise AssertionError(f"{events} events went in, {kept} rows are there")
    raw, compressed = sum(before for before, _ in sizes.values()), sum(after for _, after in sizes.values())
    return {
        "events": events,
        "bytes_per_event_raw": round(raw / events, 1),
        "bytes_per_event_compressed": round(compressed / events, 2),
        "bytes_per_event_counts": round(counts / events, 2),
        "by_kind": {kind: {"raw": before, "compressed": after} for kind, (before, after) in sizes.items()},
        "kinds": kinds_of(workload),
        "devices": size.devices,
        "timescaledb": version,
    }


def _delivery(devices: list[str], streams: list[str], batch: Any) -> Delivery:
    from contract.batch import Batch

    return Delivery(devices[batch.device], Batch(stream=streams[batch.device], live=True, events=batch.events))


def _store(connection: psycopg.Connection, deliveries: list[Delivery], events: int) -> None:
    store, told = LedgerStore(connection), time.monotonic()
    for at in range(0, len(deliveries), GROUP):
        store.commit(deliveries[at : at + GROUP], [], time.time_ns() // 1_000_000)
        if time.monotonic() > told + 5:
            told = time.monotonic()
            say(f"{(at + GROUP) * BATCH_EVENTS} of {events} events")


def _compress(connection: psycopg.Connection, kind: str) -> tuple[int, int]:
    """Bytes before and after."""
    connection.execute(f"SELECT compress_chunk(chunk, true) FROM show_chunks('{kind}') AS chunk".encode())
    row = connection.execute(
        "SELECT coalesce(sum(before_compression_total_bytes), 0)::bigint,"
        f" coalesce(sum(after_compression_total_bytes), 0)::bigint FROM chunk_compression_stats('{kind}')".encode()
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def _text(connection: psycopg.Connection, query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])
