"""The database, as commands use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from hub.config import HubSettings
from hub.store.connection import connect
from hub.store.migrate import check


@contextmanager
def database(settings: HubSettings, name: str, *, lock_timeout_s: float = 0) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database of this hub's version, in autocommit mode; `name` shows in pg_stat_activity."""
    dsn = settings.database.conninfo()
    with connect(dsn, name, lock_timeout_s=lock_timeout_s, autocommit=True) as connection:
        check(connection)
        yield connection
