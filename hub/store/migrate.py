"""Brings the database's schema up to date: numbered files, each in one transaction, recorded with its digest."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Final, NamedTuple

import psycopg

from hub.errors import MigrationError
from hub.store.engine import adopt
from hub.store.roles import grant as grant_views

SCHEMA: Final = "hub"
_LOCK: Final = 0x7474646E
_RECORD: Final = """
CREATE SCHEMA IF NOT EXISTS hub;
CREATE TABLE IF NOT EXISTS hub.migration (
    number      integer PRIMARY KEY,
    name        text NOT NULL,
    sha256      text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
)"""


class Migration(NamedTuple):
    """One file of `hub/store/migrations`."""

    number: int
    name: str
    sql: str

    def sha256(self) -> str:
        """Digest of its text: a landed migration never changes."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Every migration, in order; their numbers are 1, 2, 3 ..."""
    folder = files("hub.store.migrations")
    found = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [Migration(int(name[:4]), name, (folder / name).read_text(encoding="utf-8")) for name in found]


def migrate(dsn: str) -> list[Migration]:
    """Apply what is missing; returns it. Two hubs may do so at once: the second waits and finds nothing to do."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        connection.execute(_RECORD)
        missing = _missing(connection)
        for migration in missing:
            with connection.transaction():
                connection.execute("SET LOCAL search_path = hub, public")
                connection.execute(migration.sql.encode())
                connection.execute(
                    "INSERT INTO hub.migration (number, name, sha256) VALUES (%s, %s, %s)",
                    (migration.number, migration.name, migration.sha256()),
                )
        connection.execute("SET search_path = hub, public")
        adopt(connection)
        grant_views(connection)
        return missing


def check(connection: psycopg.Connection) -> None:
    """MigrationError unless the schema is exactly of this hub's version."""
    row = connection.execute("SELECT to_regclass('hub.migration') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        raise MigrationError("the database has no tables of this hub yet; run: ttdn-hub migrate")
    missing = _missing(connection)
    if missing:
        raise MigrationError(f"the database lacks {missing[0].name}; run: ttdn-hub migrate")


def _missing(connection: psycopg.Connection) -> list[Migration]:
    applied: dict[int, str] = dict(connection.execute("SELECT number, sha256 FROM hub.migration").fetchall())
    known = {migration.number: migration for migration in migrations()}
    newer = sorted(applied.keys() - known.keys())
    if newer:
        raise MigrationError(
            f"the database is of a newer hub (migration {newer[-1]}, this one knows {len(known)}); install that version"
        )
    for number, sha256 in applied.items():
        if known[number].sha256() != sha256:
            raise MigrationError(f"{known[number].name} is not the file that made this database; restore the release")
    return [migration for number, migration in sorted(known.items()) if number not in applied]
