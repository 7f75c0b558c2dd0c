"""Connections that only read: each block sees one snapshot, and no statement runs for long."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from hub.store.connection import conninfo

_STATEMENT_MS: Final = 15_000
_WAIT_S: Final = 3.0
ReaderPool = ConnectionPool[psycopg.Connection[DictRow]]


def reader_pool(dsn: str, connections: int) -> ReaderPool:
    """A pool, not yet open. `pool.connection()` raises psycopg_pool.PoolTimeout while the database is out of reach."""
    info = conninfo(dsn, "api")
    options = f"{conninfo_to_dict(info)['options']} -c statement_timeout={_STATEMENT_MS}"
    return ConnectionPool(
        make_conninfo(info, options=options),
        connection_class=psycopg.Connection[DictRow],
        kwargs={"row_factory": dict_row},
        min_size=1,
        max_size=connections,
        timeout=_WAIT_S,
        reconnect_timeout=_WAIT_S,
        configure=_read_only,
        check=ConnectionPool.check_connection,
        name="api",
        open=False,
    )


def _read_only(connection: psycopg.Connection[DictRow]) -> None:
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
