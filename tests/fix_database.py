"""A real PostgreSQL for the session, and for each test that asks a database of its own, copied from a template."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest

from hub.store.connection import connect
from hub.store.migrate import migrate
from simulator import processes
from simulator.postgres import EmbeddedPostgres
from tests.patience import until

TEMPLATE = "ttdn_template"
SETTINGS: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "scram_iterations": "1",  # the slowness of passwords is for those who guess
}
_MEMORY: Final = Path("/dev/shm")
_PREFIX: Final = "ttdn-test-"
_ENOUGH_BYTES: Final = 4 << 30
"""For a server of each process of the suite; what it holds is some 100 MB."""
_numbers = itertools.count(1)


@contextmanager
def _folder_in_memory() -> Iterator[Path | None]:
    """One where nothing is written to a disk, gone afterwards; None on a machine that has little room there.

    A database is 600 files. ext4 takes a tenth of a second of a processor to make as many shortly after others went.
    """
    if not os.path.ismount(_MEMORY) or shutil.disk_usage(_MEMORY).free < _ENOUGH_BYTES:
        yield None
        return
    for left in _MEMORY.glob(f"{_PREFIX}*"):
        pid = int(left.name.removeprefix(_PREFIX))
        if pid == os.getpid() or not processes.is_running(pid):  # it was killed
            shutil.rmtree(left, ignore_errors=True)  # several may do so
    folder = _MEMORY / f"{_PREFIX}{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server for all tests of this process; nothing here needs to survive the machine's power."""
    with _folder_in_memory() as memory:
        folder = memory or tmp_path_factory.mktemp("database")
        with EmbeddedPostgres(folder / "postgres", settings=SETTINGS, leash=True) as server:
            with psycopg.connect(server.dsn, autocommit=True) as connection:
                _set_password_again(connection)
            yield server


def _set_password_again(connection: psycopg.Connection) -> None:
    """With as few iterations as SETTINGS say: every connection of the suite takes them."""
    info = connection.info
    connection.pgconn.change_password(info.user.encode(), info.password.encode())


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
        _end_sessions(connection, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _end_sessions(connection: psycopg.Connection, database: str) -> None:
    """DROP DATABASE ends them, too, but looks for the first time after 0.1 s whether they are gone."""
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    until(lambda: not connection.execute(end, (database,)).fetchall(), f"nobody is connected to {database}")


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
