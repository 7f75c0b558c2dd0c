"""Readers at a hub of two provinces, over PostgreSQL and over TimescaleDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest

from hub.store import roles
from hub.store.connection import connect
from tests.hub.report import border

Connection = psycopg.Connection[Any]
LogIn = Callable[[str], Connection]
PASSWORD = "a password of readers"


@pytest.fixture
def database(engine_database: str) -> str:
    """Connection string of a fresh database with all tables, over each engine in turn."""
    return engine_database


@pytest.fixture
def hub(connection: Connection, database: str) -> Iterator[Connection]:
    """The hub's own connection to a database with two provinces, and logins for them."""
    border.fill(connection)
    # PostgreSQL as WebAssembly begins with a cache of its databases that is out of date: a change brings it up to date.
    connection.execute(f"ALTER DATABASE {connection.info.dbname} CONNECTION LIMIT -1".encode())
    wanted = roles.wanted(connection)
    passwords = {reader.role: PASSWORD for reader in wanted}
    done = roles.apply(connection, wanted, passwords, by="test", now=datetime.now(UTC))
    assert done.left == []
    # A new session of TimescaleDB looks for its own parts, as whoever it is: after this the one backend does so, too.
    connection.execute("ANALYZE")
    yield connection
    with connect(database, "test", autocommit=True) as another:
        for reader in wanted:  # logins are of the whole server
            roles.drop(another, reader.role, by="test", now=datetime.now(UTC))


@pytest.fixture
def log_in(hub: Connection, database: str) -> Iterator[LogIn]:
    """A connection as one of the logins, as Grafana would have it."""
    with ExitStack() as opened:

        def open_one(role: str) -> Connection:
            # One backend for all does not know the settings that a login begins with.
            return opened.enter_context(
                psycopg.connect(dsn_of(database, role), autocommit=True, options="-c search_path=report,pg_temp")
            )

        yield open_one


def dsn_of(database: str, role: str) -> str:
    parts = urlsplit(database)
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(PASSWORD)}@{parts.hostname}:{parts.port}"))


def views(connection: Connection) -> list[str]:
    """Every view of the schema, whoever has added it."""
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'report'::regnamespace AND relkind IN ('v', 'm', 'r', 'p')"
        " ORDER BY relname"
    )
    return [row[0] for row in rows]
