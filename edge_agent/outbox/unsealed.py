"""The events of an outbox whose time is not final, and their way to final bytes. Used by `OutboxStore` alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final, NamedTuple

from contract.limits import MAX_SEQ
from contract.ranges import RangeSet
from edge_agent.outbox.sealing import Boot, Dates, Known, began, dates_of, final, known_of

_LAST_ROWS: Final = 1_000
"""Moments do not rise strictly with numbers (a play's slice is told when it ends), but nothing is this much late."""

_TRIES: Final = 3


class Portion(NamedTuple):
    """Numbers of one stream, and their final bytes as SQLite is to have them: body, stream, number."""

    numbers: RangeSet
    rows: list[tuple[bytes, int, int]]


class Unsealed:
    """Which numbers of which stream they are. `boot` is the present one."""

    def __init__(self, connection: sqlite3.Connection, boot: str) -> None:
        self._db, self._boot = connection, boot
        self._numbers: dict[str, RangeSet] = {}
        self._ids: dict[str, int] = {}
        self._dates: dict[str, Dates] | None = None

    def __bool__(self) -> bool:
        """Whether there are any."""
        return any(self._numbers.values())

    def of(self, stream: str) -> RangeSet:
        """Those of one stream."""
        return self._numbers.get(stream, RangeSet())

    def load(self, stream: str, number: int) -> None:
        """Find those of a stream, whose row is `number`, in the file."""
        rows = self._db.execute("SELECT seq FROM event WHERE stream = ? AND sealed = 0", (number,))
        self.forget(stream)
        self.add(stream, number, RangeSet.of(seq for (seq,) in rows))

    def add(self, stream: str, number: int, numbers: RangeSet) -> None:
        """Some more."""
        if numbers:
            self._ids[stream] = number
            self._numbers.setdefault(stream, RangeSet()).update(numbers)

    def remove(self, stream: str, numbers: RangeSet) -> None:
        """They are sealed, or gone."""
        if stream in self._numbers:
            self._numbers[stream] = self._numbers[stream].minus(numbers)

    def forget(self, stream: str) -> None:
        """The stream is gone."""
        self._numbers.pop(stream, None)
        self._ids.pop(stream, None)

    def next_stream(self, live: str) -> str | None:
        """Of which stream to seal next: the present one first, then from the oldest on; None if nothing waits."""
        return next((name for name in (live, *self._numbers) if self.of(name)), None)

    def portion(self, stream: str, repaired_ms: Callable[[int], int], most: int) -> Portion:
        """The first up to `most` of a stream with their final bytes. Nothing is written."""
        number = self._ids[stream]
        date = self._dates_of(number, repaired_ms)
        numbers = self.of(stream).head(most)
        rows = []
        for first, last in numbers:
            found = self._db.execute(
                "SELECT at_ms, body, seq FROM event WHERE stream = ? AND seq BETWEEN ? AND ?", (number, first, last)
            )
            rows += [(final(body, *date(at_ms)), number, seq) for at_ms, body, seq in found]
        return Portion(numbers, rows)

    def write(self, portion: Portion) -> None:
        """Inside a transaction: time and seal together, or neither."""
        self._db.executemany("UPDATE event SET body = ?, sealed = 1 WHERE stream = ? AND seq = ?", portion.rows)

    # -- dating boots ----------------------------------------------------------------------------------------

    def _dates_of(self, number: int, repaired_ms: Callable[[int], int]) -> Dates:
        (boot,) = self._db.execute("SELECT boot FROM stream WHERE id = ?", (number,)).fetchone()
        if boot == self._boot:
            return lambda at_ms: (repaired_ms(at_ms), "repaired")
        if self._dates is None:  # once an opening: all events of a boot are dated by one beginning
            boots = self._earlier_boots()
            begins = began(boots, repaired_ms(0))
            self._dates = {boot.name: dates_of(boot, begins[boot.name]) for boot in boots}
        return self._dates[boot]

    def _earlier_boots(self) -> list[Boot]:
        rows = self._db.execute("SELECT boot, id, name FROM stream WHERE boot <> ? ORDER BY id", (self._boot,))
        streams: dict[str, list[tuple[int, RangeSet]]] = {}
        for boot, number, name in rows.fetchall():
            streams.setdefault(boot, []).append((number, self.of(name)))
        return [self._boot_of(boot, found) for boot, found in streams.items()]

    def _boot_of(self, boot: str, streams: list[tuple[int, RangeSet]]) -> Boot:
        last_at_ms = max(self._last_at_ms(number) for number, _ in streams)
        known: Known | None = None
        guesses: list[int] = []
        for number, unsealed in streams:
            known = self._sealed_beside(number, unsealed) or known
            newest = self._newest(number, unsealed)
            guesses += [] if newest is None else [newest.began_ms]
        # Each run began at the same floor, the later ones too late: the latest beginning is below nobody's floor.
        return Boot(boot, last_at_ms, known, max(guesses, default=None))

    def _last_at_ms(self, number: int) -> int:
        latest = "SELECT at_ms FROM event WHERE stream = ? ORDER BY seq DESC LIMIT ?"
        row = self._db.execute(f"SELECT max(at_ms) FROM ({latest})", (number, _LAST_ROWS)).fetchone()  # noqa: S608
        return int(row[0] or 0)

    def _sealed_beside(self, number: int, unsealed: RangeSet) -> Known | None:
        """The last sealed event before those that are not, or else the first one after the first of them."""
        first, last = unsealed.spans()[0] if unsealed else (MAX_SEQ, MAX_SEQ)
        before = "seq < ? AND sealed = 1 ORDER BY seq DESC"
        after = "seq > ? AND sealed = 1 ORDER BY seq"
        return self._find(number, before, first) or self._find(number, after, last)

    def _newest(self, number: int, unsealed: RangeSet) -> Known | None:
        """The last of those that are not sealed."""
        return (
            self._find(number, "seq <= ? AND sealed = 0 ORDER BY seq DESC", unsealed.spans()[-1][1])
            if unsealed
            else None
        )

    def _find(self, number: int, which: str, seq: int) -> Known | None:
        """The first event that can be read: bytes may have rotted."""
        rows = self._db.execute(
            f"SELECT at_ms, body FROM event WHERE stream = ? AND {which} LIMIT ?",  # noqa: S608 - texts of ours
            (number, seq, _TRIES),
        )
        return next((found for at_ms, body in rows if (found := known_of(at_ms, body)) is not None), None)
