"""A hub that is no superuser goes on with its work after everything has been shut to everybody, on TimescaleDB, too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from contract.events import KINDS, Kind
from hub.store import chores, roles
from hub.store.audit import audit
from hub.store.connection import connect
from hub.store.maintain import maintain
from hub.store.migrate import migrate
from tests.fix_timescale import Engine
from tests.hub.report import border
from tests.hub.report.conftest import PASSWORD, Connection, dsn_of
from tests.hub.store.test_engine import run_compression

OWNER = "ttdn_owner"


@pytest.fixture
def owned(empty_engine_database: str) -> Iterator[str]:
    """Connection string of the hub's own role, over each engine; its database is filled, and readers are made."""
    parts = urlsplit(empty_engine_database)
    dsn = urlunsplit(parts._replace(netloc=f"{OWNER}:x@{parts.hostname}:{parts.port}"))
    with psycopg.connect(empty_engine_database, autocommit=True) as administrator:
        name = administrator.info.dbname
        administrator.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1".encode())
        administrator.execute(
            f"CREATE ROLE {OWNER} LOGIN PASSWORD 'x'; GRANT CREATE ON DATABASE {name} TO {OWNER}".encode()
        )
        migrate(dsn)
        with connect(dsn, "test", autocommit=True) as connection:
            border.fill(connection)
    with connect(empty_engine_database, "test", autocommit=True) as administrator:
        wanted = roles.wanted(administrator)
        passwords = {reader.role: PASSWORD for reader in wanted}
        done = roles.apply(administrator, wanted, passwords, by="test", now=datetime.now(UTC))
        assert done.left == []
        administrator.execute("ANALYZE")
    yield dsn
    with connect(empty_engine_database, "test", autocommit=True) as administrator:
        for role in [*passwords, OWNER]:
            administrator.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}".encode())


def test_the_hub_works_and_readers_read(owned: str, engine: Engine) -> None:
    kept: dict[Kind, int] = dict.fromkeys(KINDS, 800)
    assert migrate(owned) == []
    with connect(owned, "test", autocommit=True) as connection:
        assert chores.alone(connection)
        maintain(connection, kept, 60, border.NOW, lambda _text: None)
        if engine == "timescaledb":
            run_compression(connection)
        assert audit(connection).ok
        assert roles.end_overlong(connection) == []
        assert roles.doors(connection) == []
    with reading(owned, "report_20") as reader:
        assert reader.execute("SELECT DISTINCT content_ref FROM report.play").fetchall() == [("p20.mp4",)]


def reading(owned: str, role: str) -> Connection:
    return psycopg.connect(dsn_of(owned, role), autocommit=True)
