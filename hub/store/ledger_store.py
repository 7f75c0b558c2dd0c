"""The ledger's rules in one transaction: lock, decide, COPY, book, raise the current state.

READ COMMITTED is enough: every statement after the lock sees what the holder of the lock before us has committed, and
nobody else changes the locked rows. Locks are taken in one order: first the catalogue, shared, if there are plays, then
streams by their ids; and tables are written in one order. So two workers wait for each other and do not deadlock;
should it happen all the same the caller tries again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import psycopg

from contract import codec
from contract.events import Kind
from contract.limits import MAX_STREAM_RANGES
from contract.ranges import RangeSet
from hub.counts.tally import Tally
from hub.ledger.reading import Refused, Unreadable
from hub.ledger.rules import Account, Decision, Delivery, StreamKey, decide, stream_of, streams_of
from hub.store import multirange
from hub.store.arrays import numbers, texts
from hub.store.current_state import update_current_state
from hub.store.event_writer import EventWriter, Prepared, tally_of
from hub.store.identities import Identities, StaleIdentity, StreamIds
from hub.store.moment import moment
from hub.store.named import named

Ids = Mapping[StreamKey, StreamIds]
_BYTES_WORTH_COUNTING: Final = MAX_STREAM_RANGES * 16
"""A multirange takes more than this long before it has too many ranges, so only then are they counted."""
_UNNUMBERED_KEPT: Final = 1_000
"""Unreadable messages without a number that are kept per device: enough to find the cause, not to fill a disk."""


class TooRagged(Exception):
    """Refuse what came for `key`: its account would have more ranges than the ledger keeps. Nothing was committed."""

    def __init__(self, key: StreamKey) -> None:
        super().__init__(f"stream {key.stream} of {key.device} has more than {MAX_STREAM_RANGES} ranges")
        self.key = key


class LedgerStore:
    """One worker's hand on the ledger. Not thread-safe; `connection` is its own and in autocommit mode."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._identities = Identities()
        self._writer = EventWriter(connection)
        self.duplicates = 0
        self._stored: Counter[Kind] = Counter()

    def commit(
        self, deliveries: Sequence[Delivery], unreadable: Sequence[Unreadable], now_ms: int
    ) -> dict[StreamKey, Account]:
        """Store what is new in one transaction; what is then held of each stream, within the spans that were touched.

        StaleIdentity and TooRagged as they say; psycopg.Error as PostgreSQL says. Nothing is committed then.
        """
        try:
            return self._commit(deliveries, unreadable, now_ms)
        except StaleIdentity:
            self._identities.forget()
            self._writer.forget()
            raise

    def _commit(
        self, deliveries: Sequence[Delivery], unreadable: Sequence[Unreadable], now_ms: int
    ) -> dict[StreamKey, Account]:
        spans = streams_of(deliveries)
        for event in unreadable:
            low, high = spans.get(event.key, (0, 0))
            spans[event.key] = (min(low or event.seq, event.seq), max(high, event.seq))
        self._writer.make_room()
        ids = self._identities.of(self._connection, spans)
        prepared = [self._writer.prepare(ids[stream_of(one)], one.batch.events, now_ms) for one in deliveries]
        tally = tally_of(prepared)
        with self._connection.transaction():
            accounts = self._lock(ids, spans, tally)
            decision = decide(deliveries, accounts)
            self._reject(unreadable, accounts, decision, ids, now_ms)
            if list(map(id, (row[1] for row in decision.rows))) != [id(one.batch.events) for one in deliveries]:
                prepared = self._prepare_again(deliveries, prepared, decision, ids, now_ms)
                tally = tally_of(prepared)
            self._writer.copy(prepared, tally)
            # One answer is waited for instead of ten: each waiting thread also queues for the interpreter again.
            with self._connection.pipeline():
                self._writer.raise_counts(prepared, tally, now_ms)
                booked = self._book(decision, ids)
                update_current_state(self._connection, decision, ids, self._writer.contents, now_ms)
            if booked is not None:
                self._refuse_ragged(booked, ids)
        stored = tally.by_kind()
        self.duplicates += sum(len(delivery.batch.events) for delivery in deliveries) - decision.events()
        self._stored.update(stored)
        return accounts

    def take_stored(self) -> Counter[Kind]:
        """Rows committed since the last call, by kind."""
        stored, self._stored = self._stored, Counter()
        return stored

    def account(self, key: StreamKey) -> Account:
        """Everything held of one stream; an empty account if it is unknown."""
        row = self._connection.execute(named("ledger")["whole_account"], key._asdict()).fetchone()
        return Account() if row is None else Account(_numbers(row[1]), _numbers(row[2]))

    def keep_unnumbered(self, refused: Refused, now_ms: int) -> None:
        """Keep bytes that came alone and could not be read at all; their sender will declare them lost."""
        data = refused.alone or b""
        self._identities.device(self._connection, refused.device)
        values: dict[str, object] = {
            "device": refused.device,
            "sha256": bytes.fromhex(codec.sha256_hex(data)),
            "event": data,
        }
        values |= {"reason": refused.refusal.reason, "now": moment(now_ms), "most": _UNNUMBERED_KEPT}
        self._connection.execute(named("ledger")["reject_unnumbered"], values)

    def raise_incident(self, kind: str, device: str, detail: Mapping[str, object], now_ms: int) -> None:
        """Open an incident, or count the open one of this kind and device up."""
        self._identities.device(self._connection, device)
        values = {"kind": kind, "device": device, "detail": json.dumps(_keepable_texts(detail)), "now": moment(now_ms)}
        self._connection.execute(named("ledger")["raise_incident"], values)

    # -- steps of the transaction ----------------------------------------------------------------------------

    def _lock(self, ids: Ids, spans: Mapping[StreamKey, tuple[int, int]], tally: Tally) -> dict[StreamKey, Account]:
        key_of = {known.stream: key for key, known in ids.items()}
        streams = list(key_of)
        lows = [spans[key_of[stream]][0] for stream in streams]
        highs = [spans[key_of[stream]][1] for stream in streams]
        arrays = {"ids": numbers(streams), "lows": numbers(lows), "highs": numbers(highs)}
        with self._connection.pipeline():
            self._writer.hold_catalogue(tally)
            locking = self._connection.execute(named("ledger")["lock"], {"ids": numbers(sorted(key_of))})
            accounting = self._connection.execute(named("ledger")["accounts"], arrays)
        locked, rows = locking.fetchall(), accounting.fetchall()
        if {(row[0], StreamKey(row[1], row[2].hex)) for row in locked} != set(key_of.items()):
            raise StaleIdentity
        if any(ids[key_of[stream]].moves != moves for stream, moves, _, _ in rows):
            raise StaleIdentity
        return {key_of[stream]: Account(_numbers(committed), _numbers(lost)) for stream, _, committed, lost in rows}

    def _prepare_again(
        self,
        deliveries: Sequence[Delivery],
        prepared: Sequence[Prepared],
        decision: Decision,
        ids: Ids,
        now_ms: int,
    ) -> list[Prepared]:
        """Without what is not new: what was prepared of batches that are new as a whole serves as it is."""
        whole = {id(one.batch.events): ready for one, ready in zip(deliveries, prepared, strict=True)}
        return [
            whole.get(id(events)) or self._writer.prepare(ids[key], events, now_ms) for key, events, _ in decision.rows
        ]

    def _reject(
        self,
        unreadable: Iterable[Unreadable],
        accounts: Mapping[StreamKey, Account],
        decision: Decision,
        ids: Ids,
        now_ms: int,
    ) -> None:
        for event in unreadable:
            fresh = accounts[event.key].take(RangeSet.of([event.seq]))
            if not fresh:
                continue
            decision.committed.setdefault(event.key, RangeSet()).update(fresh)
            known = ids[event.key]
            values = {"device": known.device, "stream": known.stream, "seq": event.seq, "event": event.event}
            values |= {"sha256": bytes.fromhex(codec.sha256_hex(event.event)), "reason": keepable(event.reason)[:500]}
            self._connection.execute(named("ledger")["reject_numbered"], values | {"now": moment(now_ms)})

    def _book(self, decision: Decision, ids: Ids) -> psycopg.Cursor | None:
        """In a pipeline. Answers the size of each account that it changes, in bytes; None if it changes none."""
        keys = sorted(decision.committed.keys() | decision.lost.keys(), key=lambda key: ids[key].stream)
        if not keys:
            return None
        nothing = RangeSet()
        arrays = {
            "ids": numbers(ids[key].stream for key in keys),
            "committed": texts(multirange.to_sql(decision.committed.get(key, nothing)) for key in keys),
            "lost": texts(multirange.to_sql(decision.lost.get(key, nothing)) for key in keys),
        }
        return self._connection.execute(named("ledger")["book"], arrays)

    def _refuse_ragged(self, booked: psycopg.Cursor, ids: Ids) -> None:
        large = [number for number, size in booked if size > _BYTES_WORTH_COUNTING]
        if not large:
            return
        row = self._connection.execute(named("ledger")["ragged"], {"ids": large, "most": MAX_STREAM_RANGES}).fetchone()
        if row is not None:
            raise TooRagged(next(key for key, known in ids.items() if known.stream == row[0]))


def keepable(text: str) -> str:
    """`text` as PostgreSQL can hold it. Reasons quote what a device sent, and that may be a NUL or half a character."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _keepable_texts(detail: Mapping[str, object]) -> dict[str, object]:
    return {key: keepable(value) if isinstance(value, str) else value for key, value in detail.items()}


def _numbers(value: object) -> RangeSet:
    return multirange.from_sql(str(value))
