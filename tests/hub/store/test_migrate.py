"""The schema comes into being once, whoever asks and however often, and a database of another version is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hub.errors import MigrationError
from hub.store import migrate as migrate_module
from hub.store import recount
from hub.store.audit import audit
from hub.store.migrate import Migration, check, migrate, migrations


@pytest.fixture
def connection(empty_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(empty_database, autocommit=True) as opened:
        yield opened


def applied(connection: psycopg.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT number FROM hub.migration ORDER BY 1")]


def test_numbers_follow_each_other() -> None:
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))


def test_fresh_and_again(empty_database: str, connection: psycopg.Connection) -> None:
    with pytest.raises(MigrationError, match="ttdn-hub migrate"):
        check(connection)
    assert migrate(empty_database) == migrations()
    check(connection)
    assert migrate(empty_database) == []
    assert applied(connection) == [migration.number for migration in migrations()]


def test_two_at_once(empty_database: str, connection: psycopg.Connection) -> None:
    done: list[list[Migration]] = []
    begin = threading.Barrier(2)

    def work() -> None:
        begin.wait()
        done.append(migrate(empty_database))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, done)) == [0, len(migrations())]
    check(connection)


def test_a_migration_that_came_later(
    empty_database: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty_database)
    later = Migration(len(migrations()) + 1, "9999_later.sql", "CREATE TABLE later (number integer)")
    monkeypatch.setattr(migrate_module, "migrations", lambda: [*migrations(), later])
    with pytest.raises(MigrationError, match=r"lacks 9999_later.sql; run: ttdn-hub migrate"):
        check(connection)
    assert migrate(empty_database) == [later]
    check(connection)
    assert connection.execute("SELECT to_regclass('hub.later')").fetchone() != (None,)


def test_a_migration_that_fails_leaves_nothing_of_itself(
    empty_database: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Migration(len(migrations()) + 1, "9999_bad.sql", "CREATE TABLE half (n integer); SELECT 1 / 0")
    monkeypatch.setattr(migrate_module, "migrations", lambda: [*migrations(), bad])
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty_database)
    assert connection.execute("SELECT to_regclass('hub.half')").fetchone() == (None,)
    assert applied(connection) == [migration.number for migration in migrations()]


def test_a_file_that_was_changed(empty_database: str, connection: psycopg.Connection) -> None:
    migrate(empty_database)
    connection.execute("UPDATE hub.migration SET sha256 = 'another' WHERE number = 1")
    for refused in (lambda: check(connection), lambda: migrate(empty_database)):
        with pytest.raises(MigrationError, match=r"0001_spine\.sql is not the file that made this database"):
            refused()


def test_a_database_of_a_newer_hub(empty_database: str, connection: psycopg.Connection) -> None:
    migrate(empty_database)
    connection.execute("INSERT INTO hub.migration (number, name, sha256) VALUES (4711, 'x', 'y')")
    for refused in (lambda: check(connection), lambda: migrate(empty_database)):
        with pytest.raises(MigrationError, match="of a newer hub"):
            refused()


OLD = Path(__file__).with_name("old_databases")


def test_what_a_first_hub_stored_is_there_in_the_present_one(
    empty_database: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = migrations()[:1]
    with monkeypatch.context() as patched:
        patched.setattr(migrate_module, "migrations", lambda: first)
        migrate(empty_database)
    connection.execute((OLD / "0001.sql").read_bytes())
    assert migrate(empty_database) == migrations()[1:]
    assert audit(connection).ok
    assert all(recount.differences(connection, device) == [] for device in recount.devices(connection))
    rows = connection.execute(
        "SELECT d.name, site, content_ref, encode(content_sha256, 'hex'), grade::text, plays, shown_ms FROM play_hour h"
        " JOIN placement p ON p.id = h.placement JOIN device d ON d.id = p.device"
        " JOIN shown_content c ON c.id = h.content ORDER BY d.name, bucket"
    ).fetchall()
    assert rows == [
        ("k1", "BG-20-CMA", "a.mp4", "ab", "frame_match", 1, 0),
        ("k1", "BG-20-CMA", "a.mp4", "ab", "panel_on", 0, 90_000),
        ("k2", None, "a.mp4", None, "unknown", 1, 0),
    ]
    assert connection.execute(
        "SELECT content_ref FROM screen_now JOIN shown_content c ON c.id = content"
    ).fetchall() == [("a.mp4",)]
