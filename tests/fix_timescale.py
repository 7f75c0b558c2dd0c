"""A real TimescaleDB for the session, put back for each test that asks to what it was; and tests over both engines.

A suite that is to run over PostgreSQL and over TimescaleDB says so once, and every fixture that stands on `database`
(`connection`, a store ...) follows:

    @pytest.fixture
    def database(engine_database: str) -> str:
        return engine_database

A single test that can only be had over one of them: @pytest.mark.parametrize("engine", ["postgresql"], indirect=True).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import psycopg
import pytest

from hub.store.migrate import migrate
from tests.fix_database import fresh_database
from tests.timescale.server import Timescale

Engine = Literal["postgresql", "timescaledb"]
EMPTY, MIGRATED = "empty", "migrated"


@pytest.fixture(scope="session")
def timescale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Timescale]:
    """One server for all tests of this process; it knows two states, EMPTY and MIGRATED, to `reset` to."""
    with Timescale(tmp_path_factory.mktemp("timescale")) as server:
        _prepare(server)
        yield server


def _prepare(server: Timescale) -> None:
    server.start()
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION timescaledb")
    server.keep(EMPTY)
    migrate(server.dsn)
    server.keep(MIGRATED)


def _fresh(server: Timescale, state: str) -> str:
    if not server.running:  # a test has broken it, and has failed for that
        _prepare(server)
    server.reset(state)
    return server.dsn


@pytest.fixture
def timescale_database(timescale: Timescale) -> str:
    """Connection string of a TimescaleDB with all tables, as new."""
    return _fresh(timescale, MIGRATED)


@pytest.fixture
def empty_timescale_database(timescale: Timescale) -> str:
    """Connection string of a database with the extension timescaledb and no table, as new."""
    return _fresh(timescale, EMPTY)


@pytest.fixture(params=["postgresql", "timescaledb"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each of the two in turn: plain PostgreSQL, and PostgreSQL with TimescaleDB."""
    chosen: Engine = request.param
    return chosen


@pytest.fixture
def engine_database(engine: Engine, request: pytest.FixtureRequest) -> Iterator[str]:
    """Connection string of a fresh database with all tables, over each engine; only the one in use is started."""
    if engine == "timescaledb":
        yield request.getfixturevalue("timescale_database")
    else:
        template = request.getfixturevalue("database_template")
        yield from fresh_database(request.getfixturevalue("postgres_server"), template)


@pytest.fixture
def empty_engine_database(engine: Engine, request: pytest.FixtureRequest) -> Iterator[str]:
    """Connection string of a fresh database without any table of ours, over each engine."""
    if engine == "timescaledb":
        yield request.getfixturevalue("empty_timescale_database")
    else:
        yield from fresh_database(request.getfixturevalue("postgres_server"), "template0")
