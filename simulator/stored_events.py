"""What the database holds, as the oracle reads it: its own SQL, one snapshot, none of the hub's code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import msgspec
import psycopg

from contract.events import Kind
from contract.ranges import RangeSet
from simulator import fingerprint
from simulator.errors import SimulatorError

_FETCH_ROWS: Final = 5_000
_HEAD: Final = 3
"""Columns before an event's own: stream, number, commit moment."""
_RANGE: Final = re.compile(r"\[(\d+),(\d+)\)")
_COMMITTED: Final = "(extract(epoch FROM pg_xact_commit_timestamp(e.xmin)) * 1000)::float8"


class StoredEventsError(SimulatorError):
    """The database cannot be compared with the journals. The text says what is missing or different."""


class Row(NamedTuple):
    """One stored event. `digest` is None where its content cannot be read (rejected); `stream` is None if unknown."""

    stream: str | None
    seq: int
    committed_ms: float | None
    digest: bytes | None


class LossRow(NamedTuple):
    """One stored loss event: where it stands, and what it declares lost."""

    stream: str | None
    seq: int
    lost_stream: str
    numbers: RangeSet


class StoredEvents:
    """One snapshot of a database; use with `with`. psycopg.Error as it comes."""

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn, application_name="oracle")
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._connection.read_only = True
        self.tracks_commits = bool(self._one("tracks_commits"))
        """Whether the server knows when a row was committed (track_commit_timestamp)."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def count(self) -> int:
        """Rows of all events of all devices, known or not."""
        return int(self._one("rows"))

    def events(self, device: str, kind: Kind) -> Iterator[Row]:
        """All rows of one device and one kind that journals tell of."""
        names = list(fingerprint.FIELDS[kind])
        with self._cursor(kind, device) as cursor:
            have = [column.name for column in cursor.description or ()][_HEAD:]
            if sorted(have) != sorted(names):
                raise StoredEventsError(f"stored_events.sql, {kind}: gives {have}, the contract has {names}")
            order = [_HEAD + have.index(name) for name in names]
            for row in cursor:
                values = [row[at] for at in order]
                yield Row(row[0], row[1], row[2], fingerprint.of_values(kind, values))

    def losses(self, device: str) -> Iterator[LossRow]:
        """All loss events of a device, which agents make inside their outbox."""
        with self._cursor("loss", device) as cursor:
            for stream, seq, _, lost_stream, ranges in cursor:
                yield LossRow(stream, seq, lost_stream, _numbers(ranges))

    def rejected(self, device: str) -> Iterator[Row]:
        """Events that the hub keeps as bytes because it could not read them."""
        with self._cursor("rejected", device) as cursor:
            for stream, seq, committed_ms, event in cursor:
                yield Row(stream, seq, committed_ms, _digest_of(event))

    def lost(self, device: str) -> dict[str, RangeSet]:
        """The ledger's declared losses of each stream of a device."""
        with self._cursor("lost", device) as cursor:
            return {stream: _numbers(ranges) for stream, ranges in cursor}

    def _cursor(self, query: str, device: str) -> psycopg.ServerCursor[tuple[Any, ...]]:
        cursor = psycopg.ServerCursor(self._connection, f"oracle_{query}")
        cursor.itersize = _FETCH_ROWS
        text = _QUERIES[query].replace("{committed}", _COMMITTED if self.tracks_commits else "NULL::float8")
        return cursor.execute(text.encode(), {"device": device}, binary=True)

    def _one(self, query: str) -> Any:
        row = self._connection.execute(_QUERIES[query].encode()).fetchone()
        return row[0] if row else None


def _digest_of(event: bytes) -> bytes | None:
    """Of an event that the hub could not read; None where we cannot either."""
    try:
        content = msgspec.json.decode(event, type=dict[str, Any])
        return fingerprint.of_content(content)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
        return None


def _numbers(text: str) -> RangeSet:
    """An int8multirange as PostgreSQL prints it: upper bounds are excluded."""
    return RangeSet((int(first), int(after) - 1) for first, after in _RANGE.findall(text))


def _queries() -> dict[str, str]:
    text = (files("simulator") / "stored_events.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


_QUERIES: Final = _queries()
