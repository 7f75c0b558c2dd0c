"""Short ways to open outboxes and to write down events."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contract.events import UNNUMBERED, Fault, Health
from contract.receipt import Covered
from edge_agent.outbox.database import prepare
from edge_agent.outbox.errors import OutboxFull
from edge_agent.outbox.outbox import FILE_NAME, Outbox
from edge_agent.outbox.store import Entry, OutboxStore

ROOM = 10_000_000


def fault(reason: str = "") -> Entry:
    """The smallest event that says something."""
    return Entry(Fault(seq=UNNUMBERED, time=1_000, code="test", reason=reason), 1)


def health() -> Entry:
    """An event of another kind."""
    return Entry(Health(seq=UNNUMBERED, time=1_000), 1)


def faults(count: int, size: int = 0) -> list[Entry]:
    """Several, each with a reason of `size` characters."""
    return [fault("x" * size) for _ in range(count)]


def covered(stream: str, *committed: tuple[int, int], low: int = 1, high: int = 0, lost: Any = ()) -> Covered:
    """A receipt's word."""
    highest = high or max((last for _, last in [*committed, *lost]), default=low)
    return Covered(stream=stream, low=low, high=highest, committed=list(committed), lost=list(lost))


class Broken(sqlite3.Connection):
    """A connection that fails where a test tells it to; `then` is done by SQLite before it says so."""

    failures: list[sqlite3.Error]
    at = "COMMIT"
    then = False

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        if sql.startswith(self.at) and getattr(self, "failures", None):
            if self.then:
                super().execute(sql, parameters)
            raise self.failures.pop(0)
        return super().execute(sql, parameters)


def sqlite_error(code: int, text: str = "disk I/O error") -> sqlite3.Error:
    """As the driver raises it."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


def in_memory() -> Broken:
    """An empty outbox without a file."""
    connection = sqlite3.connect(":memory:", isolation_level=None, factory=Broken)
    prepare(connection)
    return connection


def store(connection: sqlite3.Connection, max_bytes: int = ROOM) -> OutboxStore:
    """An opening of it."""
    return OutboxStore(connection, max_bytes=max_bytes)


@contextmanager
def outbox(folder: Path, **options: Any) -> Iterator[Outbox]:
    """An outbox on disk that is closed in the end."""
    opened = Outbox(folder, **({"max_bytes": ROOM, "commit_interval_s": 0.0} | options))
    try:
        yield opened
    finally:
        opened.close()


def rows(folder: Path) -> list[tuple[str, int, bytes]]:
    """What a stranger finds in the file: committed, and nothing else."""
    connection = sqlite3.connect(f"file:{folder / FILE_NAME}?mode=ro", uri=True)
    try:
        return connection.execute(
            "SELECT s.name, e.seq, e.body FROM event e JOIN stream s ON s.id = e.stream ORDER BY s.id, e.seq"
        ).fetchall()
    finally:
        connection.close()


def numbers(spans: Iterable[tuple[int, int]]) -> list[int]:
    """The single numbers of spans."""
    return [number for first, last in spans for number in range(first, last + 1)]


def fill(append: Callable[[list[Entry]], object], size: int, count: int = 1) -> int:
    """Append until it is refused; how many events were taken."""
    taken = 0
    try:
        while True:
            append(faults(count, size))
            taken += count
    except OutboxFull:
        return taken
