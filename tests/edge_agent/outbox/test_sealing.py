"""Events wait in the outbox for their final time; then time and seal come together, in portions, and once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from contract import codec
from contract.events import UNNUMBERED, Fault, Loss
from contract.limits import MAX_TIME_MS
from contract.ranges import RangeSet
from edge_agent.outbox.errors import NotStored, OutboxFull
from edge_agent.outbox.sealing import Boot, Known, began, final
from edge_agent.outbox.store import Entry, OutboxStore
from tests.edge_agent.outbox.making import ROOM, Broken, covered, fault, in_memory, outbox, rows, sqlite_error

BEGAN_MS = 1_795_000_000_000
HOUR_MS = 3_600_000


def provisional(at_ms: int, reason: str = "", time_ms: int = 7_000) -> Entry:
    event = Fault(seq=UNNUMBERED, time=time_ms, clock="estimated", code="test", reason=reason)
    return Entry(event, at_ms, sealed=False)


def repaired_ms(at_ms: int) -> int:
    return BEGAN_MS + at_ms


def opened(db: sqlite3.Connection, boot: str = "one", max_bytes: int = ROOM) -> OutboxStore:
    return OutboxStore(db, max_bytes=max_bytes, boot=boot)


def sealed_events(store: OutboxStore) -> list[tuple[int, str]]:
    """Time and clock of all that may be sent."""
    bodies = [
        stored.body
        for held in store.streams()
        for stored in store.read(held.stream, store.uncovered(held.stream), ROOM, 10_000)
    ]
    return [(event.time, event.clock) for event in map(codec.decode_event, bodies)]


def test_what_is_not_sealed_is_held_counted_and_not_sent() -> None:
    store = opened(in_memory())
    (stream, _), *_ = store.append([fault(), provisional(5), fault()])
    assert store.has_unsealed()
    assert store.uncovered(stream).spans() == [(1, 1), (3, 3)]
    assert [stored.seq for stored in store.read(stream, [(1, 3)], ROOM, 9)] == [1, 3]
    assert (store.count_uncovered(), store.oldest_uncovered_ms()) == (3, 1_000)
    assert [(held.low, held.high) for held in store.streams()] == [(1, 3)]
    assert store.seal(repaired_ms) == 1
    assert store.seal(repaired_ms) == 0
    assert not store.has_unsealed()
    assert sealed_events(store) == [(1_000, "synced"), (BEGAN_MS + 5, "repaired"), (1_000, "synced")]


def test_the_present_is_sealed_first_and_no_portion_is_large() -> None:
    db = in_memory()
    old = opened(db, "zero").append([provisional(at_ms) for at_ms in range(5)])[0].stream
    store = opened(db)
    live = store.append([provisional(at_ms) for at_ms in range(3)])[0].stream
    waiting = []
    while store.has_unsealed():
        waiting.append((len(store.uncovered(old)), store.uncovered(live).count(), store.seal(repaired_ms, most=2)))
    assert waiting == [(0, 0, 2), (0, 2, 1), (0, 3, 2), (1, 3, 2), (1, 3, 1)]


@pytest.mark.parametrize("then", [False, True])
def test_a_seal_that_failed_has_reached_the_disk_or_has_not(then: bool) -> None:
    db = in_memory()
    store = opened(db)
    stream = store.append([provisional(1), provisional(2), provisional(3)])[0].stream
    db.failures, db.then = [sqlite_error(sqlite3.SQLITE_IOERR)], then
    with pytest.raises(NotStored):
        store.seal(repaired_ms, most=2)
    assert store.uncovered(stream).count() == (2 if then else 0)
    assert store.stream != stream
    while store.seal(repaired_ms):
        pass
    assert sealed_events(store) == [(BEGAN_MS + at_ms, "repaired") for at_ms in (1, 2, 3)]


def test_a_full_disk_leaves_them_waiting() -> None:
    db = in_memory()
    store = opened(db)
    store.append([provisional(1)])
    db.failures = [sqlite_error(sqlite3.SQLITE_FULL)]
    with pytest.raises(OutboxFull):
        store.seal(repaired_ms)
    assert store.has_unsealed()
    assert store.seal(repaired_ms) == 1


def test_a_later_opening_knows_what_waits() -> None:
    db = in_memory()
    opened(db).append([provisional(1), fault(), provisional(3)])
    store = opened(db)
    assert store.count_uncovered() == 3
    assert store.seal(repaired_ms) == 2
    assert sealed_events(store)[0] == (BEGAN_MS + 1, "repaired")


def test_what_waits_can_be_lost_and_the_loss_waits_too() -> None:
    db = in_memory()
    store = opened(db)
    stream = store.append([provisional(1, "a"), provisional(2, "b")])[0].stream
    store.declare_lost(stream, RangeSet.of([1]), "evicted", time_ms=9, at_ms=3, clock="estimated")
    assert not store.uncovered(stream)
    store.seal(repaired_ms)
    bodies = [codec.decode_event(stored.body) for stored in store.read(stream, [(1, 9)], ROOM, 9)]
    assert [(event.seq, event.time, event.clock) for event in bodies] == [
        (2, BEGAN_MS + 2, "repaired"),
        (3, BEGAN_MS + 3, "repaired"),
    ]
    assert isinstance(bodies[1], Loss)
    assert bodies[1].ranges == [(1, 1)]


def test_what_a_clone_has_sent_is_not_sent_again_and_gives_room() -> None:
    """A copied card has sealed the same events by a time of its own: the hub has those, and never sees ours."""
    store = opened(in_memory(), max_bytes=90_000)
    reasons = ["x" * 500] * 60
    stream = store.append([provisional(1, reason) for reason in reasons])[0].stream
    store.cover(covered(stream, (1, 60)), hello=True, hub_time_ms=5)
    assert store.count_uncovered() == 0
    store.append([provisional(2, reason) for reason in reasons])
    while store.seal(repaired_ms):
        pass
    assert {time_ms for time_ms, _ in sealed_events(store)} == {BEGAN_MS + 2}


def test_bytes_that_have_rotted_are_sealed_as_they_are() -> None:
    """The hub refuses them, and they are declared lost: nothing waits for ever."""
    db = in_memory()
    store = opened(db)
    stream = store.append([provisional(1), provisional(2)])[0].stream
    db.execute("UPDATE event SET body = ? WHERE seq = 1", (b"{rotten",))
    assert store.seal(repaired_ms) == 2
    assert store.read(stream, [(1, 1)], ROOM, 1)[0].body == b"{rotten"
    assert not store.has_unsealed()


def test_no_final_time_is_one_that_the_hub_refuses() -> None:
    body = codec.encode_event(Fault(seq=1, time=5, clock="estimated", code="test"))
    for time_ms, expected in ((-5, 0), (2**60, MAX_TIME_MS), (9, 9)):
        event = codec.decode_event(final(body, time_ms, "repaired"))
        assert (event.time, event.clock) == (expected, "repaired")


def boot(name: str, last_at_ms: int, *, known_ms: int | None = None, guess_ms: int | None = None) -> Boot:
    known = None if known_ms is None else Known(0, known_ms, "synced")
    return Boot(name, last_at_ms, known, guess_ms)


@pytest.mark.parametrize(
    ("boots", "expected"),
    [
        ([], []),
        ([boot("a", 100, guess_ms=3_000)], [3_000]),
        ([boot("a", 100, guess_ms=9_950)], [9_900]),  # from the future: it ended before the present began
        ([boot("a", 100)], [9_900]),  # nothing of it can be read
        ([boot("a", 100, known_ms=5_000), boot("b", 50, guess_ms=3_000)], [5_000, 5_100]),  # not before a's end
        ([boot("a", 100, guess_ms=3_000), boot("b", 50, known_ms=3_050)], [2_950, 3_050]),  # a ended before b began
        ([boot("a", 100, guess_ms=3_000), boot("b", 100, guess_ms=3_000)], [3_000, 3_100]),  # one floor for both
        ([boot("a", 600, guess_ms=9_000), boot("b", 600, guess_ms=9_000)], [8_800, 9_400]),  # room is scarce
    ],
)
def test_a_boot_lies_between_its_neighbours(boots: list[Boot], expected: list[int]) -> None:
    assert list(reversed(began(boots, 10_000).values())) == expected


def test_a_boot_that_was_right_once_is_repaired_by_that(tmp_path: Path) -> None:
    db = in_memory()
    right = Fault(seq=UNNUMBERED, time=BEGAN_MS - HOUR_MS + 500, code="test")
    far = 9 * HOUR_MS
    opened(db, "zero").append([provisional(100), Entry(right, 500), provisional(900), provisional(far)])
    store = opened(db)
    store.seal(lambda at_ms: BEGAN_MS + far + at_ms)
    assert sealed_events(store) == [
        (BEGAN_MS - HOUR_MS + 100, "repaired"),
        (BEGAN_MS - HOUR_MS + 500, "synced"),
        (BEGAN_MS - HOUR_MS + 900, "repaired"),
        (BEGAN_MS - HOUR_MS + far, "estimated"),  # so long after, it has run away from it
    ]


def test_threads_append_while_a_backlog_is_sealed(tmp_path: Path) -> None:
    with outbox(tmp_path, boot="one") as held:
        held.append([provisional(at_ms) for at_ms in range(1_200)])
        portions = []
        while count := held.seal(repaired_ms):
            portions.append(count)
            held.append([fault()])
        assert portions == [500, 500, 200]
        assert not held.has_unsealed()
    assert len(rows(tmp_path)) == 1_203


def test_an_event_born_with_its_final_time_costs_what_it_did() -> None:
    """No index, no second write: only what is not sealed is in there."""
    db: Broken = in_memory()
    store = opened(db)
    store.append([fault("x" * 100) for _ in range(50)])
    before = db.total_changes
    store.append([fault("x" * 100) for _ in range(50)])
    assert db.total_changes - before == 50
    assert store.seal(repaired_ms) == 0
