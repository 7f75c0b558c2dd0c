"""Rows of batches, packed before their streams are locked.

Packing takes longer than all that is done under the lock. Nearly every batch turns out to be new as a whole; so its
rows are made on that assumption while other workers hold the lock, and made again for the few of which only a part is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from contract.events import AnyEvent, Kind
from hub.ledger.rules import StreamKey
from hub.store import binary_copy
from hub.store.tables import TABLE

Ids = Mapping[StreamKey, tuple[int, int]]
"""Ids of device and stream."""


class Packed(NamedTuple):
    """Rows of one table."""

    data: bytes
    events: int


class PackedRows:
    """The rows of one group of batches."""

    def __init__(self, ids: Ids, now_ms: int) -> None:
        self._ids, self._stored_at = ids, binary_copy.timestamp(now_ms)
        self._packed: dict[int, dict[Kind, Packed]] = {}

    def pack(self, key: StreamKey, events: Sequence[AnyEvent]) -> None:
        """Make the rows of a whole batch; the caller keeps `events`."""
        self._packed[id(events)] = self._rows(key, events)

    def of(self, key: StreamKey, events: Sequence[AnyEvent]) -> dict[Kind, Packed]:
        """Rows of these events: those made before, if it is the very list of a batch."""
        return self._packed.get(id(events)) or self._rows(key, events)

    def _rows(self, key: StreamKey, events: Sequence[AnyEvent]) -> dict[Kind, Packed]:
        device, stream = self._ids[key]
        return {
            kind: Packed(TABLE[kind].pack(mine, device, stream, self._stored_at), len(mine))
            for kind, mine in _by_kind(events).items()
        }


def _by_kind(events: Iterable[AnyEvent]) -> dict[Kind, list[AnyEvent]]:
    found: dict[Kind, list[AnyEvent]] = {}
    for event in events:
        mine = found.get(event.KIND)
        if mine is None:
            found[event.KIND] = [event]
        else:
            mine.append(event)
    return found
