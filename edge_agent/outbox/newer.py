"""An outbox that a later version wrote: this version sets it aside whole, and the one that can read it takes it in.

It stands there where an update was taken back and its outbox could not be led back with it. The older version must go
on by itself, for nobody is there to help it: it begins an outbox of its own and reports the other. The events in that
one wait in their file, and reach the hub under their own streams and numbers as soon as a version runs that reads them.
"""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import Final

from edge_agent.outbox.database import is_whole, prepared, put_aside
from edge_agent.outbox.errors import OutboxNewer

_NEWER: Final = "newer"
_DAMAGED: Final = "damaged"
# A stream is never appended to by a later opening, so the same number is the same event wherever it is found. What a
# power cut has left behind after the commit is taken in a second time without any harm.
_TAKE_IN: Final = (
    "INSERT OR IGNORE INTO main.stream (name, boot) SELECT name, boot FROM aside.stream ORDER BY id",
    "INSERT OR IGNORE INTO main.event (stream, seq, kind, at_ms, sealed, body)"
    " SELECT m.id, e.seq, e.kind, e.at_ms, e.sealed, e.body FROM aside.event e"
    " JOIN aside.stream s ON s.id = e.stream JOIN main.stream m ON m.name = s.name",
    "INSERT OR IGNORE INTO main.covered (stream, first, last, since_ms)"
    " SELECT m.id, c.first, c.last, c.since_ms FROM aside.covered c"
    " JOIN aside.stream s ON s.id = c.stream JOIN main.stream m ON m.name = s.name",
)
log = logging.getLogger(__name__)


def set_newer_aside(path: Path, why: OutboxNewer) -> Path:
    """Where it lies now. Raises `why` again if it is not in one piece: its last commits would be left behind."""
    writes = path.with_name(f"{path.name}-wal")  # looking at the version has opened and closed it, which empties this
    if writes.exists() and writes.stat().st_size > 0:
        raise why
    return put_aside(path, path, _NEWER)


def set_aside_as_newer(path: Path) -> list[Path]:
    """Those that lie beside the outbox `path`, oldest first."""
    found = path.parent.glob(f"{path.name}.{_NEWER}-*")
    return sorted(one for one in found if one.name.rpartition("-")[2].isdigit())


def take_in(connection: sqlite3.Connection, path: Path, max_bytes: int) -> None:
    """Take in what this version can read of those beside the outbox `path`, which `connection` has open.

    What does not fit below `max_bytes` waits for a later start: events that happen now go before it.
    """
    for aside in set_aside_as_newer(path):
        try:
            if _size(path) + _size(aside) > max_bytes:
                log.warning("%s is not taken in: the outbox has no room for it yet", aside.name)
            elif _is_readable(aside, path):
                _take_in(connection, aside)
        except OSError as error:
            log.warning("%s is not taken in: %s", aside.name, error.strerror)
        except sqlite3.Error as error:
            log.warning("%s is not taken in: %s", aside.name, error)


def _is_readable(aside: Path, path: Path) -> bool:
    """Bring its schema up to this version's; whether that is possible, and nothing in it is damaged."""
    try:
        connection = prepared(aside)
    except OutboxNewer:
        return False
    whole = is_whole(connection)
    connection.close()
    if not whole:
        log.error("%s is damaged and is kept as %s", aside.name, put_aside(aside, path, _DAMAGED).name)
    return whole


def _take_in(connection: sqlite3.Connection, aside: Path) -> None:
    connection.execute("ATTACH ? AS aside", (str(aside),))
    try:
        (events,) = connection.execute("SELECT count(*) FROM aside.event").fetchone()
        connection.execute("BEGIN IMMEDIATE")
        try:
            for query in _TAKE_IN:
                connection.execute(query)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    finally:
        connection.execute("DETACH aside")
    for suffix in ("", "-wal", "-shm"):
        aside.with_name(aside.name + suffix).unlink(missing_ok=True)
    log.info("%s is taken in: %d events", aside.name, events)


def _size(file: Path) -> int:
    return file.stat().st_size
