"""A real PostgreSQL for the session, and for each test that asks a database of its own, copied from a template."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import psycopg
import pytest

from hub.store.connection import connect
from hub.store.migrate import migrate
from simulator.postgres import EmbeddedPostgres

TEMPLATE = "ttdn_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server for all tests of this process; nothing here needs to survive the machine's power."""
    settings = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "100"}
    with EmbeddedPostgres(tmp_path_factory.mktemp("database") / "postgres", settings=settings) as server:
        yield server


@pytest.fixture(scope="session")
def database_template(postgres_server: EmbeddedPostgres) -> str:
    """The name of a migrated, empty database that nobody is connected to."""
    with psycopg.connect(postgres_server.dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate(postgres_server.dsn_for(TEMPLATE))
    return TEMPLATE


def fresh_database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """Yield the connection string of a copy of `template`, which goes afterwards, whoever is connected."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")  # without WAL
        yield server.dsn_for(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(postgres_server: EmbeddedPostgres, database_template: str) -> Iterator[str]:
    """Connection string of a fresh database with all tables."""
    yield from fresh_database(postgres_server, database_template)


@pytest.fixture
def empty_database(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """Connection string of a fresh database without any table."""
    yield from fresh_database(postgres_server, "template0")


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """A connection to `database` as the hub makes them, in autocommit mode."""
    with connect(database, "test", autocommit=True) as opened:
        yield opened
