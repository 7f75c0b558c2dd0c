"""From the outbox of this version to one that an older version reads, so that an update can be taken back.

Each `schema_vN.sql` from 2 on has a `schema_vN_back.sql` that undoes it and keeps every event. What an update does
forwards at the first opening, this does backwards, in one transaction a step.
"""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from pathlib import Path

from edge_agent.outbox.database import SCHEMA_VERSION, Lock, open_database
from edge_agent.outbox.errors import OutboxError
from edge_agent.outbox.outbox import FILE_NAME


def oldest() -> int:
    """The oldest schema to which there is a way back from this version's."""
    version = SCHEMA_VERSION
    while version > 1 and _script(version):
        version -= 1
    return version


def take_back(folder: Path, schema: int) -> None:
    """The outbox in `folder` is one of `schema` or older afterwards. OutboxError if an agent runs, or it cannot be."""
    if schema < oldest():
        raise OutboxError(f"there is no way back to an outbox of schema {schema}; the oldest is {oldest()}")
    lock = Lock(folder / "outbox.lock")
    try:
        if not (folder / FILE_NAME).exists():
            return
        connection, damaged = open_database(folder / FILE_NAME)
        try:
            for version in range(SCHEMA_VERSION, schema, -1):
                connection.executescript(
                    f"BEGIN IMMEDIATE; {_script(version)} PRAGMA user_version = {version - 1}; COMMIT"
                )
        except sqlite3.Error as error:
            raise OutboxError(f"the outbox in {folder} cannot be led back to schema {schema}: {error}") from error
        finally:
            connection.close()
        if damaged is not None:
            raise OutboxError(
                f"the outbox in {folder} was damaged and is kept as {damaged.name}; an empty one is there"
            )
    finally:
        lock.release()


def _script(version: int) -> str:
    file = files("edge_agent.outbox") / f"schema_v{version}_back.sql"
    return file.read_text(encoding="utf-8") if file.is_file() else ""
