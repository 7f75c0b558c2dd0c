"""The outbox as threads see it: `append` returns after a commit that it shares with whatever else came in.

Commits are at most one every `commit_interval_s`: the first event after a rest is committed at once, what follows
within the interval goes together into the next commit. So an SD card is written at a bounded pace, and a single event
does not wait.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from contract.errors import ContractError
from contract.events import LossReason
from contract.ids import ClockState
from contract.ranges import RangeSet
from contract.receipt import Covered
from contract.status import Opening, Pending, Queue
from edge_agent.outbox.database import Lock, is_damage, open_database, start_anew, suspect
from edge_agent.outbox.errors import NotStored, OutboxDamaged, OutboxError, OutboxFull, OutboxNewer
from edge_agent.outbox.newer import set_newer_aside, take_in
from edge_agent.outbox.store import Entry, OutboxStore, Position, Stored

FILE_NAME: Final = "outbox.db"
SETTLE_INTERVAL_S: Final = 60
log = logging.getLogger(__name__)


class _Ticket:
    """One caller's events on their way into a commit."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.since = time.monotonic()
        self.done = threading.Event()
        self.positions: list[Position] = []
        self.error: OutboxError | ContractError | None = None

    def settle(self, store: OutboxStore) -> None:
        try:
            self.positions = store.append(self.entries)
        except (OutboxError, ContractError) as error:
            self.error = error
        self.done.set()


class _Opened(NamedTuple):
    connection: sqlite3.Connection
    store: OutboxStore
    damaged: Path | None
    newer: Path | None


