"""Does the ledger say what the tables hold? Per stream, in one snapshot, counted in the tables themselves.

The arithmetic is this: rows + rejected + retired = committed, no number stored twice, no row whose number is not
committed. What is above is reported and is no difference: holes (numbers below the highest that nobody has), declared
losses, and messages that could not be read at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from contract.ranges import RangeSet
from hub.errors import HubError
from hub.store import multirange
from hub.store.named import named


class UnknownDevice(HubError):
    """Ask for another device: nothing was ever heard of this one, and nobody has registered it."""


@dataclass(frozen=True)
class StreamAudit:
    """One stream: what the ledger says, and what the tables hold."""

    device: str | None
    """None: rows whose stream the ledger does not know; `stream` names its number then."""
    stream: str
    committed: RangeSet
    lost: RangeSet
    numbers: RangeSet
    """Numbers found in the tables, rejected events included."""
    rows: Mapping[str, int]
    """Rows per kind."""
    rejected: int
    retired: int
    doubled: int
    """Rows beyond the first of a number, in one table or across them."""
    doubled_at: RangeSet

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> StreamAudit:
        """From the columns of the query `audit`."""
        sets = {name: multirange.from_sql(row[name]) for name in ("committed", "lost", "numbers", "doubled_at")}
        values: dict[str, Any] = {**row, **sets}
        return cls(**values)

    @property
    def events(self) -> int:
        """The highest number that anybody spoke of."""
        return max((last for part in (self.committed, self.lost, self.numbers) for _, last in part), default=0)

    @property
    def holes(self) -> RangeSet:
        """Below the highest number: neither committed nor declared lost."""
        everything = RangeSet([(1, self.events)] if self.events else [])
        return everything.minus(self.committed).minus(self.lost)

    @property
    def stored(self) -> int:
        """Rows in the tables of events."""
        return sum(self.rows.values())

    @property
    def unbooked(self) -> RangeSet:
        """Numbers of rows that are not committed."""
        return self.numbers.minus(self.committed)

    @property
    def without_row(self) -> RangeSet:
        """Committed numbers of which nothing is in the tables; those of retired rows among them."""
        return self.committed.minus(self.numbers)

    @property
    def difference(self) -> int:
        """Rows + rejected + retired - committed; 0 when all is well."""
        return self.stored + self.rejected + self.retired - self.committed.count()

    @property
    def ok(self) -> bool:
        """Whether ledger and tables agree."""
        return self.difference == 0 and self.doubled == 0 and not self.unbooked

    def as_json(self) -> dict[str, Any]:
        """For programs. Ranges are closed: [first, last]."""
        return {
            "device": self.device,
            "stream": self.stream,
            "ok": self.ok,
            "events": self.events,
            "committed": self.committed.spans(),
            "committed_events": self.committed.count(),
            "holes": self.holes.spans(),
            "hole_events": self.holes.count(),
            "lost": self.lost.spans(),
            "lost_events": self.lost.count(),
            "rows": dict(self.rows),
            "rows_total": self.stored,
            "rejected": self.rejected,
            "retired": self.retired,
            "difference": self.difference,
            "doubled": self.doubled,
            "doubled_at": self.doubled_at.spans(),
            "unbooked": self.unbooked.spans(),
            "missing": self.without_row.spans() if self.difference < 0 and not self.retired else [],
        }


@dataclass(frozen=True)
class Audit:
    """All streams, or those of one device."""

    streams: tuple[StreamAudit, ...]
    unnumbered: int
    """Messages kept as bytes though not even a number could be read; their senders declare them lost."""

    @property
    def ok(self) -> bool:
        """Whether ledger and tables agree everywhere."""
        return all(stream.ok for stream in self.streams)

    def totals(self) -> dict[str, int]:
        """Sums over the streams."""
        streams = self.streams
        return {
            "streams": len(streams),
            "devices": len({stream.device for stream in streams if stream.device is not None}),
            "committed": sum(stream.committed.count() for stream in streams),
            "rows": sum(stream.stored for stream in streams),
            "rejected": sum(stream.rejected for stream in streams),
            "retired": sum(stream.retired for stream in streams),
            "holes": sum(stream.holes.count() for stream in streams),
            "lost": sum(stream.lost.count() for stream in streams),
            "doubled": sum(stream.doubled for stream in streams),
            "unbooked": sum(stream.unbooked.count() for stream in streams),
            "different": sum(not stream.ok for stream in streams),
            "unnumbered": self.unnumbered,
        }

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"ok": self.ok, "totals": self.totals(), "streams": [stream.as_json() for stream in self.streams]}


def audit(connection: psycopg.Connection[Any], device: str | None = None) -> Audit:
    """Count everything in one snapshot, without keeping anybody from writing. UnknownDevice as it says.

    `connection` has no transaction open.
    """
    with _snapshot(connection) as cursor:
        given = {"device": None if device is None else _device_id(cursor, device)}
        streams = cursor.execute(named("audit")["audit"], given).fetchall()
        unnumbered = cursor.execute(named("audit")["unnumbered"], given).fetchone()
    return Audit(tuple(StreamAudit.from_row(row) for row in streams), unnumbered["messages"] if unnumbered else 0)


@contextmanager
def _snapshot(connection: psycopg.Connection[Any]) -> Iterator[psycopg.Cursor[dict[str, Any]]]:
    before = connection.read_only, connection.isolation_level
    connection.read_only, connection.isolation_level = True, psycopg.IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            yield cursor
    finally:
        if not connection.closed:
            connection.read_only, connection.isolation_level = before


def _device_id(cursor: psycopg.Cursor[dict[str, Any]], name: str) -> int:
    row = cursor.execute(named("audit")["device"], {"name": name}).fetchone()
    if row is None:
        raise UnknownDevice(f"no device {name!r} is known here; see: ttdn-hub registry list")
    return int(row["id"])
