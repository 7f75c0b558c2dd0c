"""Rows: each column is there with the right type, and an event packed, stored and read back is the same event."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from contract.events import EVENT_KINDS, KINDS, AnyEvent, Event, Facts, Fault, Health, Kind, Loss, Play
from contract.ranges import RangeSet
from hub.registry.placements import Placements
from hub.store import binary_copy, multirange
from hub.store.event_writer import EventWriter, tally_of
from hub.store.identities import StreamIds
from hub.store.tables import SAME, TABLE, TABLES, EventTable
from tests.hub.strategies import any_event, events_of, extremes

STORED_MS = 1_790_000_000_123
FACTS = tuple(Facts.__struct_fields__)


IDS = StreamIds(device=7, stream=9, moves=0, placements=Placements([0], [5]))


def store(connection: psycopg.Connection, events: Sequence[AnyEvent]) -> None:
    writer = EventWriter(connection)
    prepared = [writer.prepare(IDS, events, STORED_MS)] if events else []
    tally = tally_of(prepared)
    assert tally.by_kind().total() == len(events)
    with connection.transaction():
        writer.copy(prepared, tally)
        writer.raise_counts(prepared, tally, STORED_MS)


def read(connection: psycopg.Connection, kind: Kind) -> list[AnyEvent]:
    """Rows as events again, by the contract's own field names."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            f"SELECT e.*, (extract(epoch FROM time) * 1000)::bigint AS ms,"
            f" (extract(epoch FROM stored_at) * 1000)::bigint AS stored_ms"
            f"{', content_ref, content_sha256' if kind == 'play' else ''} FROM {kind} e"
            f"{' JOIN shown_content c ON c.id = e.content' if kind == 'play' else ''}"
        ).fetchall()
    same = ("device", "stream", "placement", "stored_ms")
    assert all(tuple(row[name] for name in same) == (7, 9, 5, STORED_MS) for row in rows)
    return [event_of(kind, row) for row in rows]


def event_of(kind: Kind, row: dict[str, Any]) -> AnyEvent:
    struct_of_kind = next(event for event in EVENT_KINDS if kind == event.KIND)
    values = {name: row[name] for name in struct_of_kind.__struct_fields__ if name in row} | {"time": row["ms"]}
    if kind == "play":
        values["facts"] = Facts(**{name: row[name] for name in FACTS})
        values["content_sha256"] = row["content_sha256"] and row["content_sha256"].hex()
    if kind == "loss":
        values["stream"] = row["lost_stream"].hex
        values["ranges"] = [(span.lower, span.upper - 1) for span in row["ranges"]]
    event: AnyEvent = struct_of_kind(**values)
    return event


def as_stored(event: AnyEvent) -> AnyEvent:
    """What a row can say: ranges without overlaps, temperatures in single precision."""
    if isinstance(event, Loss):
        return msgspec.structs.replace(event, ranges=RangeSet(event.ranges).spans())
    if isinstance(event, Health) and event.temperature_c is not None:
        (single,) = struct.unpack("!f", struct.pack("!f", event.temperature_c))
        return msgspec.structs.replace(event, temperature_c=single)
    return event


def same(connection: psycopg.Connection, events: list[AnyEvent]) -> None:
    connection.execute("TRUNCATE " + ", ".join(KINDS))
    store(connection, events)
    for kind in KINDS:
        mine = [event for event in events if kind == event.KIND]
        # In which order rows lie is nobody's business.
        assert sorted(map(as_stored, read(connection, kind)), key=repr) == sorted(map(as_stored, mine), key=repr)


def test_every_kind_has_a_table_and_every_field_a_column() -> None:
    assert tuple(table.kind for table in TABLES) == KINDS
    for event in EVENT_KINDS:
        own = set(event.__struct_fields__) - set(Event.__struct_fields__)
        contents = {"content_ref", "content_sha256"}
        wanted = own - {"facts"} - contents | {*FACTS, "content"} if event is Play else own
        assert {name.removeprefix("lost_") if event is Loss else name for name in own_columns(TABLE[event.KIND])} == {
            name.removeprefix("lost_") for name in wanted
        }


def own_columns(table: EventTable) -> list[str]:
    return [name for name in table.columns if name not in {*SAME, "time", "seq", "clock"}]


WIDTHS = {
    binary_copy.int2: {"smallint"},
    binary_copy.int4: {"integer"},
    binary_copy.int8: {"bigint"},
    binary_copy.float4: {"real"},
    binary_copy.boolean: {"boolean"},
    binary_copy.text: {"text", "USER-DEFINED"},  # an enum's label travels as its text
    binary_copy.hex_bytes: {"bytea", "uuid"},
    binary_copy.multirange: {"int8multirange"},
}


def test_every_column_is_in_the_catalogue_with_the_type_that_is_written(connection: psycopg.Connection) -> None:
    from hub.store.tables import _COLUMNS

    catalogue = {
        (table, column): kind
        for table, column, kind in connection.execute(
            "SELECT table_name, column_name, CASE WHEN data_type = 'USER-DEFINED' AND udt_name = 'int8multirange'"
            " THEN udt_name ELSE data_type END FROM information_schema.columns WHERE table_schema = 'hub'"
        )
    }
    for table in TABLES:
        in_catalogue = {column for name, column in catalogue if name == table.kind}
        assert in_catalogue == set(table.columns)
        for column, _, encode in _COLUMNS[table.kind]:
            assert catalogue[table.kind, column] in WIDTHS[encode], f"{table.kind}.{column}"


def test_vietnamese_and_nothing_at_all(connection: psycopg.Connection) -> None:
    base: dict[str, Any] = {"seq": 1, "time": 0}
    same(
        connection,
        [
            Play(play_id=1, slice=0, content_ref="Lễ hội Hoa Ban 2026 🇻🇳.mp4", screen="led", player="mpv", **base),
            Play(
                play_id=2**53 - 1,
                slice=2**31 - 1,
                content_ref="\\N",
                content_sha256="ff" * 32,
                screen="s",
                player="p",
                facts=Facts(listed=True, reported=False, rendering=None, panel="off", frame="mismatch"),
                **base,
            ),
            Fault(code="disk_full", reason="thẻ nhớ đầy: không ghi được nữa\n\t'\"", **base),
            Health(**base),
            Loss(stream="00" * 16, ranges=[(5, 9), (1, 2), (3, 3)], reason="evicted", **base),
        ],
    )


@pytest.mark.parametrize("highest", [False, True], ids=["lowest", "highest"])
def test_the_wire_s_bounds_are_the_columns_bounds(connection: psycopg.Connection, *, highest: bool) -> None:
    same(connection, [extremes(event, highest=highest) for event in EVENT_KINDS])


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_event_read_back_is_the_event(connection: psycopg.Connection, kind: Kind, data: st.DataObject) -> None:
    same(connection, data.draw(st.lists(events_of(kind), min_size=1, max_size=10)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(any_event(), max_size=20))
def test_kinds_together(connection: psycopg.Connection, events: list[AnyEvent]) -> None:
    same(connection, events)


@given(st.lists(st.tuples(st.integers(1, 2**53 - 1), st.integers(0, 100)), max_size=20))
def test_a_multirange_read_back_is_the_set(pairs: list[tuple[int, int]]) -> None:
    numbers = RangeSet((first, first + more) for first, more in pairs)
    assert multirange.from_sql(multirange.to_sql(numbers)) == numbers
