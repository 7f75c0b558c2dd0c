"""Random operations on the outbox against a dictionary: what is held, what is covered, what is lost."""

from __future__ import annotations

import sqlite3
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contract import codec
from contract.events import Loss
from contract.ranges import RangeSet
from contract.receipt import Covered
from edge_agent.outbox.coverage import SINCE_STEP_MS
from edge_agent.outbox.errors import NotStored
from edge_agent.outbox.store import GRACE_MS, Position
from tests.edge_agent.outbox.making import fault, health, in_memory, numbers, sqlite_error, store

NUMBERS = st.frozensets(st.integers(1, 12), min_size=1, max_size=6)


class Outboxes(RuleBasedStateMachine):
    """Everything that can happen to one file; `held` must be in it, `believed` is what the hub is thought to have."""

    def __init__(self) -> None:
        super().__init__()
        self.db = in_memory()
        self.store = store(self.db)
        self.held: dict[Position, bytes] = {}
        self.believed: dict[Position, int] = {}
        self.saved: dict[Position, int] = {}
        self.given: set[Position] = set()
        self.unsealed: set[Position] = set()
        self.hour = 0

    def teardown(self) -> None:
        self.db.close()

    def a_stream(self, pick: int) -> str:
        streams = sorted({position.stream for position in self.held})
        return streams[pick % len(streams)]

    def take(self, position: Position) -> None:
        assert position not in self.given, "a number was given twice"
        self.given.add(position)
        self.held[position] = self.body(position)

    def body(self, position: Position) -> bytes:
        found = "SELECT body FROM event WHERE seq = ? AND stream = (SELECT id FROM stream WHERE name = ?)"
        body: bytes = self.db.execute(found, (position.seq, position.stream)).fetchone()[0]
        return body

    @rule(kinds=st.lists(st.sampled_from([fault, health]), min_size=1, max_size=4), sealed=st.booleans())
    def append(self, kinds: list[Any], sealed: bool) -> None:
        for position in self.store.append([kind()._replace(sealed=sealed) for kind in kinds]):
            self.take(position)
            self.unsealed |= set() if sealed else {position}

    @rule(most=st.integers(1, 5))
    def seal(self, most: int) -> None:
        before = len(self.unsealed)
        count = self.store.seal(lambda at_ms: 5_000 + at_ms, most)
        for position in list(self.unsealed):
            if self.store.read(position.stream, [(position.seq, position.seq)], 1, 1):
                self.unsealed.remove(position)
                self.held[position] = self.body(position)
                assert codec.decode_event(self.held[position]).time == 5_001
        assert count == before - len(self.unsealed)
        assert self.store.has_unsealed() == bool(self.unsealed)

    @rule(reached_the_disk=st.booleans())
    def fail_to_append(self, reached_the_disk: bool) -> None:
        stream, following = self.store.stream, self.store._next
        self.db.failures, self.db.then = [sqlite_error(sqlite3.SQLITE_IOERR)], reached_the_disk
        try:
            self.store.append([fault()])
        except NotStored:
            self.given.add(Position(stream, following))
            if reached_the_disk:
                self.held[Position(stream, following)] = self.body(Position(stream, following))
        else:
            raise AssertionError("it was not told")

    @rule()
    def reopen(self) -> None:
        self.store = store(self.db)
        self.believed = dict(self.saved)

    @precondition(lambda self: self.held)
    @rule(
        pick=st.integers(0, 9),
        found=NUMBERS,
        ends=st.tuples(st.integers(1, 12), st.integers(1, 12)),
        hello=st.booleans(),
    )
    def receipt(self, pick: int, found: frozenset[int], ends: tuple[int, int], hello: bool) -> None:
        stream, (low, high) = self.a_stream(pick), sorted(ends)
        spans = RangeSet.of(found).spans()
        word = Covered(stream=stream, low=low, high=high, committed=spans[::2], lost=spans[1::2])
        self.store.cover(word, hello=hello, hub_time_ms=self.hour * SINCE_STEP_MS)
        said = {Position(stream, seq) for seq in found if low <= seq <= high} & set(self.held)
        if hello:
            self.believed = {
                p: h for p, h in self.believed.items() if p.stream != stream or p in said or not low <= p.seq <= high
            }
        self.believed = dict.fromkeys(said, self.hour) | self.believed

    @rule(hours=st.integers(0, 100))
    def settle(self, hours: int) -> None:
        self.hour += hours
        deleted = self.store.settle(self.hour * SINCE_STEP_MS)
        limit = self.hour - GRACE_MS // SINCE_STEP_MS
        past = {position for position, hour in self.believed.items() if hour < limit}
        assert deleted == len(past)
        self.held = {position: body for position, body in self.held.items() if position not in past}
        self.unsealed -= past
        self.believed = {position: hour for position, hour in self.believed.items() if position not in past}
        self.saved = dict(self.believed)

    @precondition(lambda self: self.held)
    @rule(pick=st.integers(0, 9), found=NUMBERS)
    def lose(self, pick: int, found: frozenset[int]) -> None:
        stream = self.a_stream(pick)
        expected = {
            position
            for position, body in self.held.items()
            if position.stream == stream and position.seq in found and b'"loss"' not in body
        }
        live, following = self.store.stream, self.store._next
        self.store.declare_lost(stream, RangeSet.of(found), "evicted", time_ms=1, at_ms=1)
        told: set[Position] = set()
        for seq in range(following, self.store._next):
            self.take(Position(live, seq))
            event = codec.decode_event(self.held[Position(live, seq)])
            assert isinstance(event, Loss)
            told |= {Position(event.stream, number) for number in numbers(event.ranges)}
        assert told == expected
        self.unsealed -= expected
        for table in (self.held, self.believed, self.saved):
            for position in expected:
                table.pop(position, None)

    @invariant()
    def it_is_what_it_should_be(self) -> None:
        streams = self.store.streams()
        assert {p.stream: (p.low, p.high) for p in streams} == {
            stream: (min(found), max(found))
            for stream in {position.stream for position in self.held}
            for found in [[position.seq for position in self.held if position.stream == stream]]
        }
        to_send = {Position(p.stream, seq) for p in streams for seq in numbers(self.store.uncovered(p.stream))}
        assert to_send == set(self.held) - set(self.believed) - self.unsealed
        assert self.store.count_uncovered() == len(set(self.held) - set(self.believed))
        read = {
            Position(p.stream, s.seq): s.body
            for p in streams
            for s in self.store.read(p.stream, [(1, 999)], 10**9, 999)
        }
        assert read == {position: body for position, body in self.held.items() if position not in self.unsealed}


Outboxes.TestCase.settings = settings(max_examples=120, stateful_step_count=25, deadline=None)
test_random_operations = Outboxes.TestCase
