"""The outbox's file: locked, opened, its schema brought up to date; one that is no use is set aside, never deleted."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from edge_agent.outbox.errors import OutboxError, OutboxLocked, OutboxNewer

SCHEMA_VERSION: Final = 2
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SUSPECT: Final = ".suspect"


class Lock:
    """An exclusive lock on an outbox, held by the kernel for this process: nothing stale remains after a crash."""

    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OutboxError(f"cannot write to {path.parent}: {error.strerror}; check its owner and rights") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            raise OutboxLocked(f"another agent uses {path.parent}; stop it, or give this one its own folder") from error

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._fd)


class Opened(NamedTuple):
    """An open outbox file; `set_aside` is where a damaged predecessor now lies."""

    connection: sqlite3.Connection
    set_aside: Path | None


def open_database(path: Path) -> Opened:
    """Open or make the file. OutboxNewer if it is of a newer agent; OutboxError if it cannot be opened.

    One that was not closed in order, or in which damage was seen, is looked at as a whole: after a power cut, or in an
    image of a card that was being written to, tables may open well and hold what cannot be read.
    """
    doubtful = _beside(path, _SUSPECT).exists() or _was_cut_off(path)
    try:
        connection = prepared(path)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise OutboxError(f"cannot open {path}: {error}; check the disk, its room and its rights") from error
        return start_anew(path)
    if doubtful and not is_whole(connection):
        connection.close()
        return start_anew(path)
    _beside(path, _SUSPECT).unlink(missing_ok=True)
    return Opened(connection, None)


def is_damage(error: BaseException) -> bool:
    """Whether SQLite says that the file is not what it wrote."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def suspect(path: Path) -> None:
    """Damage was seen while the file was in use: the next opening looks at all of it before it trusts it."""
    with suppress(OSError):  # a card that cannot even take this is found out the same way next time
        _beside(path, _SUSPECT).touch()


def read_only(path: Path) -> sqlite3.Connection:
    """Look into an outbox that another process may have open."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)


def prepare(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date; OutboxNewer if it is of a newer agent."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise OutboxNewer(
            f"the outbox has schema {version}, this agent knows {SCHEMA_VERSION}; install the newer agent again"
        )
    for number in range(version + 1, SCHEMA_VERSION + 1):
        script = (files("edge_agent.outbox") / f"schema_v{number}.sql").read_text(encoding="utf-8")
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT")


def prepared(path: Path) -> sqlite3.Connection:
    """A connection to the file as this version writes it. sqlite3.Error or OutboxNewer."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        # A page is the least that a commit writes; 1 KiB nearly halves the wear of an SD card.
        connection.execute("PRAGMA page_size = 1024")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -512")
        connection.execute("PRAGMA foreign_keys = ON")
        prepare(connection)
    except (sqlite3.Error, OutboxError):
        connection.close()
        raise
    return connection


def start_anew(path: Path) -> Opened:
    """Set a damaged file aside, and make a new one."""
    aside = put_aside(path, path, "damaged")
    _beside(path, _SUSPECT).unlink(missing_ok=True)
    return Opened(prepared(path), aside)


def put_aside(path: Path, of: Path, why: str) -> Path:
    """Rename `path`, with what SQLite has beside it, to a name that tells `why` it is not the outbox `of` any more."""
    aside = _beside(of, f".{why}-{time.time_ns()}")
    for suffix in ("", "-wal", "-shm"):
        part = _beside(path, suffix)
        if part.exists():
            part.rename(_beside(aside, suffix))
    return aside


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _was_cut_off(path: Path) -> bool:
    """Closing in order leaves no write-ahead log behind."""
    log = _beside(path, "-wal")
    return log.exists() and log.stat().st_size > 0


def is_whole(connection: sqlite3.Connection) -> bool:
    """Whether SQLite finds nothing wrong in all of the file."""
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False
