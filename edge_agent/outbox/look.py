"""What an outbox holds, looked at without opening it for writing: also while an agent uses it, and when none runs."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from contract import codec
from contract.errors import ContractError
from contract.events import KINDS, Loss
from edge_agent.errors import AgentFailed
from edge_agent.outbox.database import read_only

_LOSS: Final = KINDS.index("loss")


class _Dated(Struct):
    time: int


class Held(Struct, frozen=True, kw_only=True):
    """All of it as of the last commit. `waiting` are those that the hub was not known to have when that was noted."""

    events: int = 0
    waiting: int = 0
    oldest_ms: int | None = None
    """Wall time of the oldest that waits, Unix ms."""
    lost: dict[str, int] = {}
    """Events given up for good, by reason, of which the outbox still holds the record: a week's, or untold ones."""
    bytes: int = 0


def look(file: Path) -> Held:
    """What the outbox `file` holds; nothing where there is none. AgentFailed if it cannot be read."""
    try:
        if not file.exists():
            return Held()
        size = file.stat().st_size
        connection = read_only(file)
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                return Held()  # an agent is making it at this very moment
            return _held(connection, size)
        finally:
            connection.close()
    except OSError as error:
        raise AgentFailed(f"{file} cannot be read: {error.strerror}; ask as the agent's user, or as root") from error
    except sqlite3.Error as error:
        raise AgentFailed(f"{file} cannot be read: {error}; check the SD card and the file's rights") from error


def _held(connection: sqlite3.Connection, size: int) -> Held:
    events = int(connection.execute("SELECT count(*) FROM event").fetchone()[0])
    covered = connection.execute(
        "SELECT coalesce(sum((SELECT count(*) FROM event e WHERE e.stream = c.stream"
        " AND e.seq BETWEEN c.first AND c.last)), 0) FROM covered c"
    ).fetchone()[0]
    waiting = max(0, events - int(covered))
    oldest_ms = _oldest_ms(connection) if waiting else None
    return Held(events=events, waiting=waiting, oldest_ms=oldest_ms, lost=_lost(connection), bytes=size)


def _oldest_ms(connection: sqlite3.Connection) -> int | None:
    for (stream,) in connection.execute("SELECT id FROM stream ORDER BY id").fetchall():
        spans = connection.execute("SELECT first, last FROM covered WHERE stream = ? ORDER BY first", (stream,))
        seq = 0
        for first, last in spans.fetchall():
            if connection.execute(_FIRST, (stream, seq, first - 1)).fetchone() is not None:
                break
            seq = last + 1
        row = connection.execute(_FIRST, (stream, seq, 2**53)).fetchone()
        if row is not None:
            return _time_of(row[0])
    return None


_FIRST: Final = "SELECT body FROM event WHERE stream = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT 1"


def _lost(connection: sqlite3.Connection) -> dict[str, int]:
    lost: dict[str, int] = {}
    for (body,) in connection.execute("SELECT body FROM event WHERE kind = ?", (_LOSS,)):
        try:
            event = codec.decode_event(body)
        except ContractError:
            continue  # rotten bytes: the hub sets these aside as well
        if isinstance(event, Loss):
            lost[event.reason] = lost.get(event.reason, 0) + sum(last - first + 1 for first, last in event.ranges)
    return lost


def _time_of(body: bytes) -> int | None:
    try:
        return msgspec.json.decode(body, type=_Dated).time
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
