"""The audit finds every way in which tables and ledger can differ, and takes holes and losses for what they are."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from contract.receipt import Refusal
from hub.ledger.reading import Refused, Unreadable
from hub.store.audit import Audit, StreamAudit, UnknownDevice, audit
from hub.store.ledger_store import LedgerStore
from hub.store.named import named
from hub.store.tables import TABLES
from tests.hub.making import DEVICE, KEY, NOW_MS, OTHER_STREAM, delivery, loss, play


@pytest.fixture
def store(connection: psycopg.Connection) -> LedgerStore:
    return LedgerStore(connection)


def only(found: Audit) -> StreamAudit:
    (stream,) = found.streams
    return stream


def test_nothing_at_all(connection: psycopg.Connection) -> None:
    found = audit(connection)
    assert (found.ok, found.streams, found.totals()["committed"]) == (True, (), 0)


def test_clean_with_holes_losses_rejected_and_kinds(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, play(2), loss(9, (5, 6))])], [Unreadable(KEY, "", 4, b"?", "invalid: x")], NOW_MS)
    stream = only(audit(connection))
    assert stream.ok
    assert (stream.device, stream.stream.replace("-", "")) == KEY
    assert stream.rows == {"fault": 1, "play": 1, "loss": 1}
    assert (stream.events, stream.rejected, stream.stored, stream.difference) == (9, 1, 3, 0)
    assert stream.holes.spans() == [(3, 3), (7, 8)]
    assert stream.lost.spans() == [(5, 6)]
    assert stream.as_json()["holes"] == [(3, 3), (7, 8)]


def test_a_row_that_is_missing(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, 2, 3])], [], NOW_MS)
    connection.execute("DELETE FROM fault WHERE seq = 2")
    stream = only(audit(connection))
    assert (stream.ok, stream.difference, stream.without_row.spans()) == (False, -1, [(2, 2)])
    assert stream.as_json()["missing"] == [(2, 2)]


def test_a_row_that_was_retired_is_not_missing(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, 2, 3])], [], NOW_MS)
    connection.execute("DELETE FROM fault WHERE seq < 3")
    connection.execute("INSERT INTO retired SELECT id, 'fault', 2 FROM stream")
    stream = only(audit(connection))
    assert (stream.ok, stream.retired, stream.stored) == (True, 2, 1)
    connection.execute("UPDATE retired SET events = 3")
    assert only(audit(connection)).difference == 1


def test_a_row_that_is_there_twice(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, 2, 3])], [], NOW_MS)
    connection.execute("INSERT INTO fault SELECT * FROM fault WHERE seq = 2")
    stream = only(audit(connection))
    assert (stream.ok, stream.doubled, stream.doubled_at.spans(), stream.difference) == (False, 1, [(2, 2)], 1)


def test_a_doubled_row_does_not_hide_a_missing_one(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, 2, 3])], [], NOW_MS)
    connection.execute("UPDATE fault SET seq = 2 WHERE seq = 3")
    stream = only(audit(connection))
    assert (stream.ok, stream.doubled, stream.difference) == (False, 1, 0)


def test_a_number_that_is_in_two_tables(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, 2])], [], NOW_MS)
    connection.execute(
        "INSERT INTO lifecycle (time, device, stream, placement, seq, stored_at, clock, action, detail)"
        " SELECT time, device, stream, placement, seq, stored_at, clock, 'boot', '' FROM fault WHERE seq = 1"
    )
    stream = only(audit(connection))
    assert (stream.ok, stream.doubled) == (False, 1)
    connection.execute("TRUNCATE lifecycle")
    connection.execute(
        "INSERT INTO rejected (device, stream, seq, sha256, reason, event, stored_at)"
        " SELECT device, stream, seq, '', '', '', stored_at FROM fault WHERE seq = 2"
    )
    assert only(audit(connection)).doubled == 1


def test_a_row_that_is_not_booked(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, 2, 3])], [], NOW_MS)
    connection.execute("UPDATE stream SET committed = '{[1,3)}'")
    stream = only(audit(connection))
    assert (stream.ok, stream.unbooked.spans(), stream.difference) == (False, [(3, 3)], 1)


def test_rows_of_a_stream_that_the_ledger_does_not_know(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, 2])], [], NOW_MS)
    connection.execute("UPDATE fault SET stream = 4711 WHERE seq = 2")
    stranger, known = audit(connection).streams
    assert (stranger.device, stranger.stream, stranger.unbooked.spans()) == (None, "id 4711", [(2, 2)])
    assert (known.ok, known.difference) == (False, -1)


def test_one_device(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1]), delivery([1], device="another"), delivery([2], stream=OTHER_STREAM)], [], NOW_MS)
    connection.execute("DELETE FROM fault WHERE device = (SELECT id FROM device WHERE name = 'another')")
    assert not audit(connection).ok
    mine = audit(connection, DEVICE)
    assert mine.ok
    assert [(stream.device, stream.stored) for stream in mine.streams] == [(DEVICE, 1), (DEVICE, 1)]
    with pytest.raises(UnknownDevice, match="registry list"):
        audit(connection, "nobody")


def test_unreadable_messages_without_a_number_are_told(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.keep_unnumbered(Refused(DEVICE, "", Refusal(sha256="", reason="not_json"), b"\xff"), NOW_MS)
    found = audit(connection)
    assert (found.ok, found.unnumbered) == (True, 1)


def test_every_table_is_counted(connection: psycopg.Connection) -> None:
    statement = named("audit")["audit"].decode()
    for table in TABLES:
        assert f"FROM {table.kind} WHERE" in statement
        assert f"kind = '{table.kind}'" in statement


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # a hypertable is planned as its chunks
def test_each_table_is_read_once_and_the_order_is_made_by_one_sort(connection: psycopg.Connection) -> None:
    plan: Any = connection.execute(b"EXPLAIN (FORMAT JSON) " + named("audit")["audit"], {"device": None}).fetchone()
    nodes = list(_nodes(plan[0][0]["Plan"]))
    scanned = [node["Relation Name"] for node in nodes if "Relation Name" in node]
    assert sorted(set(scanned)) == sorted(scanned)
    assert {table.kind for table in TABLES} <= set(scanned)


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in _nodes(child))]
