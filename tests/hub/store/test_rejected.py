"""Bytes that were rejected become rows, and the audit holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from contract import codec
from contract.events import KINDS, AnyEvent, Kind, Play
from contract.receipt import Refusal
from hub.ledger.reading import Refused, Unreadable
from hub.ledger.rules import StreamKey
from hub.store.audit import audit
from hub.store.ledger_store import LedgerStore
from hub.store.maintain import maintain
from hub.store.rejected import rejected, retry
from tests.hub.making import DEVICE, KEY, NOW_MS, OTHER_STREAM, delivery, fault, loss, play


@pytest.fixture
def store(connection: psycopg.Connection) -> LedgerStore:
    return LedgerStore(connection)


def unreadable(event: AnyEvent, *, seq: int | None = None) -> Unreadable:
    return Unreadable(KEY, "", seq or event.seq, codec.encode_event(event), "invalid: an older hub said so")


def seqs(connection: psycopg.Connection, table: str) -> list[int]:
    return [row[0] for row in connection.execute(f"SELECT seq FROM {table} ORDER BY 1")]


def test_what_can_be_read_now_becomes_rows(store: LedgerStore, connection: psycopg.Connection) -> None:
    foreign = Unreadable(KEY, "", 5, b'{"kind":"hologram","seq":5,"time":1}', "invalid: kind")
    store.commit([delivery([1])], [unreadable(play(2)), unreadable(fault(3)), foreign], NOW_MS)
    assert retry(connection, NOW_MS + 1) == (2, 1)
    assert (seqs(connection, "play"), seqs(connection, "fault"), seqs(connection, "rejected")) == ([2], [1, 3], [5])
    assert audit(connection).ok
    assert retry(connection, NOW_MS + 2) == (0, 1)
    store.commit([delivery([1, play(2), 3])], [], NOW_MS)
    assert (seqs(connection, "play"), seqs(connection, "fault")) == ([2], [1, 3])


def test_another_number_than_the_one_that_was_committed(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([], [unreadable(fault(3), seq=4)], NOW_MS)
    assert retry(connection, NOW_MS) == (0, 1)


def test_a_loss_declares_what_it_says(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([2], stream=OTHER_STREAM)], [unreadable(loss(1, (1, 4), stream=OTHER_STREAM))], NOW_MS)
    assert retry(connection, NOW_MS) == (1, 0)
    other = store.account(StreamKey(DEVICE, OTHER_STREAM))
    assert (other.committed.spans(), other.lost.spans()) == ([(2, 2)], [(1, 1), (3, 4)])
    assert audit(connection).ok


def test_one_that_the_tables_refuse_does_not_stop_the_others(
    store: LedgerStore, connection: psycopg.Connection
) -> None:
    connection.execute("ALTER TABLE shown_content ADD CHECK (content_ref <> 'refused')")
    refused: Play = play(2, content_ref="refused")
    store.commit([], [unreadable(fault(1)), unreadable(refused), unreadable(play(3))], NOW_MS)
    assert retry(connection, NOW_MS) == (2, 1)
    assert (seqs(connection, "play"), seqs(connection, "rejected")) == ([3], [2])
    assert audit(connection).ok


def test_bytes_go_after_30_days_and_the_audit_adds_up(store: LedgerStore, connection: psycopg.Connection) -> None:
    now = datetime(2026, 6, 30, 18, 0, tzinfo=UTC)
    border = datetime(2026, 6, 2, tzinfo=UTC)
    border_ms = round(border.timestamp() * 1000)
    alone = Refused(DEVICE, "", Refusal(sha256="", reason="invalid"), codec.encode_event(fault(9)))
    store.commit([delivery([1])], [unreadable(play(2)), unreadable(fault(3))], border_ms - 1)
    store.keep_unnumbered(alone, border_ms - 1)
    store.commit([], [unreadable(play(4))], border_ms)
    kept: dict[Kind, int] = dict.fromkeys(KINDS, 36_500)
    done = maintain(connection, kept, 60, now, lambda _text: None)
    assert (done.rejected_forgotten, seqs(connection, "rejected")) == (3, [4])
    (stream,) = audit(connection).streams
    assert (stream.ok, stream.rejected, stream.retired, stream.committed.count()) == (True, 1, 2, 4)
    assert retry(connection, border_ms) == (1, 0)
    store.commit([], [unreadable(play(2))], border_ms + 1)  # once more: its number is taken
    assert seqs(connection, "rejected") == []
    assert maintain(connection, kept, 60, now + timedelta(days=1), lambda _text: None).rejected_forgotten == 0
    assert audit(connection).ok


def test_bytes_without_a_number_stay(store: LedgerStore, connection: psycopg.Connection) -> None:
    alone = codec.encode_event(fault(1))
    store.keep_unnumbered(Refused(DEVICE, "", Refusal(sha256="", reason="invalid"), alone), NOW_MS)
    assert retry(connection, NOW_MS) == (0, 1)
    (kept,) = rejected(connection)
    assert (kept.device, kept.stream, kept.seq, kept.event) == (DEVICE, None, None, alone)
    assert rejected(connection, "another") == []
