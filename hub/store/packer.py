"""Events of one kind to rows of its table, by one worker: what recurs is encoded once and remembered."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

from contract.events import AnyEvent
from hub.counts.hourly import HOURLY_OF, Group, no_group
from hub.store import binary_copy as pg
from hub.store.contents import Contents
from hub.store.tables import CONTENT, EventTable

_REMEMBERED: Final = 20_000
_pack_same: Final = struct.Struct("!hiiiiiiiq").pack
"""Number of columns, then `tables.SAME`: each its length and value."""


class Packer:
    """Remembers bytes and groups of the values that recur together. Contents are numbers of one database only."""

    def __init__(self, table: EventTable, contents: Contents) -> None:
        self._table, self._contents = table, contents
        hourly = HOURLY_OF.get(table.kind)
        self._group_of: Callable[[Any], Group] = no_group if hourly is None else hourly.group_of
        self._remembered: dict[tuple[Any, ...], tuple[bytes, Group]] = {}

    def forget(self) -> None:
        """Remember nothing; the database may be another one."""
        self._remembered.clear()

    def pack(
        self, events: Sequence[AnyEvent], device: int, stream: int, placement: int, stored_at: int
    ) -> tuple[bytes, list[Group]]:
        """Rows, and each event's group for the hourly counts; `stored_at` as `binary_copy.timestamp` gives it.

        psycopg.Error and UnicodeEncodeError where a content is new and cannot be kept.
        """
        table = self._table
        numbers, pack_numbers, slots = table.numbers, table.pack_numbers, table.slots.copy()
        key_of, remembered, others, encoders = table.key, self._remembered, table.others, table.encoders
        same = _pack_same(len(table.columns), 4, device, 4, stream, 4, placement, 8, stored_at)
        parts: list[bytes] = []
        groups: list[Group] = []
        for event in events:
            slots[1::2] = numbers(event)
            slots[1] = pg.timestamp(slots[1])
            key = key_of(event)
            packed, group = remembered.get(key) or self._remember(key, event)
            parts += (same, pack_numbers(*slots), packed)
            groups.append(group)
            if encoders:
                parts += [encode(value) for encode, value in zip(encoders, others(event), strict=True)]
        return b"".join(parts), groups

    def _remember(self, key: tuple[Any, ...], event: AnyEvent) -> tuple[bytes, Group]:
        packed = b"".join(self._encoded(name, field, encode, event) for name, field, encode in self._table.recurring)
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        found = self._remembered[key] = (packed, self._group_of(event))
        return found

    def _encoded(self, name: str, field: str, encode: pg.Encode, event: Any) -> bytes:
        if name == CONTENT:
            return encode(self._contents.id(event.content_ref, event.content_sha256))
        return encode(attrgetter(field)(event))
