"""A suite over both engines: each test has a fresh database of either, and `connection` follows."""

from __future__ import annotations

import psycopg
import pytest

from tests.fix_timescale import Engine


@pytest.fixture
def database(engine_database: str) -> str:
    return engine_database


def has_timescale(connection: psycopg.Connection) -> bool:
    return bool(connection.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").rowcount)


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_database_of_its_own(engine: Engine, connection: psycopg.Connection, turn: int) -> None:
    assert has_timescale(connection) == (engine == "timescaledb")
    assert connection.execute("SELECT count(*) FROM device").fetchone() == (0,)
    connection.execute("INSERT INTO device (name) VALUES ('k1')")


@pytest.mark.parametrize("engine", ["timescaledb"], indirect=True)
def test_one_engine_alone(connection: psycopg.Connection) -> None:
    assert has_timescale(connection)


def test_an_empty_database(engine: Engine, empty_engine_database: str) -> None:
    with psycopg.connect(empty_engine_database) as connection:
        assert connection.execute("SELECT to_regnamespace('hub')").fetchone() == (None,)
        assert has_timescale(connection) == (engine == "timescaledb")
