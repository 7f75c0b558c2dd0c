"""The outbox as rules over one SQLite connection; knows no thread and no clock.

Promises: `append` returns only after its commit; a number names one event for ever (a stream is never appended to by a
later opening, nor after a write that failed); what is deleted was covered and past its grace, or evicted because it
was covered and room was needed, or is declared lost in the deletion's own transaction.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from msgspec.structs import replace

from contract import codec
from contract.events import KINDS, AnyEvent, Kind, Loss, LossReason
from contract.ids import ClockState
from contract.limits import MAX_LOSS_RANGES
from contract.ranges import RangeSet
from contract.receipt import Covered
from contract.status import Opening, Pending
from edge_agent.outbox.coverage import Coverage, Since
from edge_agent.outbox.database import is_damage
from edge_agent.outbox.errors import NotStored, OutboxDamaged, OutboxError, OutboxFull
from edge_agent.outbox.sealing import SEAL_ROWS, time_of
from edge_agent.outbox.unsealed import Unsealed

DELETE_ROWS: Final = 2_000
"""Rows deleted in one transaction at most, so that no commit takes long on an SD card."""
ROW_OVERHEAD_BYTES: Final = 48
_HEALTH: Final = KINDS.index("health")
GRACE_MS: Final = 7 * 24 * 3600 * 1000


class Position(NamedTuple):
    """Where an event stands for ever."""

    stream: str
    seq: int


class Entry(NamedTuple):
    """An event to append, its moment on CLOCK_BOOTTIME, ms, and whether its time is final, so that it may be sent."""

    event: AnyEvent
    at_ms: int
    sealed: bool = True


class Stored(NamedTuple):
    """An event as it is kept: number and final bytes."""

    seq: int
    body: bytes


_Row = tuple[int, int, int, bool, bytes]
"""Number, kind, moment, sealed, body."""


def new_stream() -> str:
    """A stream id that no other opening of any outbox will ever have."""
    return secrets.token_hex(16)


class OutboxStore:
    """All streams of one outbox; appends to one of its own. `connection` is in autocommit mode and not shared."""

    def __init__(self, connection: sqlite3.Connection, *, max_bytes: int, boot: str = "", stream: str = "") -> None:
        self._db = connection
        self.max_bytes = max_bytes
        self._boot = boot
        self._unsealed = Unsealed(connection, boot)
        self._begin_stream(stream or new_stream())
        self._load()
        outbox, openings = connection.execute("SELECT outbox, openings FROM identity").fetchone()
        self._this_opening = Opening(outbox=outbox, number=openings + 1)
        self.opening: Opening | None = None
        """Which opening this is; None until that is on disk: another one would have the same number else."""

    # -- appending -------------------------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry]) -> list[Position]:
        """Store events in one commit. OutboxFull stores none of them; so does ContractError for a malformed one."""
        if not entries:
            return []
        events = [replace(entry.event, seq=self._next + at) for at, entry in enumerate(entries)]
        bodies = [codec.encode_event(event) for event in events]
        self._make_room(sum(map(len, bodies)) + ROW_OVERHEAD_BYTES * len(bodies))
        rows = [
            (event.seq, KINDS.index(event.KIND), entry.at_ms, entry.sealed, body)
            for event, entry, body in zip(events, entries, bodies, strict=True)
        ]
        stream = self.stream
        with self._transaction(stream):
            self._insert(rows)
        self._took(rows)
        return [Position(stream, event.seq) for event in events]

    def declare_lost(
        self,
        stream: str,
        numbers: RangeSet,
        reason: LossReason,
        *,
        time_ms: int,
        at_ms: int,
        clock: ClockState = "synced",
    ) -> None:
        """Delete events and record the loss, in one commit. A loss itself is never lost: it stays.

        Where the time is `estimated` the loss waits for its final one, as any event does.
        """
        by_kind = self._by_kind(stream, numbers.common(self._held.get(stream, RangeSet())))
        by_kind.pop("loss", None)
        if not by_kind:
            return
        gone = RangeSet(span for found in by_kind.values() for span in found)
        losses = [
            Loss(
                seq=self._next + at,
                time=time_ms,
                clock=clock,
                stream=stream,
                ranges=spans,
                reason=reason,
                lost_kind=kind,
            )
            for at, (kind, spans) in enumerate(_in_pieces(by_kind))
        ]
        sealed = clock != "estimated"
        rows = [(loss.seq, KINDS.index("loss"), at_ms, sealed, codec.encode_event(loss)) for loss in losses]
        with self._transaction(stream, self.stream):
            self._delete(stream, gone)
            self._insert(rows)
        self._dropped(stream, gone)
        self._took(rows)

    # -- sealing ---------------------------------------------------------------------------------------------

    def has_unsealed(self) -> bool:
        """Whether events wait for their final time."""
        return bool(self._unsealed)

    def seal(self, repaired_ms: Callable[[int], int], most: int = SEAL_ROWS) -> int:
        """Give up to `most` events their final time and bytes, in one commit; how many it were.

        `repaired_ms` dates moments of the present boot. Events of earlier boots get the best estimate there is.
        """
        name = self._unsealed.next_stream(self.stream)
        if name is None:
            return 0
        portion = self._unsealed.portion(name, repaired_ms, most)
        with self._transaction(name):
            self._unsealed.write(portion)
        self._unsealed.remove(name, portion.numbers)
        return portion.numbers.count()

    # -- reading ---------------------------------------------------------------------------------------------

    def streams(self) -> list[Pending]:
        """Every stream of which events are held, oldest opening first; covered ones are held until their grace ends."""
        return [
            Pending(stream=name, low=low, high=high)
            for name, numbers in self._held.items()
            if numbers
            for low, high in [(numbers.spans()[0][0], numbers.spans()[-1][1])]
        ]

    def uncovered(self, stream: str) -> RangeSet:
        """Numbers held, sealed, and not known to be covered: what is to be sent."""
        return self._waiting(stream).minus(self._unsealed.of(stream))

    def patient(self) -> RangeSet:
        """Numbers of the present stream that nobody waits for: health, which is told every minute and looked at later.

        Those that the hub has are left out.
        """
        return self._patient

    def read(self, stream: str, spans: Iterable[tuple[int, int]], max_bytes: int, max_events: int) -> list[Stored]:
        """Sealed events of `spans`, rising, until `max_bytes` of bodies or `max_events` are reached; at least one."""
        taken: list[Stored] = []
        size = 0
        for first, last in spans:
            for seq, body in self._bodies(stream, first, last, max_events - len(taken)):
                if taken and (size + len(body) > max_bytes or len(taken) >= max_events):
                    return taken
                taken.append(Stored(seq, body))
                size += len(body)
            if len(taken) >= max_events:
                break
        return taken

    def oldest_uncovered_ms(self) -> int | None:
        """Wall time, Unix ms, of the first event that the hub does not have; None if its bytes have rotted."""
        for name in self._held:
            for first, _ in self._waiting(name):
                row = self._db.execute(
                    "SELECT body FROM event WHERE stream = ? AND seq = ?", (self._ids[name], first)
                ).fetchone()
                return None if row is None else time_of(row[0])
        return None

    def count_uncovered(self) -> int:
        """How many events the hub does not have, sealed or not."""
        return sum(self._waiting(name).count() for name in self._held)

    def used_bytes(self) -> int:
        """Bytes of the database file in use; freed pages are not."""
        pages, free, size = (self._pragma(name) for name in ("page_count", "freelist_count", "page_size"))
        return (pages - free) * size

    # -- covering --------------------------------------------------------------------------------------------

    def cover(self, covered: Covered, *, hello: bool, hub_time_ms: int) -> None:
        """Take a receipt's word. A hello's answer replaces what was believed, so a hub that went back gets it again."""
        if covered.stream not in self._held:
            return
        numbers = RangeSet([*covered.committed, *covered.lost]).within(covered.low, covered.high)
        numbers = numbers.common(self._held[covered.stream])
        coverage = self._coverage.setdefault(covered.stream, Coverage())
        if hello:
            coverage.replace(covered.low, covered.high, numbers, hub_time_ms)
        else:
            coverage.extend(numbers, hub_time_ms)
        if covered.stream == self.stream:
            for first, last in numbers:
                self._patient.remove(first, last)

    def settle(self, hub_time_ms: int, grace_ms: int = GRACE_MS) -> int:
        """Save what is believed covered and delete what is past its grace. How many rows were deleted."""
        past = {name: self._past_grace(name, hub_time_ms - grace_ms) for name in self._held}
        past = {name: numbers for name, numbers in past.items() if numbers}
        if past:
            with self._transaction(*past):
                for name, numbers in past.items():
                    self._delete(name, numbers)
            for name, numbers in past.items():
                self._dropped(name, numbers)
        self.save()
        return sum(numbers.count() for numbers in past.values())

    def save(self) -> None:
        """Save what is believed covered: only what has changed since the last time, to spare the SD card."""
        changes = {name: self._coverage[name].change() for name in self._ids if name in self._coverage}
        changes = {name: change for name, change in changes.items() if change.gone or change.new}
        if not changes:
            return
        with self._transaction(*changes):
            for name, (gone, new) in changes.items():
                number = self._ids[name]
                self._db.executemany(
                    "DELETE FROM covered WHERE stream = ? AND first = ?", [(number, part.first) for part in gone]
                )
                self._db.executemany(
                    "INSERT OR REPLACE INTO covered (stream, first, last, since_ms) VALUES (?, ?, ?, ?)",
                    [(number, *part) for part in new],
                )
        for name in changes:
            self._coverage[name].saved()

    # -- inside ----------------------------------------------------------------------------------------------

    def _begin_stream(self, name: str) -> None:
        self.stream = name
        self._next = 1
        self._stream_id: int | None = None
        self._patient = RangeSet()

    def _load(self) -> None:
        self._ids: dict[str, int] = {}
        self._held: dict[str, RangeSet] = {}
        self._coverage: dict[str, Coverage] = {}
        for number, name in self._db.execute("SELECT id, name FROM stream ORDER BY id").fetchall():
            self._load_stream(number, name)

    def _load_stream(self, number: int, name: str) -> None:
        self._ids[name] = number
        self._held[name] = RangeSet(self._runs(number))
        self._unsealed.load(name, number)
        parts = self._db.execute("SELECT first, last, since_ms FROM covered WHERE stream = ?", (number,))
        saved = [Since(*part) for part in parts]
        if name in self._coverage:
            self._coverage[name].found_saved(saved)
        else:
            self._coverage[name] = Coverage(saved)

    def _runs(self, number: int) -> list[tuple[int, int]]:
        """The ranges of a stream's numbers. Mostly there is one, and counting is three times as fast as looking."""
        of = "FROM event WHERE stream = ?"
        count, first, last = self._db.execute(f"SELECT count(*), min(seq), max(seq) {of}", (number,)).fetchone()
        if count == 0 or count == last - first + 1:
            return [(first, last)] if count else []
        runs = f"SELECT seq, seq - row_number() OVER (ORDER BY seq) AS run {of}"
        return self._db.execute(f"SELECT min(seq), max(seq) FROM ({runs}) GROUP BY run", (number,)).fetchall()  # noqa: S608

    @contextmanager
    def _transaction(self, *touched: str) -> Iterator[None]:
        """One commit that changes the streams `touched`.

        After a failure nobody knows what reached the disk, so no number of the present stream is used again.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._start_over(touched)
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise OutboxFull("the disk that holds the outbox is full; free space on it") from error
            if is_damage(error):
                raise OutboxDamaged(f"the outbox is damaged: {error}; replace the SD card") from error
            raise NotStored(f"writing to the outbox failed: {error}; check the SD card or disk") from error

    def _start_over(self, touched: Iterable[str]) -> None:
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._begin_stream(new_stream())
            for name in touched:
                row = self._db.execute("SELECT id FROM stream WHERE name = ?", (name,)).fetchone()
                if row is not None:
                    self._load_stream(row[0], name)
                else:
                    self._forget(name)
        except sqlite3.Error as error:
            kind = OutboxDamaged if is_damage(error) else OutboxError
            raise kind(f"the outbox can neither be written nor read: {error}; replace the SD card") from error

    def _insert(self, rows: Sequence[_Row]) -> None:
        if self._stream_id is None:
            self._db.execute("UPDATE identity SET openings = ?", (self._this_opening.number,))
            cursor = self._db.execute("INSERT INTO stream (name, boot) VALUES (?, ?)", (self.stream, self._boot))
            self._stream_id = cursor.lastrowid
        self._db.executemany(
            "INSERT INTO event (stream, seq, kind, at_ms, sealed, body) VALUES (?, ?, ?, ?, ?, ?)",
            [(self._stream_id, *row) for row in rows],
        )

    def _took(self, rows: Sequence[_Row]) -> None:
        assert self._stream_id is not None  # noqa: S101 - _insert has made the row
        self._ids[self.stream] = self._stream_id
        self._held.setdefault(self.stream, RangeSet()).add(self._next, self._next + len(rows) - 1)
        self._unsealed.add(self.stream, self._stream_id, RangeSet.of(row[0] for row in rows if not row[3]))
        self._patient.update(RangeSet.of(row[0] for row in rows if row[1] == _HEALTH))
        self._next += len(rows)
        self.opening = self._this_opening

    def _make_room(self, need_bytes: int) -> None:
        """Evict covered events, oldest first, until `need_bytes` fit; OutboxFull if they do not even then."""
        while self.used_bytes() + need_bytes > self.max_bytes:
            for name in list(self._held):
                numbers = self._covered_held(name).head(DELETE_ROWS)
                if numbers:
                    with self._transaction(name):
                        self._delete(name, numbers)
                    self._dropped(name, numbers)
                    break
            else:
                raise OutboxFull(
                    f"the outbox is full: {self.used_bytes()} of {self.max_bytes} bytes hold events that the hub does"
                    " not have yet; bring the link to the hub back, or raise outbox.max_bytes"
                )

    def _waiting(self, name: str) -> RangeSet:
        covered = self._coverage.get(name)
        held = self._held.get(name, RangeSet())
        return held.minus(covered.numbers) if covered is not None else held.copy()

    def _covered_held(self, name: str) -> RangeSet:
        return self._held[name].minus(self._waiting(name))

    def _past_grace(self, name: str, since_ms: int) -> RangeSet:
        covered = self._coverage.get(name)
        if covered is None:
            return RangeSet()
        return covered.older_than(since_ms).common(self._held[name]).head(DELETE_ROWS)

    def _delete(self, stream: str, numbers: RangeSet) -> None:
        self._db.executemany(
            "DELETE FROM event WHERE stream = ? AND seq BETWEEN ? AND ?",
            [(self._ids[stream], first, last) for first, last in numbers],
        )
        if numbers == self._held[stream] and stream != self.stream:
            self._db.execute("DELETE FROM covered WHERE stream = ?", (self._ids[stream],))
            self._db.execute("DELETE FROM stream WHERE id = ?", (self._ids[stream],))

    def _dropped(self, stream: str, numbers: RangeSet) -> None:
        self._held[stream] = self._held[stream].minus(numbers)
        self._unsealed.remove(stream, numbers)
        if stream in self._coverage:
            self._coverage[stream].forget(numbers)
        if not self._held[stream] and stream != self.stream:
            self._forget(stream)

    def _forget(self, stream: str) -> None:
        self._held.pop(stream, None)
        self._coverage.pop(stream, None)
        self._ids.pop(stream, None)
        self._unsealed.forget(stream)

    def _by_kind(self, stream: str, numbers: RangeSet) -> dict[Kind, RangeSet]:
        by_kind: dict[Kind, RangeSet] = {}
        for first, last in numbers:
            rows = self._db.execute(
                "SELECT seq, kind FROM event WHERE stream = ? AND seq BETWEEN ? AND ?", (self._ids[stream], first, last)
            )
            for seq, kind in rows:
                by_kind.setdefault(KINDS[kind], RangeSet()).add(seq, seq)
        return by_kind

    def _bodies(self, stream: str, first: int, last: int, limit: int) -> Iterator[tuple[int, bytes]]:
        return self._db.execute(
            "SELECT seq, body FROM event WHERE stream = ? AND seq BETWEEN ? AND ? AND sealed = 1 ORDER BY seq LIMIT ?",
            (self._ids[stream], first, last, max(limit, 1)),
        )

    def _pragma(self, name: str) -> int:
        value = self._db.execute(f"PRAGMA {name}").fetchone()[0]
        return int(value)


def _in_pieces(by_kind: Mapping[Kind, RangeSet]) -> Iterator[tuple[Kind, list[tuple[int, int]]]]:
    """As many ranges as one loss can carry, kind by kind."""
    for kind, found in sorted(by_kind.items(), key=lambda pair: KINDS.index(pair[0])):
        spans = found.spans()
        for at in range(0, len(spans), MAX_LOSS_RANGES):
            yield kind, spans[at : at + MAX_LOSS_RANGES]
