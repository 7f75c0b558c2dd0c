"""The rules of the outbox: numbers, covering, grace, eviction and loss."""

from __future__ import annotations

import sqlite3

import pytest

from contract import codec
from contract.errors import ContractError
from contract.events import UNNUMBERED, Fault, Lifecycle, Loss
from contract.limits import MAX_LOSS_RANGES
from contract.ranges import RangeSet
from edge_agent.outbox.errors import NotStored, OutboxDamaged, OutboxFull
from edge_agent.outbox.store import GRACE_MS, Entry, OutboxStore
from tests.edge_agent.outbox.making import (
    Broken,
    covered,
    fault,
    faults,
    fill,
    health,
    in_memory,
    numbers,
    sqlite_error,
    store,
)

DAY_MS = 24 * 3600 * 1000
IO_ERROR = sqlite3.SQLITE_IOERR


@pytest.fixture
def db() -> Broken:
    return in_memory()


def bodies(outbox: OutboxStore, stream: str) -> dict[int, bytes]:
    spans = next(([(held.low, held.high)] for held in outbox.streams() if held.stream == stream), [])
    return dict(outbox.read(stream, spans, 10**9, 10**9))


# -- numbers -----------------------------------------------------------------------------------------------------------


def test_events_are_numbered_and_their_bytes_are_final(db: Broken) -> None:
    outbox = store(db)
    positions = outbox.append([fault("a"), health(), fault("c")])
    assert [(position.stream, position.seq) for position in positions] == [(outbox.stream, at) for at in (1, 2, 3)]
    held = bodies(outbox, outbox.stream)
    assert [codec.decode_event(body).seq for body in held.values()] == [1, 2, 3]
    assert outbox.append([]) == []
    assert outbox.append([fault()])[0].seq == 4


def test_nothing_of_a_stream_is_written_before_its_first_event(db: Broken) -> None:
    outbox = store(db)
    outbox.append([])
    outbox.save()
    assert db.execute("SELECT count(*) FROM stream").fetchone()[0] == 0
    assert outbox.streams() == []


def test_an_opening_has_a_stream_of_its_own(db: Broken) -> None:
    first = store(db)
    first.append([fault("a")])
    second = store(db)
    second.append([fault("b")])
    assert first.stream != second.stream
    assert [(held.stream, held.low, held.high) for held in second.streams()] == [
        (first.stream, 1, 1),
        (second.stream, 1, 1),
    ]


@pytest.mark.parametrize("reached_the_disk", [False, True])
@pytest.mark.parametrize("at", ["BEGIN", "COMMIT"])
def test_after_a_write_that_failed_no_number_is_used_again(db: Broken, at: str, reached_the_disk: bool) -> None:
    outbox = store(db)
    stream = outbox.append([fault("before")])[0].stream
    db.failures, db.at, db.then = [sqlite_error(IO_ERROR)], at, reached_the_disk and at == "COMMIT"
    with pytest.raises(NotStored, match="disk I/O error; check the SD card"):
        outbox.append([fault("in doubt")])
    after = outbox.append([fault("after")])[0]
    assert after.stream != stream
    assert after.seq == 1
    assert sorted(bodies(outbox, stream)) == ([1, 2] if db.then else [1])


def test_a_full_disk_refuses_and_keeps_what_is_there(db: Broken) -> None:
    outbox = store(db)
    outbox.append(faults(20, 100))
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutboxFull, match="disk that holds the outbox is full"):
        outbox.append(faults(200, 400))
    assert outbox.count_uncovered() == 20
    db.execute("PRAGMA max_page_count = 100000")
    assert outbox.append([fault()])[0].seq == 1
    assert outbox.count_uncovered() == 21


def test_a_malformed_event_stores_nothing(db: Broken) -> None:
    outbox = store(db)
    for reason in ("\ud800", "a\0b", "x" * 1_000):
        with pytest.raises(ContractError):
            outbox.append([fault("well"), fault(reason)])
    assert outbox.count_uncovered() == 0
    assert outbox.append([fault("well")])[0].seq == 1


def test_damage_that_shows_while_writing_is_told_apart(db: Broken) -> None:
    outbox = store(db)
    db.failures = [sqlite_error(sqlite3.SQLITE_CORRUPT, "database disk image is malformed")]
    with pytest.raises(OutboxDamaged, match="damaged"):
        outbox.append([fault()])


# -- covering ----------------------------------------------------------------------------------------------------------


def test_receipts_extend_and_a_hellos_answer_replaces(db: Broken) -> None:
    outbox = store(db)
    stream = outbox.append(faults(10))[0].stream
    outbox.cover(covered(stream, (1, 3)), hello=False, hub_time_ms=1)
    outbox.cover(covered(stream, (8, 9), lost=[(5, 5)]), hello=False, hub_time_ms=1)
    assert outbox.uncovered(stream).spans() == [(4, 4), (6, 7), (10, 10)]
    outbox.cover(covered(stream, (1, 1), low=1, high=8), hello=True, hub_time_ms=1)
    assert outbox.uncovered(stream).spans() == [(2, 8), (10, 10)]
    assert outbox.count_uncovered() == 8


