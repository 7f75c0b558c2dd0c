"""The ledger in a real PostgreSQL: whatever comes, in whatever order and from how many sides, counts once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract import codec
from contract.events import AnyEvent
from contract.limits import MAX_SEQ, MAX_STREAM_RANGES
from contract.ranges import RangeSet
from contract.receipt import Refusal
from hub.ledger.reading import Refused, Unreadable, read_message
from hub.ledger.rules import Account, Delivery, StreamKey, decide, streams_of
from hub.store.audit import audit
from hub.store.connection import connect
from hub.store.identities import StaleIdentity
from hub.store.ledger_store import LedgerStore, TooRagged
from tests.hub.making import DEVICE, KEY, NOW_MS, OTHER_STREAM, STREAM, delivery, fault, loss, play


@pytest.fixture
def store(database: str) -> Iterator[LedgerStore]:
    with connect(database, "ledger", autocommit=True) as own:
        yield LedgerStore(own)


def numbers(connection: psycopg.Connection, table: str = "fault") -> list[int]:
    return [row[0] for row in connection.execute(f"SELECT seq FROM {table} ORDER BY seq")]


def spans(account: Account) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    return account.committed.spans(), account.lost.spans()


def clean(connection: psycopg.Connection) -> bool:
    return audit(connection).ok


def test_what_came_before_is_not_stored_again(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, 2, 3])], [], NOW_MS)
    accounts = store.commit([delivery([1, 2, 3])], [], NOW_MS)
    assert spans(accounts[KEY]) == ([(1, 3)], [])
    assert numbers(connection) == [1, 2, 3]
    assert store.duplicates == 3
    assert clean(connection)


def test_twice_in_one_group(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, 2]), delivery([2, 3]), delivery([1, 2])], [], NOW_MS)
    assert numbers(connection) == [1, 2, 3]
    assert store.duplicates == 3


def test_out_of_order_and_overlapping(store: LedgerStore, connection: psycopg.Connection) -> None:
    for group in ([7, 8], [3, 5], [4, 5, 6, 7], [1]):
        store.commit([delivery(group)], [], NOW_MS)
    assert numbers(connection) == [1, 3, 4, 5, 6, 7, 8]
    assert spans(store.account(KEY)) == ([(1, 1), (3, 8)], [])
    (stream,) = audit(connection).streams
    assert (stream.holes.spans(), stream.events, stream.ok) == ([(2, 2)], 8, True)


def test_an_account_is_told_within_the_span_that_was_touched(store: LedgerStore) -> None:
    store.commit([delivery([1, 2, 3, 50])], [], NOW_MS)
    accounts = store.commit([delivery([49, 51])], [], NOW_MS)
    assert spans(accounts[KEY]) == ([(49, 51)], [])
    assert spans(store.account(KEY)) == ([(1, 3), (49, 51)], [])
    assert spans(store.account(StreamKey(DEVICE, OTHER_STREAM))) == ([], [])


def test_devices_do_not_share_streams(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, 2]), delivery([2, 3], device="another")], [], NOW_MS)
    assert spans(store.account(KEY)) == ([(1, 2)], [])
    assert spans(store.account(StreamKey("another", STREAM))) == ([(2, 3)], [])
    assert numbers(connection) == [1, 2, 2, 3]
    assert clean(connection)


def test_a_loss_before_the_event_gives_way(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([loss(1, (2, 4), (9, 9), stream=OTHER_STREAM)])], [], NOW_MS)
    other = StreamKey(DEVICE, OTHER_STREAM)
    assert spans(store.account(other)) == ([], [(2, 4), (9, 9)])
    store.commit([delivery([3], stream=OTHER_STREAM)], [], NOW_MS)
    assert spans(store.account(other)) == ([(3, 3)], [(2, 2), (4, 4), (9, 9)])
    assert clean(connection)


def test_a_loss_after_the_event_changes_nothing(store: LedgerStore) -> None:
    store.commit([delivery([1, 2, 3], stream=OTHER_STREAM)], [], NOW_MS)
    store.commit([delivery([loss(1, (2, 5), stream=OTHER_STREAM)])], [], NOW_MS)
    assert spans(store.account(StreamKey(DEVICE, OTHER_STREAM))) == ([(1, 3)], [(4, 5)])


def test_a_loss_and_what_it_names_in_one_group_of_one_stream(store: LedgerStore) -> None:
    store.commit([delivery([5, loss(6, (1, 5), (8, 9))]), delivery([2, 8])], [], NOW_MS)
    assert spans(store.account(KEY)) == ([(2, 2), (5, 6), (8, 8)], [(1, 1), (3, 4), (9, 9)])


def test_the_largest_numbers(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, MAX_SEQ]), delivery([loss(2, (3, MAX_SEQ))])], [], NOW_MS)
    assert spans(store.account(KEY)) == ([(1, 2), (MAX_SEQ, MAX_SEQ)], [(3, MAX_SEQ - 1)])
    assert clean(connection)


def test_bytes_that_nobody_can_read_keep_their_number(store: LedgerStore, connection: psycopg.Connection) -> None:
    poison = Unreadable(KEY, "", 2, b'{"kind":"hologram"}', "invalid: kind")
    store.commit([delivery([1])], [poison], NOW_MS)
    store.commit([delivery([2, 3])], [poison], NOW_MS)
    assert numbers(connection) == [1, 3]
    assert numbers(connection, "rejected") == [2]
    assert spans(store.account(KEY)) == ([(1, 3)], [])
    assert clean(connection)


def test_no_reason_is_too_odd_to_be_kept(store: LedgerStore, connection: psycopg.Connection) -> None:
    """A reason quotes what the device sent."""
    body = b'{"stream":"%b","events":[{"kind":"a\\u0000b","seq":2,"time":1}]}' % STREAM.encode()
    read = read_message(DEVICE, body, codec.JSON)
    assert isinstance(read, Unreadable)
    assert "\0" in read.reason
    store.commit([delivery([1])], [read], NOW_MS)
    kept = read.reason.replace("\0", "\ufffd")
    assert connection.execute("SELECT seq, reason FROM rejected").fetchall() == [(2, kept)]
    store.raise_incident("rejected_event", DEVICE, {"seq": 2, "reason": read.reason}, NOW_MS)
    assert connection.execute("SELECT detail FROM incident").fetchall() == [({"seq": 2, "reason": kept},)]


def test_an_event_that_is_stored_is_not_rejected_too(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([2])], [Unreadable(KEY, "", 2, b"?", "x"), Unreadable(KEY, "", 9, b"?", "x")], NOW_MS)
    assert numbers(connection, "rejected") == [9]
    assert clean(connection)


def test_unnumbered_bytes_are_kept_once(store: LedgerStore, connection: psycopg.Connection) -> None:
    for alone in (b"one", b"one", b"two", None):
        store.keep_unnumbered(Refused(DEVICE, "", Refusal(sha256="00" * 32, reason="not_json"), alone), NOW_MS)
    rows = connection.execute("SELECT event, times FROM rejected ORDER BY event").fetchall()
    assert rows == [(b"", 1), (b"one", 2), (b"two", 1)]
    assert audit(connection).unnumbered == 3


def test_incidents_count_up_while_open(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.raise_incident("cloned_device", DEVICE, {"a": 1}, NOW_MS)
    store.raise_incident("cloned_device", DEVICE, {"b": "2"}, NOW_MS + 5)
    rows = connection.execute("SELECT kind, times, detail, closed_at FROM incident").fetchall()
    assert rows == [("cloned_device", 2, {"a": 1, "b": "2"}, None)]


def test_nothing_is_kept_of_a_commit_that_failed(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1])], [], NOW_MS)
    bad = play(3, content_ref="\ud800")  # no UTF-8: a text that the contract would not have let in
    with pytest.raises(UnicodeEncodeError):
        store.commit([delivery([2, bad])], [], NOW_MS)
    assert numbers(connection) == [1]
    assert spans(store.account(KEY)) == ([(1, 1)], [])
    store.commit([delivery([2, 3])], [], NOW_MS)
    assert clean(connection)


# -- current state --------------------------------------------------------------------------------------------------


def screens(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT screen, seq, content_ref, (extract(epoch FROM since) * 1000)::bigint"
        " FROM screen_now JOIN shown_content c ON c.id = content ORDER BY 1"
    ).fetchall()


def test_a_screen_shows_the_newest_of_the_live_stream(store: LedgerStore, connection: psycopg.Connection) -> None:
    new = play(5, play_id=2, content_ref="new.mp4")
    store.commit([delivery([play(4), new], live=True), delivery([play(9)], stream=OTHER_STREAM)], [], NOW_MS)
    assert screens(connection) == [("main", 5, "new.mp4", new.time)]
    store.commit([delivery([play(3, content_ref="late.mp4")], live=True)], [], NOW_MS)
    assert screens(connection) == [("main", 5, "new.mp4", new.time)]
    later = play(7, play_id=2, slice=1, content_ref="new.mp4")
    store.commit([delivery([later], live=True)], [], NOW_MS)
    assert screens(connection) == [("main", 7, "new.mp4", new.time)]


# -- trouble --------------------------------------------------------------------------------------------------------


@contextmanager
def many_ranges(connection: psycopg.Connection, count: int) -> Iterator[None]:
    ranges = "{" + ",".join(f"[{2 * n},{2 * n + 1})" for n in range(1, count + 1)) + "}"
    connection.execute("UPDATE stream SET lost = %s::int8multirange", (ranges,))
    yield


def test_a_stream_with_too_many_ranges_is_refused(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1])], [], NOW_MS)
    with many_ranges(connection, MAX_STREAM_RANGES):
        with pytest.raises(TooRagged) as caught:
            store.commit([delivery([MAX_SEQ]), delivery([1], device="another")], [], NOW_MS)
        assert caught.value.key == KEY
        assert numbers(connection) == [1]
        store.commit([delivery([2])], [], NOW_MS)  # this one makes it no more ragged
        assert numbers(connection) == [1, 2]


def test_a_restored_database_is_noticed(store: LedgerStore, connection: psycopg.Connection) -> None:
    store.commit([delivery([1, 2])], [], NOW_MS)
    connection.execute("TRUNCATE device RESTART IDENTITY CASCADE")
    connection.execute("TRUNCATE fault")
    with pytest.raises(StaleIdentity):
        store.commit([delivery([2, 3])], [], NOW_MS)
    store.commit([delivery([2, 3])], [], NOW_MS)
    assert numbers(connection) == [2, 3]
    assert clean(connection)


def test_ids_that_a_restored_database_gave_to_others_are_noticed(
    store: LedgerStore, connection: psycopg.Connection
) -> None:
    store.commit([delivery([1])], [], NOW_MS)
    connection.execute("UPDATE stream SET name = gen_random_uuid()")
    with pytest.raises(StaleIdentity):
        store.commit([delivery([2])], [], NOW_MS)
    store.commit([delivery([2])], [], NOW_MS)
    assert spans(store.account(KEY)) == ([(2, 2)], [])


def test_two_workers_at_once_on_the_same_streams(database: str, connection: psycopg.Connection) -> None:
    """Both get everything, in opposite order; each number is stored by exactly one of them."""
    streams = [f"{number:032x}" for number in range(6)]
    batches = [delivery([*range(low, low + 10)], stream=stream) for low in range(1, 200, 5) for stream in streams]
    begin = threading.Barrier(2)
    errors: list[BaseException] = []

    def work(mine: list[Delivery]) -> None:
        try:
            with connect(database, "worker", autocommit=True) as own:
                store = LedgerStore(own)
                begin.wait()
                for start in range(0, len(mine), 12):
                    store.commit(mine[start : start + 12], [], NOW_MS)
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=work, args=(part,)) for part in (batches, batches[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    counted = Counter(connection.execute("SELECT stream, seq FROM fault").fetchall())
    assert set(counted.values()) == {1}
    assert len(counted) == 205 * len(streams)
    assert clean(connection)


# -- the rules, and the database ------------------------------------------------------------------------------------

STREAMS = (STREAM, OTHER_STREAM)
SEQ = st.integers(1, 30)
SPANS = st.lists(st.tuples(SEQ, SEQ).map(lambda pair: (min(pair), max(pair))), min_size=1, max_size=3)


@st.composite
def groups(draw: st.DrawFn) -> list[Delivery]:
    group = []
    for _ in range(draw(st.integers(1, 3))):
        events: list[AnyEvent] = []
        for seq in sorted(draw(st.sets(SEQ, min_size=1, max_size=6))):
            lossy = draw(st.integers(0, 4)) == 0
            events.append(loss(seq, *draw(SPANS), stream=draw(st.sampled_from(STREAMS))) if lossy else fault(seq))
        device = draw(st.sampled_from([DEVICE, "another"]))
        group.append(delivery(events, device=device, stream=draw(st.sampled_from(STREAMS))))
    return group


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 1), groups()), min_size=1, max_size=8))
def test_the_database_holds_what_the_rules_say(
    database: str, connection: psycopg.Connection, steps: list[tuple[int, list[Delivery]]]
) -> None:
    """Two workers in turn, against `decide` over whole accounts."""
    connection.execute("TRUNCATE device CASCADE")
    connection.execute("TRUNCATE fault, loss")
    pure: dict[StreamKey, Account] = {}
    rows: Counter[tuple[str, str, int]] = Counter()
    with connect(database, "one", autocommit=True) as one, connect(database, "two", autocommit=True) as two:
        stores = [LedgerStore(one), LedgerStore(two)]
        for worker, group in steps:
            for key in streams_of(group):
                pure.setdefault(key, Account())
            for key, events, _ in decide(group, pure).rows:
                rows.update((*key, event.seq) for event in events)
            stores[worker].commit(group, [], NOW_MS)
        assert {key: spans(stores[0].account(key)) for key in pure} == {key: spans(pure[key]) for key in pure}
    found = connection.execute(
        "SELECT d.name, replace(s.name::text, '-', ''), e.seq"
        " FROM (SELECT stream, seq FROM fault UNION ALL SELECT stream, seq FROM loss) e"
        " JOIN stream s ON s.id = e.stream JOIN device d ON d.id = s.device"
    )
    assert Counter(found.fetchall()) == rows
    told = audit(connection)
    assert told.ok
    for stream in told.streams:
        assert stream.committed == RangeSet.of(
            seq for device, name, seq in rows if (device, name) == (stream.device, stream.stream.replace("-", ""))
        )