class Outbox:
    """Opens the outbox in `folder` for writing: an exclusive lock, and a stream of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        commit_interval_s: float = 1.0,
        boot: str = "",
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self._file = folder / FILE_NAME
        self._file_lock = Lock(folder / "outbox.lock")
        try:
            opened = _open_store(self._file, max_bytes, boot)
        except OutboxError:
            self._file_lock.release()
            raise
        self._connection, self._store = opened.connection, opened.store
        self.set_aside, self.newer_set_aside = opened.damaged, opened.newer
        """Where an outbox lies that this opening could not use: a damaged one, and one of a later version."""
        self.on_commit = on_commit
        self.failure: BaseException | None = None
        """Why nothing can be written any more; the agent ends and is started again."""
        self._interval_s = commit_interval_s
        self._lock = threading.RLock()
        self._waiting: list[_Ticket] = []
        self._in_hand: list[_Ticket] = []
        self._arrival = threading.Condition()
        self._closing = self._closed = False
        self._refused = 0
        self._full = False
        self._writer = threading.Thread(target=self._write, name="outbox", daemon=True)
        self._writer.start()

    def append(self, entries: Sequence[Entry]) -> list[Position]:
        """Store events; returns where they stand, after the commit.

        OutboxFull and NotStored say that nothing was accepted; ContractError that an event cannot be one.
        """
        ticket = _Ticket(entries)
        with self._arrival:
            if self._closing:
                raise NotStored("the agent is stopping, or its outbox cannot be written any more")
            self._waiting.append(ticket)
            self._arrival.notify()
        ticket.done.wait()
        if ticket.error is not None:
            raise ticket.error
        return ticket.positions

    def waits_s(self) -> float:
        """For how long the oldest event that is not committed yet has waited; 0 if none waits. Does not wait."""
        with self._arrival:
            since = [ticket.since for ticket in (*self._in_hand, *self._waiting) if not ticket.done.is_set()]
        return time.monotonic() - min(since) if since else 0.0

    def set_limit(self, max_bytes: int) -> None:
        """Its largest size from now on; nothing is removed for it but to make room for what comes."""
        with self._lock:
            self._store.max_bytes = max_bytes

    def close(self) -> None:
        """Commit what waits, save what is believed covered, and let go of the file. May be called more than once."""
        if self._closed:
            return
        self._closed = True
        with self._arrival:
            self._closing = True
            self._arrival.notify()
        self._writer.join()
        with self._lock:
            try:
                self._store.save()
            except (OutboxError, sqlite3.Error) as error:
                log.warning("what the hub has could not be noted, it will be asked again: %s", error)
            self._connection.close()
        self._file_lock.release()

    def suspect(self, error: BaseException) -> None:
        """Reading failed: if the file is damaged, the next opening sets it aside."""
        if is_damage(error):
            suspect(self._file)

    # -- what the uplink asks and tells ----------------------------------------------------------------------

    @property
    def live_stream(self) -> str:
        """The stream that is being appended to."""
        return self._store.stream

    def streams(self) -> list[Pending]:
        """Every stream of which events are held."""
        with self._lock:
            return self._store.streams()

    def uncovered(self, stream: str) -> RangeSet:
        """Numbers held that the hub is not known to have."""
        with self._lock:
            return self._store.uncovered(stream)

    def patient(self) -> RangeSet:
        """Numbers of the stream that is being appended to that nobody waits for."""
        with self._lock:
            return self._store.patient().copy()

    def read(self, stream: str, spans: Iterable[tuple[int, int]], max_bytes: int, max_events: int) -> list[Stored]:
        """Sealed events of `spans` within the limits, at least one."""
        with self._lock:
            return self._store.read(stream, spans, max_bytes, max_events)

    def cover(self, covered: Covered, *, hello: bool, hub_time_ms: int) -> None:
        """Take a receipt's word."""
        with self._lock:
            self._store.cover(covered, hello=hello, hub_time_ms=hub_time_ms)

    @property
    def opening(self) -> Opening | None:
        """Which opening of which outbox this is; None until something was appended."""
        return self._store.opening

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
        """Delete events for good and record that, in one commit."""
        with self._lock:
            self._store.declare_lost(stream, numbers, reason, time_ms=time_ms, at_ms=at_ms, clock=clock)

    def has_unsealed(self) -> bool:
        """Whether events wait for their final time."""
        with self._lock:
            return self._store.has_unsealed()

    def seal(self, repaired_ms: Callable[[int], int]) -> int:
        """Give a portion of them their final time, in one commit; how many it were. Only while the time is certain."""
        with self._lock:
            return self._store.seal(repaired_ms)

    def settle(self, hub_time_ms: int) -> None:
        """Save what is believed covered, delete what is past its grace."""
        with self._lock:
            self._store.settle(hub_time_ms)

    def queue(self, now_ms: int) -> Queue:
        """How much waits; `now_ms` is the wall clock the events are stamped with, Unix ms."""
        with self._lock:
            count = self._store.count_uncovered()
            oldest_ms = self._store.oldest_uncovered_ms() if count else None
            full, refused = self._full, self._refused
        age_s = max(0, now_ms - oldest_ms) // 1000 if oldest_ms is not None else 0
        return Queue(events=count, oldest_s=min(age_s, 2**31 - 1), full=full, refused=refused)

    def take_refusals(self) -> int:
        """How many events were refused since the last call, once there is room again; 0 while it is still full."""
        with self._lock:
            if self._full:
                return 0
            count, self._refused = self._refused, 0
            return count

    def put_back_refusals(self, count: int) -> None:
        """They could not be told of after all."""
        with self._lock:
            self._refused += count

    # -- the writer thread -----------------------------------------------------------------------------------

    def _write(self) -> None:
        """What ends it but `close` is a bug or a dead disk. Nobody is left waiting for a commit then."""
        tickets: list[_Ticket] = []
        last_commit = -self._interval_s
        try:
            while self.failure is None and (tickets := self._next_group(last_commit + self._interval_s)):
                last_commit = time.monotonic()
                with self._lock:
                    self._commit(tickets)
                self.on_commit()
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self._turn_away(tickets)

    def _turn_away(self, tickets: list[_Ticket]) -> None:
        with self._arrival:
            self._closing = True
            left, self._waiting = [*tickets, *self._waiting], []
        for ticket in left:
            if not ticket.done.is_set():
                ticket.error = NotStored(f"the outbox cannot be written any more: {self.failure}")
                ticket.done.set()

    def _next_group(self, due: float) -> list[_Ticket]:
        """Everything that has come in by `due`; empty when the outbox is closing and nothing is left."""
        with self._arrival:
            while not self._waiting and not self._closing:
                self._arrival.wait()
            while not self._closing and (left := due - time.monotonic()) > 0:
                self._arrival.wait(left)
            tickets = self._in_hand = self._waiting
            self._waiting = []
            return tickets

    def _commit(self, tickets: list[_Ticket]) -> None:
        together = _Ticket([entry for ticket in tickets for entry in ticket.entries])
        together.settle(self._store)
        if len(tickets) > 1 and isinstance(together.error, ContractError | OutboxFull):
            for ticket in tickets:  # one that is malformed, or too large for what room is left, spoils no other
                ticket.settle(self._store)
        else:
            self._hand_out(tickets, together)
        self._count_refusals(tickets)
        self._note_failure(tickets)

    def _note_failure(self, tickets: list[_Ticket]) -> None:
        for ticket in tickets:
            if isinstance(ticket.error, OutboxError) and not isinstance(ticket.error, OutboxFull | NotStored):
                self.failure = ticket.error
        if isinstance(self.failure, OutboxDamaged):
            suspect(self._file)

    def _hand_out(self, tickets: list[_Ticket], together: _Ticket) -> None:
        at = 0
        for ticket in tickets:
            ticket.positions = together.positions[at : at + len(ticket.entries)]
            ticket.error = together.error
            at += len(ticket.entries)
            ticket.done.set()

    def _count_refusals(self, tickets: list[_Ticket]) -> None:
        refused = [ticket for ticket in tickets if isinstance(ticket.error, OutboxFull)]
        for ticket in refused:
            self._refused += len(ticket.entries)
        if refused and not self._full:
            log.error("%s", refused[0].error)
        self._full = bool(refused)


def _open_store(file: Path, max_bytes: int, boot: str) -> _Opened:
    """OutboxError if there can be none."""
    newer = None
    try:
        connection, damaged = open_database(file)
    except OutboxNewer as error:
        newer = set_newer_aside(file, error)
        connection, damaged = open_database(file)
    if newer is None and damaged is None:
        take_in(connection, file, max_bytes)
    try:
        return _Opened(connection, OutboxStore(connection, max_bytes=max_bytes, boot=boot), damaged, newer)
    except sqlite3.Error as error:
        connection.close()
        if not is_damage(error):
            raise OutboxError(f"cannot read {file}: {error}; check the disk and its rights") from error
    connection, damaged = start_anew(file)
    return _Opened(connection, OutboxStore(connection, max_bytes=max_bytes, boot=boot), damaged, newer)