def test_a_receipt_speaks_only_of_its_span_and_of_what_is_held(db: Broken) -> None:
    outbox = store(db)
    stream = outbox.append(faults(3))[0].stream
    outbox.cover(covered(stream, (1, 900), low=2, high=2), hello=False, hub_time_ms=1)
    assert outbox.uncovered(stream).spans() == [(1, 1), (3, 3)]
    outbox.cover(covered("f" * 32, (1, 9)), hello=False, hub_time_ms=1)
    outbox.cover(covered(stream, (1, 900)), hello=False, hub_time_ms=1)
    outbox.save()
    assert db.execute("SELECT first, last FROM covered").fetchall() == [(1, 3)]


def test_what_is_covered_is_kept_for_the_grace_and_then_deleted(db: Broken) -> None:
    outbox = store(db)
    stream = outbox.append(faults(4))[0].stream
    outbox.cover(covered(stream, (1, 2)), hello=False, hub_time_ms=100 * DAY_MS)
    outbox.cover(covered(stream, (3, 3)), hello=False, hub_time_ms=104 * DAY_MS)
    assert outbox.settle(100 * DAY_MS + GRACE_MS) == 0
    assert outbox.settle(100 * DAY_MS + GRACE_MS + 1) == 2
    assert sorted(bodies(outbox, stream)) == [3, 4]
    assert outbox.settle(104 * DAY_MS + GRACE_MS + 1) == 1
    assert outbox.settle(1_000 * DAY_MS) == 0
    assert sorted(bodies(outbox, stream)) == [4]


def test_what_is_covered_is_remembered_over_a_restart_once_it_was_saved(db: Broken) -> None:
    outbox = store(db)
    stream = outbox.append(faults(4))[0].stream
    outbox.cover(covered(stream, (1, 2)), hello=False, hub_time_ms=1)
    outbox.settle(2)
    outbox.cover(covered(stream, (3, 3)), hello=False, hub_time_ms=1)
    again = store(db)
    assert again.uncovered(stream).spans() == [(3, 4)]
    assert again.settle(GRACE_MS + DAY_MS) == 2
    assert db.execute("SELECT count(*) FROM covered").fetchone()[0] == 0


def test_appending_writes_nothing_about_covering(db: Broken) -> None:
    outbox = store(db)
    stream = outbox.append(faults(4))[0].stream
    outbox.cover(covered(stream, (1, 2)), hello=False, hub_time_ms=1)
    written: list[str] = []
    db.set_trace_callback(written.append)
    outbox.append([fault()])
    db.set_trace_callback(None)
    assert not [sql for sql in written if "covered" in sql]


