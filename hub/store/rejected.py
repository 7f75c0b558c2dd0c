"""Events kept as bytes because this hub could not read them; a newer one can: the bytes become rows.

They are kept for 30 days at most (`maintain`), since acts of visitors may be among them; then they count as retired.

A rejected event's number is committed already, so that its stream is not blocked. Making a row of it therefore changes
no account: its bytes leave `rejected` in the transaction that writes the row, under the stream's lock, and the audit
(rows + rejected + retired = committed) holds before, between and after.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row

from contract import codec
from contract.errors import ContractError
from contract.events import AnyEvent, Loss
from contract.limits import MAX_STREAM_RANGES
from contract.ranges import RangeSet
from hub.ledger.rules import StreamKey
from hub.store import multirange
from hub.store.event_writer import EventWriter, Prepared, tally_of
from hub.store.identities import Identities
from hub.store.named import named


class Rejected(NamedTuple):
    """One message of the table `rejected`. Without `stream` and `seq` not even its number could be read."""

    id: int
    device: str
    stream: str | None
    seq: int | None
    reason: str
    event: bytes
    stored_at: datetime
    times: int


class Readable(NamedTuple):
    """A rejected event that this hub can read."""

    id: int
    key: StreamKey
    event: AnyEvent


class Retried(NamedTuple):
    """How many became rows, and how many are kept as they are."""

    stored: int
    left: int


class _Ragged(Exception):
    """Leave this event where it is: the losses that it declares are too many ranges for an account."""


def rejected(connection: psycopg.Connection[Any], device: str | None = None) -> list[Rejected]:
    """Everything that is kept, of one device or of all."""
    with connection.cursor(row_factory=class_row(Rejected)) as cursor:
        return cursor.execute(named("rejected")["list"], {"device": device}).fetchall()


def retry(connection: psycopg.Connection, now_ms: int) -> Retried:
    """Read everything again; what can be read now becomes rows. `connection` is in autocommit mode.

    A transaction a stream, so that an interruption loses nothing and a second run goes on. psycopg.Error as it says.
    """
    kept = rejected(connection)
    by_stream: dict[StreamKey, list[Readable]] = defaultdict(list)
    for readable in filter(None, map(read_again, kept)):
        by_stream[readable.key].append(readable)
    identities = Identities()
    stored = sum(_store(connection, identities, readables, now_ms) for readables in by_stream.values())
    return Retried(stored, len(kept) - stored)


def read_again(kept: Rejected) -> Readable | None:
    """The event, if the present contract reads it and it has the number that was committed for it."""
    if kept.stream is None:
        return None
    try:
        event = codec.decode_event(kept.event)
    except ContractError:
        return None
    return Readable(kept.id, StreamKey(kept.device, kept.stream), event) if event.seq == kept.seq else None


def _store(connection: psycopg.Connection, identities: Identities, readables: Sequence[Readable], now_ms: int) -> int:
    """How many of these events, all of one stream, became rows; one that the tables refuse does not stop the others."""
    try:
        return _store_together(connection, identities, readables, now_ms)
    except (psycopg.DataError, psycopg.IntegrityError, _Ragged):
        if len(readables) == 1:
            return 0
        return sum(_store(connection, identities, [readable], now_ms) for readable in readables)


def _store_together(
    connection: psycopg.Connection, identities: Identities, readables: Sequence[Readable], now_ms: int
) -> int:
    lost = _declared(readables)
    ids = identities.of(connection, {readables[0].key, *lost})
    writer = EventWriter(connection)

    def prepare(these: Iterable[Readable]) -> Prepared:
        return writer.prepare(ids[readables[0].key], [readable.event for readable in these], now_ms)

    prepared = prepare(readables)
    with connection.transaction():
        writer.hold_catalogue(tally_of([prepared]))
        connection.execute(named("rejected")["lock"], {"ids": sorted(known.stream for known in ids.values())})
        wanted = {"ids": [readable.id for readable in readables]}
        taken = {row[0] for row in connection.execute(named("rejected")["take"], wanted)}
        fresh = [readable for readable in readables if readable.id in taken]
        if fresh:
            batches = [prepared if len(fresh) == len(readables) else prepare(fresh)]
            tally = tally_of(batches)
            writer.copy(batches, tally)
            writer.raise_counts(batches, tally, now_ms)
        _declare(connection, {ids[key].stream: numbers for key, numbers in _declared(fresh).items()})
    return len(fresh)


def _declared(readables: Iterable[Readable]) -> dict[StreamKey, RangeSet]:
    """Losses that these events declare, by the stream that they speak of."""
    lost: dict[StreamKey, RangeSet] = {}
    for readable in readables:
        if isinstance(readable.event, Loss):
            key = StreamKey(readable.key.device, readable.event.stream)
            lost.setdefault(key, RangeSet()).update(RangeSet(readable.event.ranges))
    return lost


def _declare(connection: psycopg.Connection, lost: dict[int, RangeSet]) -> None:
    arrays = {"ids": list(lost), "lost": [multirange.to_sql(numbers) for numbers in lost.values()]}
    for (ranges,) in connection.execute(named("rejected")["declare"], arrays):
        if ranges > MAX_STREAM_RANGES:
            raise _Ragged
