"""One typed table a kind of event: which columns it has, and how an event becomes its row. A kind is added here."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, Final

from contract.events import EVENT_KINDS, AnyEvent, Kind
from hub.store import binary_copy as pg

_COMMON: Final = ("time", "device", "stream", "seq", "stored_at", "clock")
_head: Final = struct.Struct("!hiqiiiiiqiq").pack

Column = tuple[str, str, pg.Encode]
"""Name of the column, of the event's field, and how its value is encoded."""

_COLUMNS: Final[dict[Kind, tuple[Column, ...]]] = {
    "play": (
        ("play_id", "play_id", pg.int8),
        ("slice", "slice", pg.int4),
        ("screen", "screen", pg.text),
        ("player", "player", pg.text),
        ("content_ref", "content_ref", pg.text),
        ("content_sha256", "content_sha256", pg.hex_bytes),
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
    """The table of one kind of event."""

    def __init__(self, kind: Kind, columns: tuple[Column, ...]) -> None:
        self.kind = kind
        self.columns = (*_COMMON, *(column[0] for column in columns))
        self.copy = f"COPY {kind} ({', '.join(self.columns)}) FROM STDIN (FORMAT BINARY)"
        self._fields = attrgetter(*(column[1] for column in columns))
        self._encoders = tuple(column[2] for column in columns)

    def pack(self, events: Iterable[AnyEvent], device: int, stream: int, stored_at: int) -> bytes:
        """Rows of events of this kind; `stored_at` as `binary_copy.timestamp` gives it."""
        fields, encoders, count = self._fields, self._encoders, len(self.columns)
        rows: list[bytes] = []
        for event in events:
            time = pg.timestamp(event.time)
            rows.append(_head(count, 8, time, 4, device, 4, stream, 8, event.seq, 8, stored_at))
            rows.append(pg.text(event.clock))
            values: tuple[Any, ...] = fields(event)
            rows += [encode(value) for encode, value in zip(encoders, values, strict=True)]
        return b"".join(rows)


TABLES: Final = tuple(EventTable(event.KIND, _COLUMNS[event.KIND]) for event in EVENT_KINDS)
"""In the order in which every transaction writes them."""
TABLE: Final = {table.kind: table for table in TABLES}