def test_a_settling_that_fails_is_done_by_the_next_and_forgets_nothing(db: Broken) -> None:
    outbox = store(db)
    stream = outbox.append(faults(3))[0].stream
    outbox.cover(covered(stream, (1, 2)), hello=False, hub_time_ms=1)
    db.failures = [sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full")]
    with pytest.raises(OutboxFull):
        outbox.settle(2)
    assert outbox.uncovered(stream).spans() == [(3, 3)]
    outbox.settle(2)
    assert store(db).uncovered(stream).spans() == [(3, 3)]


def test_an_old_stream_goes_when_its_last_event_goes(db: Broken) -> None:
    first = store(db)
    stream = first.append(faults(2))[0].stream
    second = store(db)
    second.append([fault()])
    second.cover(covered(stream, (1, 2)), hello=False, hub_time_ms=1)
    second.settle(GRACE_MS + DAY_MS)
    assert [held.stream for held in second.streams()] == [second.stream]
    assert db.execute("SELECT name FROM stream").fetchall() == [(second.stream,)]
    second.cover(covered(second.stream, (1, 1)), hello=False, hub_time_ms=1)
    second.settle(GRACE_MS + DAY_MS)
    assert second.append([fault()])[0] == (second.stream, 2)


# -- reading -----------------------------------------------------------------------------------------------------------


def test_reading_keeps_its_limits_and_gives_at_least_one(db: Broken) -> None:
    outbox = store(db)
    stream = outbox.append(faults(9, 100))[0].stream
    size = len(outbox.read(stream, [(1, 1)], 1, 1)[0].body)
    assert [stored.seq for stored in outbox.read(stream, [(1, 2), (5, 9)], 10**6, 4)] == [1, 2, 5, 6]
    assert [stored.seq for stored in outbox.read(stream, [(1, 2), (5, 9)], 3 * size, 99)] == [1, 2, 5]
    assert [stored.seq for stored in outbox.read(stream, [(3, 9)], 1, 99)] == [3]
    assert outbox.read(stream, [(20, 30)], 10**6, 99) == []


def test_the_oldest_that_waits_is_known_and_rotten_bytes_do_no_harm(db: Broken) -> None:
    outbox = store(db)
    assert outbox.oldest_uncovered_ms() is None
    stream = outbox.append([Entry(Fault(seq=UNNUMBERED, time=5, code="x"), 1), fault()])[0].stream
    assert outbox.oldest_uncovered_ms() == 5
    for rotten in (b"{rotten", b"\xff\xfe", b'{"time":"x"}', b""):
        db.execute("UPDATE event SET body = ? WHERE seq = 1", (rotten,))
        assert outbox.oldest_uncovered_ms() is None
    outbox.cover(covered(stream, (1, 1)), hello=False, hub_time_ms=1)
    assert outbox.oldest_uncovered_ms() == 1_000


# -- loss --------------------------------------------------------------------------------------------------------------


def losses(outbox: OutboxStore, stream: str) -> list[Loss]:
    events = [codec.decode_event(body) for body in bodies(outbox, stream).values()]
    return [event for event in events if isinstance(event, Loss)]


def test_what_is_given_up_is_recorded_exactly(db: Broken) -> None:
    first = store(db)
    stream = first.append([fault(), health(), fault(), fault(), health()])[0].stream
    second = store(db)
    second.declare_lost(stream, RangeSet([(1, 3), (5, 99)]), "evicted", time_ms=7, at_ms=8)
    told = losses(second, second.stream)
    assert [(loss.lost_kind, loss.ranges, loss.stream, loss.reason, loss.time) for loss in told] == [
        ("health", [(2, 2), (5, 5)], stream, "evicted", 7),
        ("fault", [(1, 1), (3, 3)], stream, "evicted", 7),
    ]
    assert sorted(bodies(second, stream)) == [4]
    second.declare_lost(stream, RangeSet([(1, 3)]), "evicted", time_ms=7, at_ms=8)
    second.declare_lost("f" * 32, RangeSet([(1, 3)]), "evicted", time_ms=7, at_ms=8)
    assert len(losses(second, second.stream)) == 2


def test_ranges_beyond_what_one_event_holds_go_into_further_ones(db: Broken) -> None:
    first = store(db)
    stream = first.append(faults(2 * MAX_LOSS_RANGES + 9))[0].stream
    second = store(db)
    odd = RangeSet.of(range(1, 2 * MAX_LOSS_RANGES + 9, 2))
    second.declare_lost(stream, odd, "evicted", time_ms=7, at_ms=8)
    told = losses(second, second.stream)
    assert [len(loss.ranges) for loss in told] == [MAX_LOSS_RANGES, 4]
    assert RangeSet(span for loss in told for span in loss.ranges) == odd


def test_a_loss_is_never_lost_itself(db: Broken) -> None:
    outbox = store(db)
    stream = outbox.append([fault(), fault()])[0].stream
    outbox.declare_lost(stream, RangeSet.of([1]), "refused", time_ms=1, at_ms=1)
    outbox.declare_lost(stream, RangeSet([(1, 9)]), "refused", time_ms=1, at_ms=1)
    assert [loss.ranges for loss in losses(outbox, stream)] == [[(1, 1)], [(2, 2)]]
    assert sorted(bodies(outbox, stream)) == [3, 4]


def test_a_declaration_that_cannot_be_written_deletes_nothing(db: Broken) -> None:
    outbox = store(db)
    stream = outbox.append(faults(3))[0].stream
    db.failures = [sqlite_error(IO_ERROR)]
    with pytest.raises(NotStored):
        outbox.declare_lost(stream, RangeSet.of([2]), "refused", time_ms=1, at_ms=1)
    assert outbox.uncovered(stream).spans() == [(1, 3)]


# -- room --------------------------------------------------------------------------------------------------------------


def test_a_full_outbox_evicts_what_the_hub_has_oldest_first_and_then_refuses(db: Broken) -> None:
    outbox = store(db, max_bytes=200_000)
    stream = outbox.append(faults(400, 300))[0].stream
    outbox.cover(covered(stream, (1, 150), (160, 160)), hello=False, hub_time_ms=1)
    taken = 400 + fill(outbox.append, 300, count=20)
    with pytest.raises(OutboxFull, match=r"bring the link to the hub back, or raise outbox\.max_bytes"):
        outbox.append(faults(20, 300))
    assert outbox.used_bytes() <= 200_000
    held = set(bodies(outbox, stream))
    assert held == (set(range(1, taken + 1)) - set(range(1, 151)) - {160}), "exactly what was covered has gone"
    assert outbox.count_uncovered() == len(held)
    outbox.cover(covered(stream, (151, 300)), hello=False, hub_time_ms=1)
    assert outbox.append(faults(20, 300))[0].seq == taken + 1


def test_the_bound_holds_whatever_the_sizes(db: Broken) -> None:
    outbox = store(db, max_bytes=60_000)
    for size in range(1, 500, 7):
        try:
            position = outbox.append([Entry(Lifecycle(seq=UNNUMBERED, time=1, action="config", detail="x" * size), 1)])[
                0
            ]
        except OutboxFull:
            break
        outbox.cover(covered(position.stream, (position.seq, position.seq), low=1), hello=False, hub_time_ms=1)
        assert outbox.used_bytes() <= 60_000 + 2_048
    assert numbers(outbox.uncovered(outbox.stream)) == []
