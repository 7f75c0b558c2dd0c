"""One device, one message or one bad hour of the database never ends a writer, nor leaves it deaf."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg
import pytest

from contract import codec
from contract.codec import Payload
from contract.events import Loss
from contract.receipt import Receipt
from contract.status import Hello, Opening, Pending, Queue
from contract.topics import Channel
from hub.ingest.inbox import GroupLimit, Inbox, Message
from hub.ingest.writer import Writer
from hub.ledger.reading import read_message
from hub.metrics import HubMetrics
from hub.store.connection import connect
from hub.store.revocation import revoke
from tests.hub.ingest.fake_agent import wait_until
from tests.hub.ingest.making import DEVICE, NONCE, OTHER, STREAM, Answers, batch, now_ms, payload

Sent = tuple[Channel, Payload]
DROPPED = ("ttdn_hub_messages_discarded_total", {"reason": "revoked"})


def ended(database: str, sent: Sequence[Sent], *, group_messages: int = 100) -> tuple[Writer, list[Receipt]]:
    """A writer that has taken these messages and stopped in good order, and its answers."""
    inbox, answers = Inbox(10_000), Answers()
    writer = Writer(
        inbox,
        lambda: database,
        HubMetrics(),
        name="w",
        linger_s=0,
        most=GroupLimit(group_messages, 1_000_000),
        commit_timeout_s=2.0,
    )
    for channel, made in sent:
        assert inbox.put(answers.message(made, channel=channel))
    writer.stop()
    writer.start()
    writer.join(90)
    assert not writer.is_alive()
    assert writer.failure is None
    return writer, [receipt for _, receipt in answers.receipts]


def filled(database: str) -> None:
    """STREAM has every second number and as many ranges as a stream may have."""
    parts = [range(1, 4_001, 2), range(4_001, 8_001, 2), range(8_001, 8_193, 2)]
    ended(database, [("events", payload(batch(part))) for part in parts])


def reasons(receipts: Sequence[Receipt]) -> list[str]:
    return [refusal.reason for receipt in receipts for refusal in receipt.refused]


def test_losses_that_would_make_another_stream_ragged_are_refused(
    database: str, connection: psycopg.Connection
) -> None:
    losses = [
        Loss(
            seq=at + 1,
            time=now_ms(),
            stream=OTHER,
            ranges=[(2 * (at * 256 + k) + 1,) * 2 for k in range(256)],
            reason="evicted",
        )
        for at in range(17)
    ]
    bodies = [codec.encode_event(loss) for loss in losses]
    cuts = [codec.encode_batch(STREAM, part, nonce=NONCE) for part in (bodies[:9], bodies[9:])]
    good = payload(batch([1], "ee" * 16))
    _, receipts = ended(database, [("events", made) for made in (*cuts, good)])
    assert "ragged" in reasons(receipts)
    assert any(covered.stream == "ee" * 16 for receipt in receipts for covered in receipt.streams)
    assert connection.execute("SELECT kind FROM incident").fetchall() == [("stream_too_ragged",)]


def test_an_unreadable_event_of_a_ragged_stream_is_refused(database: str) -> None:
    filled(database)
    event = b'{"stream":"%s","nonce":"%s","events":[{"seq":9999,"kind":"future","time":1}]}'
    made = Payload(event % (STREAM.encode(), NONCE.encode()), codec.JSON)
    _, receipts = ended(database, [("events", made)])
    assert reasons(receipts) == ["ragged"]
    _, receipts = ended(database, [("events", payload(batch([2]))), ("events", made)])
    assert not reasons(receipts), "what fills a hole makes room"


def test_a_status_nested_deeply_with_a_nul_is_ignored(database: str, connection: psycopg.Connection) -> None:
    deep = "[" * 400 + "]" * 400
    text = f'{{"kind":"alive","session":"{"a" * 16}","nonce":"{NONCE}","x":{deep},"y":"\\u0000"}}'
    ended(database, [("status", Payload(text.encode(), codec.JSON)), ("events", payload(batch([1])))])
    assert connection.execute("SELECT count(*) FROM fault").fetchone() == (1,)


def test_hellos_of_unknown_streams_make_one_small_incident(database: str, connection: psycopg.Connection) -> None:
    def hello() -> Sent:
        held = [Pending(stream=secrets.token_hex(16), low=5, high=9) for _ in range(200)]
        return "status", codec.encode_status(Hello(session="ef" * 8, nonce=NONCE, version="1", streams=held))

    ended(database, [hello() for _ in range(5)])
    row = connection.execute("SELECT times, detail->>'count', length(detail::text) FROM incident").fetchone()
    assert row is not None
    assert row[:2] == (5, "200")
    assert row[2] < 3_000


def test_a_run_whose_streams_end_too_early_is_of_an_image(database: str, connection: psycopg.Connection) -> None:
    """An image of a running machine: its next run counts on, but a stream of the last one is shorter than it was."""

    def hello(session: str, number: int, high: int, *more: Pending, full: bool = False) -> Sent:
        said = Hello(
            session=session * 16,
            nonce=NONCE,
            version="1",
            streams=[Pending(stream=STREAM, low=1, high=high), *more],
            queue=Queue(full=full),
            opening=Opening(outbox=OTHER, number=number),
        )
        return "status", codec.encode_status(said)

    live = Pending(stream=OTHER, low=1, high=1)
    events: Sent = ("events", payload(batch(range(1, 10))))
    kinds = "SELECT kind, times, detail->>'opening' FROM incident"
    ended(database, [events, hello("a", 1, 4), hello("b", 2, 9, live), hello("c", 3, 4, live, full=True)])
    assert connection.execute(kinds).fetchall() == []
    ended(database, [hello("d", 4, 4, live), hello("d", 4, 4, live), hello("e", 5, 9, live)])
    assert connection.execute(kinds).fetchall() == [("restored_image", 1, "4")]
    ended(database, [hello("f", 2, 9, live), hello("f", 2, 9, live), hello("e", 5, 9, live)])
    assert connection.execute(kinds).fetchall() == [("restored_image", 2, "2")]


def test_a_bug_costs_the_message_that_meets_it(
    database: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def buggy(device: str, data: bytes, content_type: str) -> object:
        if data == b"trigger":
            raise ZeroDivisionError
        return read_message(device, data, content_type)

    monkeypatch.setattr("hub.ingest.writer.read_message", buggy)
    sent: list[Sent] = [("events", payload(batch([at]))) for at in (1, 2, 3)]
    sent.insert(1, ("events", Payload(b"trigger", codec.JSON)))
    writer, _ = ended(database, sent)
    assert connection.execute("SELECT count(*) FROM fault").fetchone() == (3,)
    assert writer._metrics.messages_discarded.labels(reason="unexpected")._value.get() == 1


def living(database: str) -> tuple[Writer, Inbox, Answers]:
    inbox, answers = Inbox(100), Answers()
    writer = Writer(
        inbox,
        lambda: database,
        HubMetrics(),
        name="w",
        linger_s=0,
        most=GroupLimit(10, 1_000_000),
        commit_timeout_s=0.5,
    )
    writer.start()
    return writer, inbox, answers


def put(inbox: Inbox, answers: Answers, seq: int) -> Message:
    message = answers.message(payload(batch([seq])))
    assert inbox.put(message)
    return message


def test_a_database_that_takes_connections_and_no_rows_is_tried_again(
    database: str, connection: psycopg.Connection
) -> None:
    connection.execute("ALTER TABLE fault RENAME TO gone")
    writer, inbox, answers = living(database)
    try:
        put(inbox, answers, 1)
        wait_until(lambda: writer._metrics.messages_discarded.labels(reason="database")._value.get() == 1, "giving up")
        connection.execute("ALTER TABLE gone RENAME TO fault")
        wait_until(lambda: not writer.stalled.is_set(), "trying again")
        put(inbox, answers, 1)
        wait_until(lambda: bool(answers.receipts), "the receipt")
    finally:
        writer.stop()
        writer.join(60)
    attempts = writer._metrics.commit_failures.labels(sqlstate_class="42")._value.get()
    assert 1 <= attempts <= 5, "it waits between two attempts"


def test_a_table_that_is_locked_is_seen_from_outside_and_given_up(database: str) -> None:
    writer, inbox, answers = living(database)
    try:
        with connect(database, "lock") as blocker:
            blocker.execute("LOCK TABLE fault")
            put(inbox, answers, 1)
            wait_until(lambda: writer.busy_s() > 0.2, "being busy")
            wait_until(lambda: writer._metrics.messages_discarded.labels(reason="database")._value.get() == 1, "it")
        put(inbox, answers, 1)
        wait_until(lambda: bool(answers.receipts), "the receipt")
        wait_until(lambda: writer.busy_s() == 0, "rest")
    finally:
        writer.stop()
        writer.join(60)
    assert writer.failure is None
    assert answers.receipts[0][0] == DEVICE


def test_a_revoked_device_is_not_heard_and_told_of_once(database: str, connection: psycopg.Connection) -> None:
    ended(database, [("events", payload(batch([1])))])
    revoke(connection, DEVICE, "stolen", by="command:test", now=datetime.now(UTC))
    alive = codec.encode_status(Hello(session="ef" * 8, nonce=NONCE, version="1", streams=[]))
    unreadable = Payload(b"?", codec.JSON)
    sent: list[Sent] = [("events", payload(batch([2]))), ("status", alive), ("events", unreadable)]
    writer, receipts = ended(database, sent)
    assert receipts == []
    assert writer._metrics.registry.get_sample_value(*DROPPED) == 3
    assert connection.execute("SELECT seq FROM fault").fetchall() == [(1,)]
    assert connection.execute("SELECT kind FROM incident").fetchall() == []  # it may have been on its way
    connection.execute("UPDATE barred_device SET since = since - interval '2 minutes'")
    ended(database, sent, group_messages=1)
    assert connection.execute("SELECT kind, times FROM incident").fetchall() == [("revoked_device", 1)]
    connection.execute("DELETE FROM barred_device")
    _, receipts = ended(database, sent)
    assert len(receipts) == 3
    assert connection.execute("SELECT seq FROM fault ORDER BY seq").fetchall() == [(1,), (2,)]
