"""Pools of connections, for those who answer requests: few connections, short waits, statements that end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import psycopg
from psycopg_pool import ConnectionPool

from hub.store.connection import conninfo

Pool = ConnectionPool[psycopg.Connection]
_WAIT_S: Final = 3.0


def make_pool(
    dsn: str,
    name: str,
    *,
    connections: int,
    statement_timeout_s: float,
    configure: Callable[[psycopg.Connection], None] | None = None,
) -> Pool:
    """A pool, not yet open. `pool.connection()` raises psycopg_pool.PoolTimeout while the database is out of reach."""
    return ConnectionPool(
        conninfo(dsn, name, statement_timeout_s=statement_timeout_s),
        min_size=1,
        max_size=connections,
        timeout=_WAIT_S,
        reconnect_timeout=_WAIT_S,
        configure=configure,
        check=ConnectionPool.check_connection,
        name=name,
        open=False,
    )
