"""Rows of events and the hourly counts that they raise: prepared without a lock, written in one transaction.

Preparing takes longer than all that is done under the ledger's lock. Nearly every batch turns out to be new as a whole;
so it is prepared on that assumption while other workers hold the lock, and again for the few of which only a part is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import psycopg

from contract.events import AnyEvent, Kind
from hub.counts.tally import Cell, Tally, hour_of
from hub.store import binary_copy
from hub.store.contents import Contents
from hub.store.counts import raise_counts
from hub.store.identities import StreamIds
from hub.store.incidents import raise_content_incidents
from hub.store.packer import Packer
from hub.store.resolution import hold_catalogue
from hub.store.tables import TABLES
from hub.store.visits import mark


class Prepared(NamedTuple):
    """One batch: its rows by table, and the events that they are of."""

    rows: list[tuple[Kind, bytes]]
    cells: list[Cell]


class EventWriter:
    """One connection's hand on the tables of events. Rows get `stored_at`, the hub's time at preparation."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self.contents = Contents(connection)
        self._packers = {table.kind: Packer(table, self.contents) for table in TABLES}

    def make_room(self) -> None:
        """Before a group is prepared: forget everything if too much is remembered."""
        if self.contents.is_full:
            self.forget()

    def forget(self) -> None:
        """Remember nothing; the database may be another one. Packers hold numbers of contents, so all or none."""
        self.contents.forget()
        for packer in self._packers.values():
            packer.forget()

    def prepare(self, ids: StreamIds, events: Sequence[AnyEvent], now_ms: int) -> Prepared:
        """Rows and counts of events of one stream. Not within a transaction: contents may be new."""
        stored_at = binary_copy.timestamp(now_ms)
        prepared = Prepared([], [])
        for (kind, placement, hour), these in _together(ids, events).items():
            packed, groups = self._packers[kind].pack(these, ids.device, ids.stream, placement, stored_at)
            prepared.rows.append((kind, packed))
            prepared.cells.append(Cell(kind, placement, hour, these, groups))
        return prepared

    def hold_catalogue(self, tally: Tally) -> None:
        """What the catalogue says of the plays among these does not change until the transaction that is open ends.

        To be asked first: whoever changes the catalogue waits for devices, which may wait for streams that we lock.
        Nothing is read, so it can be in a pipeline; statements after it see the change that it waited for.
        """
        if tally.sums.get("play"):
            hold_catalogue(self._connection)

    def copy(self, batches: Sequence[Prepared], tally: Tally) -> None:
        """Write the rows in the transaction that is open. StaleIdentity: `forget`, and prepare them again.

        `tally` is that of these batches.
        """
        contents = {group[0] for _, _, group in tally.sums.get("play", ())}
        if contents:
            self.contents.check(contents)
        rows: dict[Kind, list[bytes]] = defaultdict(list)
        for batch in batches:
            for kind, packed in batch.rows:
                rows[kind].append(packed)
        with self._connection.cursor() as cursor:
            for table in TABLES:
                if table.kind in rows:
                    with cursor.copy(table.copy.encode()) as copy:
                        copy.write(b"".join((binary_copy.HEADER, *rows[table.kind], binary_copy.TRAILER)))

    def raise_counts(self, batches: Iterable[Prepared], tally: Tally, now_ms: int) -> None:
        """Raise what follows from these rows, in the same transaction; nothing is read, so it can be in a pipeline.

        The transaction began with `hold_catalogue`, or incidents might be of a catalogue that is just being changed.
        """
        raise_counts(self._connection, tally, self.contents)
        raise_content_incidents(self._connection, tally, self.contents, now_ms)
        mark(self._connection, (cell for batch in batches for cell in batch.cells if cell.kind == "interaction"))


def tally_of(batches: Iterable[Prepared]) -> Tally:
    """What these batches add to the hourly counts."""
    return Tally(cell for batch in batches for cell in batch.cells)


def _together(ids: StreamIds, events: Sequence[AnyEvent]) -> dict[tuple[Kind, int, int], list[AnyEvent]]:
    """Events by kind, placement and hour. Nearly always a whole batch is of one placement and one hour."""
    hours = [hour_of(event.time) for event in events]
    only, hour = ids.placements.only, hours[0]
    found: dict[tuple[Kind, int, int], list[AnyEvent]] = {}
    if only is not None and hours.count(hour) == len(hours):
        for kind, these in _by_kind(events).items():
            found[kind, only, hour] = these
        return found
    for event, its_hour in zip(events, hours, strict=True):
        found.setdefault((event.KIND, ids.placements.at(event.time), its_hour), []).append(event)
    return found


def _by_kind(events: Iterable[AnyEvent]) -> dict[Kind, list[AnyEvent]]:
    found: dict[Kind, list[AnyEvent]] = {}
    for event in events:
        mine = found.get(event.KIND)
        if mine is None:
            found[event.KIND] = [event]
        else:
            mine.append(event)
    return found
