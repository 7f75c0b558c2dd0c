"""One typed table a kind of event: which columns it has, and how an event becomes its row. A kind is added here."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec

from contract.events import EVENT_KINDS, AnyEvent, Event, Kind
from hub.store import binary_copy as pg

SAME: Final = ("device", "stream", "placement", "stored_at")
"""Columns that are the same in all rows of a batch, of one placement."""
CONTENT: Final = "content"
"""The column that holds a content's number instead of its reference and SHA-256."""
_FREE_TEXTS: Final = ("reason", "detail")
_RECURRING: Final = (pg.text, pg.hex_bytes, pg.boolean, pg.int2)

Column = tuple[str, str, pg.Encode]
"""Name of the column, of the event's field, and how its value is encoded."""

_COLUMNS: Final[dict[Kind, tuple[Column, ...]]] = {
    "play": (
        ("play_id", "play_id", pg.int8),
        ("slice", "slice", pg.int4),
        ("screen", "screen", pg.text),
        ("player", "player", pg.text),
        (CONTENT, "content_ref", pg.int4),
        ("duration_ms", "duration_ms", pg.int4),
        ("status", "status", pg.text),
        ("listed", "facts.listed", pg.boolean),
        ("reported", "facts.reported", pg.boolean),
        ("rendering", "facts.rendering", pg.boolean),
        ("panel", "facts.panel", pg.text),
        ("frame", "facts.frame", pg.text),
    ),
    "screen": (
        ("screen", "screen", pg.text),
        ("state", "state", pg.text),
        ("brightness", "brightness", pg.int2),
        ("volume", "volume", pg.int2),
    ),
    "interaction": (
        ("session", "session", pg.int8),
        ("action", "action", pg.text),
        ("target", "target", pg.text),
        ("language", "language", pg.text),
        ("duration_ms", "duration_ms", pg.int4),
        ("rating", "rating", pg.int2),
    ),
    "health": (
        ("temperature_c", "temperature_c", pg.float4),
        ("undervoltage", "undervoltage", pg.boolean),
        ("storage_errors", "storage_errors", pg.int4),
        ("disk_free_bytes", "disk_free_bytes", pg.int8),
        ("memory_available_bytes", "memory_available_bytes", pg.int8),
        ("uptime_s", "uptime_s", pg.int4),
        ("queue_events", "queue_events", pg.int4),
        ("queue_oldest_s", "queue_oldest_s", pg.int4),
        ("rtt_ms", "rtt_ms", pg.int4),
        ("clock_offset_ms", "clock_offset_ms", pg.int8),
        ("signal_dbm", "signal_dbm", pg.int2),
        ("bytes_sent", "bytes_sent", pg.int8),
        ("bytes_received", "bytes_received", pg.int8),
    ),
    "fault": (
        ("code", "code", pg.text),
        ("reason", "reason", pg.text),
        ("component", "component", pg.text),
    ),
    "lifecycle": (
        ("action", "action", pg.text),
        ("detail", "detail", pg.text),
        ("step_ms", "step_ms", pg.int8),
    ),
    "loss": (
        ("lost_stream", "stream", pg.hex_bytes),
        ("lost_kind", "lost_kind", pg.text),
        ("ranges", "ranges", pg.multirange),
        ("reason", "reason", pg.text),
    ),
}


class EventTable:
    """The layout of one kind's table.

    A row is packed in few steps, which its order of columns follows: what is the same for the whole batch; the numbers
    that are always there, in one go; texts, flags, contents and small numbers that recur together, whose bytes are
    remembered together; and one by one what is left: large numbers that may be absent, and free texts.
    """

    def __init__(self, event: type[Event], columns: tuple[Column, ...]) -> None:
        self.kind = event.KIND
        always = {name for name in event.__struct_fields__ if name not in _optional(event)}
        recurring = [column for column in columns if _recurs(column)]
        numbers = [one for one in columns if one[2] in pg.NUMBERS and one[1] in always and one not in recurring]
        numbers = [("time", "time", pg.int8), ("seq", "seq", pg.int8), *numbers]
        others = [column for column in columns if column not in numbers and column not in recurring]
        recurring = [("clock", "clock", pg.text), *recurring]
        self.columns = (*SAME, *(column[0] for column in (*numbers, *recurring, *others)))
        self.copy = f"COPY {self.kind} ({', '.join(self.columns)}) FROM STDIN (FORMAT BINARY)"
        self.numbers = _values_of([column[1] for column in numbers])
        formats = [pg.NUMBERS[column[2]] for column in numbers]
        self.pack_numbers = struct.Struct("!" + "".join(f"i{code}" for code in formats)).pack
        self.slots = [part for code in formats for part in (struct.calcsize(f"!{code}"), 0)]
        self.recurring = recurring
        self.key = _values_of(list(dict.fromkeys(part for column in recurring for part in _parts(column))))
        self.others = _values_of([column[1] for column in others])
        self.encoders = tuple(column[2] for column in others)


def _recurs(column: Column) -> bool:
    return column[0] == CONTENT or (column[2] in _RECURRING and column[0] not in _FREE_TEXTS)


def _parts(column: Column) -> tuple[str, ...]:
    """Fields of the event that decide the column's value."""
    return ("content_ref", "content_sha256") if column[0] == CONTENT else (column[1].partition(".")[0],)


def _optional(event: type[Event]) -> set[str]:
    """Fields that may be absent: those whose default is None."""
    return {field.name for field in msgspec.structs.fields(event) if field.default is None}


def _values_of(fields: Sequence[str]) -> Callable[[AnyEvent], tuple[Any, ...]]:
    """Reads these fields of an event, always as a tuple."""
    if len(fields) > 1:
        return attrgetter(*fields)
    return lambda event: tuple(getattr(event, field) for field in fields)


TABLES: Final = tuple(EventTable(event, _COLUMNS[event.KIND]) for event in EVENT_KINDS)
"""In the order in which every transaction writes them."""
TABLE: Final = {table.kind: table for table in TABLES}
