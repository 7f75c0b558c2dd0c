"""The yardstick: rows into the hub's own tables by psycopg's binary COPY, with nothing else around it.

What it does: one COPY a table, all tables in one transaction, `TRANSACTION_MESSAGES` batches' worth of rows in each -
the most that one commit of the hub takes - by `Copy.write_row` with `set_types`, into the same tables with the same
indexes; every column of every row is the one that the hub writes. Each connection is a process of its own with half of
the devices, or all. What it does not do: receive, inflate, decode, check, know devices and streams, keep a ledger,
current state, receipts.

It is measured twice. `rows`: the tuples lie ready in memory, grouped by table, before the clock starts; only psycopg
and PostgreSQL work. `events`: decoded events lie ready, and grouping them and making the tuples is part of the time, as
it is for every program that has events to store.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Final, Literal, NamedTuple

import psycopg
from psycopg.types.string import StrBinaryDumper

from contract.events import Kind
from hub.store.connection import connect
from hub.store.tables import TABLES
from tests.bench.workload import ROW_COLUMNS, Batch, Ids, Row, row_of

TRANSACTION_MESSAGES: Final = 500
Start = Literal["rows", "events"]
Transaction = dict[Kind, list[Row]]


class Span(NamedTuple):
    """Unix s."""

    began_s: float
    ended_s: float


def serve(dsn: str, batches: Sequence[Batch], ids: Ids, orders: Connection) -> None:
    """The process: for each order of what to start from one `Span`; ends when the other end closes."""
    groups = [batches[at : at + TRANSACTION_MESSAGES] for at in range(0, len(batches), TRANSACTION_MESSAGES)]
    ready = [_rows(group, ids) for group in groups]
    gc.collect()
    gc.freeze()
    gc.disable()
    with connect(dsn, "bench copy") as connection:
        types = _types(connection)
        connection.commit()
        orders.send("ready")
        try:
            while True:
                start: Start = orders.recv()
                began_s = time.time()
                for number, group in enumerate(groups):
                    _write(connection, ready[number] if start == "rows" else _rows(group, ids), types)
                orders.send(Span(began_s, time.time()))
        except EOFError:
            return


def _rows(batches: Sequence[Batch], ids: Ids) -> Transaction:
    stored_at = datetime.now(UTC)
    rows: Transaction = {table.kind: [] for table in TABLES}
    for batch in batches:
        for event in batch.events:
            rows[event.KIND].append(row_of(event, ids, batch.device, stored_at))
    return rows


def _write(connection: psycopg.Connection, rows: Transaction, types: dict[Kind, Sequence[int]]) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        for kind, mine in rows.items():
            if mine:
                with cursor.copy(f"COPY {kind} ({', '.join(ROW_COLUMNS[kind])}) FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(types[kind])
                    for row in mine:
                        copy.write_row(row)


def _types(connection: psycopg.Connection) -> dict[Kind, Sequence[int]]:
    """Types of each table's columns; the labels of enums are sent as they are."""
    query = "SELECT attname, atttypid::int FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
    found: dict[Kind, Sequence[int]] = {}
    for table in TABLES:
        types: dict[str, int] = dict(connection.execute(query, (table.kind,)).fetchall())
        found[table.kind] = [types[column] for column in ROW_COLUMNS[table.kind]]
    for (oid,) in connection.execute("SELECT oid FROM pg_type WHERE typtype = 'e'").fetchall():
        connection.adapters.register_dumper(str, type("EnumDumper", (StrBinaryDumper,), {"oid": oid}))
    return found
