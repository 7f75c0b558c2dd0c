"""The yardstick: rows into the hub's own tables by psycopg's binary COPY, with nothing else around it.

What it does: one COPY a table, all tables in one transaction, `TRANSACTION_MESSAGES` batches' worth of rows in each -
the most that one commit of the hub takes - by `Copy.write_row` with `set_types`, into the same tables with the same
indexes; every column of every row is the one that the hub writes. Each connection is a process of its own with half of
the devices, or all. What it does not do: receive, inflate, decode, check, know devices and streams, keep a ledger,
current state, receipts, or make the tuples: they lie ready in memory, grouped by table, before the clock starts.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Final, NamedTuple

import psycopg
from psycopg.types.string import StrBinaryDumper

from contract.events import Kind
from hub.store.connection import connect
from hub.store.tables import TABLES
from tests.bench.workload import Batch, Row, row_of

TRANSACTION_MESSAGES: Final = 500
Transaction = dict[Kind, list[Row]]


class Ids(NamedTuple):
    """The database's ids of the workload's devices and streams, by index."""

    devices: list[int]
    streams: list[int]


class Span(NamedTuple):
    """Unix s."""

    began_s: float
    ended_s: float


def serve(dsn: str, batches: Sequence[Batch], ids: Ids, orders: Connection) -> None:
    """The process: for each order one `Span`; ends when the other end closes."""
    transactions = _transactions(batches, ids)
    gc.freeze()
    with connect(dsn, "bench copy") as connection:
        types = _types(connection)
        connection.commit()
        orders.send("ready")
        try:
            while True:
                orders.recv()
                orders.send(_write(connection, transactions, types))
        except EOFError:
            return


def _transactions(batches: Sequence[Batch], ids: Ids) -> list[Transaction]:
    made = []
    stored_at = datetime.now(UTC)
    for at in range(0, len(batches), TRANSACTION_MESSAGES):
        rows: Transaction = {table.kind: [] for table in TABLES}
        for batch in batches[at : at + TRANSACTION_MESSAGES]:
            device, stream = ids.devices[batch.device], ids.streams[batch.device]
            for event in batch.events:
                rows[event.KIND].append(row_of(event, device, stream, stored_at))
        made.append(rows)
    return made


def _write(
    connection: psycopg.Connection, transactions: Iterable[Transaction], types: dict[Kind, Sequence[int]]
) -> Span:
    began_s = time.time()
    for rows in transactions:
        with connection.transaction(), connection.cursor() as cursor:
            for table in TABLES:
                if rows[table.kind]:
                    with cursor.copy(table.copy.encode()) as copy:
                        copy.set_types(types[table.kind])
                        for row in rows[table.kind]:
                            copy.write_row(row)
    return Span(began_s, time.time())


def _types(connection: psycopg.Connection) -> dict[Kind, Sequence[int]]:
    """Types of each table's columns; the labels of enums are sent as they are."""
    query = "SELECT attname, atttypid::int FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
    found = {}
    for table in TABLES:
        types = dict(connection.execute(query, (table.kind,)).fetchall())
        found[table.kind] = [types[column] for column in table.columns]
    for (oid,) in connection.execute("SELECT oid FROM pg_type WHERE typtype = 'e'").fetchall():
        connection.adapters.register_dumper(str, type("EnumDumper", (StrBinaryDumper,), {"oid": oid}))
    return found
