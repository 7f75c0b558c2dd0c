"""The stream protocol under attack: the real outbox rules, uplink, codec and ledger, with no I/O between them.

One or two agents (a cloned card), a network that loses, duplicates and reorders, two workers that die before or after
they commit, a hub that goes back to a backup, a card that goes back to an image, evictions, bytes that rot and events
that an older hub cannot read. At the end everything drains, and then: nothing accepted is missing in silence, nothing
is stored twice, the ledger equals the rows.
"""

from __future__ import annotations

import copy
import itertools
import os
import random
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from contract import codec
from contract.batch import Batch
from contract.errors import ContractError
from contract.events import UNNUMBERED, Fault
from contract.ids import ClockState
from contract.ranges import RangeSet
from contract.receipt import Receipt
from contract.status import Hello
from edge_agent.outbox.database import prepare
from edge_agent.outbox.store import Entry, OutboxStore, Position
from edge_agent.uplink import Send, Uplink
from hub.ledger.reading import Refused, Unreadable, covered, read_message
from hub.ledger.rules import Account, Delivery, StreamKey, decide, streams_of

DEVICE = "bg-20-cma-k1"
POISON = "poison"
PROVISIONAL_MS, SEALED_MS = 5, 1_790_000_000_000
AT_MS = 10
"""Later than the provisional time: no boot began before 1970, so no final time looks like a provisional one."""
PROVISIONAL = f'"time":{PROVISIONAL_MS},"clock":"estimated"'


def older_hub(data: bytes, content_type: str) -> Batch:
    """A hub that does not know everything that its agents may send."""
    batch = codec.decode_batch(data, content_type)
    if any(isinstance(event, Fault) and event.reason.endswith(POISON) for event in batch.events):
        raise ContractError("invalid", "an unknown kind of event")
    return batch


@dataclass
class Database:
    """What PostgreSQL would hold."""

    accounts: dict[StreamKey, Account] = field(default_factory=dict)
    rows: list[tuple[StreamKey, int, str]] = field(default_factory=list)

    def account(self, key: StreamKey) -> Account:
        return self.accounts.setdefault(key, Account())


class Hub:
    """Two workers over one database, deciding with the hub's own rules."""

    def __init__(self) -> None:
        self.db = Database()
        self.backup: Database | None = None
        self.inbox: list[list[Send]] = [[], []]

    def commit(self, worker: int) -> list[Receipt]:
        messages, self.inbox[worker] = self.inbox[worker], []
        answers: list[Receipt] = []
        for message in messages:
            if message.channel == "status":
                answers += self._hello(message)
            else:
                answers.append(self._events(message))
        return answers

    def _hello(self, message: Send) -> list[Receipt]:
        status = codec.decode_status(*message.payload)
        if not isinstance(status, Hello):
            return []
        streams = [
            covered(
                StreamKey(DEVICE, held.stream), self.db.account(StreamKey(DEVICE, held.stream)), held.low, held.high, 4
            )
            for held in status.streams
        ]
        return [Receipt(nonce=status.nonce, hub_time=1, hello=True, streams=streams)]

    def _events(self, message: Send) -> Receipt:
        read = read_message(DEVICE, *message.payload, decode=older_hub)
        if isinstance(read, Refused):
            return Receipt(hub_time=1, refused=[read.refusal])
        if isinstance(read, Unreadable):
            if self.db.account(read.key).take(RangeSet.of([read.seq])):
                self.db.rows.append((read.key, read.seq, "rejected"))
            spoken = covered(read.key, self.db.account(read.key), read.seq, read.seq, 99)
            return Receipt(nonce=read.nonce, hub_time=1, streams=[spoken])
        return self._store(read)

    def _store(self, delivery: Delivery) -> Receipt:
        accounts = {key: self.db.account(key) for key in streams_of([delivery])}
        for key, events, _ in decide([delivery], accounts).rows:
            self.db.rows += [(key, event.seq, codec.encode_event(event).decode()) for event in events]
        events = delivery.batch.events
        key = StreamKey(DEVICE, delivery.batch.stream)
        spoken = covered(key, accounts[key], events[0].seq, events[-1].seq, 99)
        return Receipt(nonce=delivery.batch.nonce, hub_time=1, streams=[spoken])


class Card:
    """An agent with its SD card. Implements the uplink's `Source` over the real store."""

    def __init__(self, image: bytes | None, rng: random.Random) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        if image is not None:
            self.db.deserialize(image)
        prepare(self.db)
        self.rng = rng
        self.boot = ""
        self.start()

    def start(self, *, reboot: bool = False) -> None:
        self.boot = self.rng.randbytes(4).hex() if reboot else self.boot
        self.store = OutboxStore(self.db, max_bytes=2**30, boot=self.boot, stream=self.rng.randbytes(16).hex())
        self.uplink = Uplink(self, session=self.rng.randbytes(8).hex(), version="1", rng=self.rng)

    @property
    def live_stream(self) -> str:
        return self.store.stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def seal(self, most: int = 2**30) -> None:
        """It has become known what time it is, and there was time for so many events."""
        self.store.seal(lambda at_ms: SEALED_MS + at_ms, most)

    def refuse(self, stream: str, seq: int) -> None:
        self.store.declare_lost(stream, RangeSet.of([seq]), "refused", time_ms=1, at_ms=1)

    def records(self) -> set[Position]:
        """Every event that this card still tells of: held, or declared lost in one that is held."""
        held = {
            Position(p.stream, n)
            for p in self.store.streams()
            for a, b in self._held(p.stream)
            for n in range(a, b + 1)
        }
        for _, _, body in self.bodies():
            held |= self._declared(body)
        return held

    def bodies(self) -> list[tuple[str, int, bytes]]:
        """Every event that is held, sealed or not."""
        return self.db.execute(
            "SELECT s.name, e.seq, e.body FROM event e JOIN stream s ON s.id = e.stream ORDER BY s.id, e.seq"
        ).fetchall()

    def _held(self, stream: str) -> list[tuple[int, int]]:
        return self.store._held[stream].spans()

    @staticmethod
    def _declared(body: bytes) -> set[Position]:
        try:
            event = codec.decode_event(body)
        except ContractError:
            return set()
        spans = event.ranges if event.KIND == "loss" else []  # type: ignore[union-attr]
        return {Position(event.stream, n) for a, b in spans for n in range(a, b + 1)}  # type: ignore[union-attr]


class Protocol(RuleBasedStateMachine):
    """Each rule is something that happens at a border gate."""

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now_ms = 0
        self.hub = Hub()
        self.card = Card(None, self.rng)
        self.other: Card | None = None
        self.image: bytes | None = None
        self.network: list[Send] = []
        self.receipts: list[Receipt] = []
        self.intent: set[str] = set()
        self.accepted: dict[str, Position] = {}
        self.rewound: set[Position] = set()

    @rule(count=st.integers(1, 4), poison=st.sampled_from(["", "", "", POISON]), sealed=st.booleans())
    def append(self, count: int, poison: str, sealed: bool) -> None:
        names = [f"{len(self.intent) + at} {poison}".strip() for at in range(count)]
        self.intent |= set(names)
        clock: ClockState = "synced" if sealed else "estimated"
        entries = [
            Entry(Fault(seq=UNNUMBERED, time=PROVISIONAL_MS, clock=clock, code="test", reason=name), AT_MS, sealed)
            for name in names
        ]
        self.accepted |= dict(zip(names, self.card.store.append(entries), strict=True))

    @rule(most=st.sampled_from([1, 2, 100]))
    def seal(self, most: int) -> None:
        self.card.seal(most)

    @rule(wait_ms=st.sampled_from([0, 100, 3_000, 700_000]))
    def send(self, wait_ms: int) -> None:
        self.now_ms += wait_ms
        self.network += self.card.uplink.poll(self.now_ms)

    @precondition(lambda self: self.network)
    @rule(at=st.integers(0, 9), worker=st.integers(0, 1), again=st.booleans())
    def deliver(self, at: int, worker: int, again: bool) -> None:
        message = self.network[at % len(self.network)] if again else self.network.pop(at % len(self.network))
        self.hub.inbox[worker].append(message)

    @precondition(lambda self: self.network)
    @rule(at=st.integers(0, 9))
    def lose(self, at: int) -> None:
        self.network.pop(at % len(self.network))

    @rule(worker=st.integers(0, 1), answers=st.booleans())
    def commit(self, worker: int, answers: bool) -> None:
        receipts = self.hub.commit(worker)
        self.receipts += receipts if answers else []

    @rule(worker=st.integers(0, 1), keep=st.booleans())
    def go_well(self, worker: int, keep: bool) -> None:
        """For once everything arrives: without this, chance hardly ever gets deep enough to lose what was stored."""
        self.card.uplink.connected(self.rng.randbytes(8).hex(), self.now_ms)
        for _ in range(3):
            self.hub.inbox[worker] += self.card.uplink.poll(self.now_ms)
            for receipt in self.hub.commit(worker):
                self.card.uplink.received(receipt, self.now_ms)
                self.receipts += [receipt] if keep else []

    @rule(worker=st.integers(0, 1))
    def kill_worker(self, worker: int) -> None:
        self.hub.inbox[worker].clear()

    @rule()
    def kill_broker(self) -> None:
        self.network.clear()
        self.receipts.clear()
        self.card.uplink.disconnected()

    @precondition(lambda self: self.receipts)
    @rule(at=st.integers(0, 9), again=st.booleans())
    def take_receipt(self, at: int, again: bool) -> None:
        receipt = self.receipts[at % len(self.receipts)] if again else self.receipts.pop(at % len(self.receipts))
        self.card.uplink.received(receipt, self.now_ms)

    @rule()
    def connect(self) -> None:
        self.card.uplink.connected(self.rng.randbytes(8).hex(), self.now_ms)

    @rule()
    def save(self) -> None:
        self.card.store.settle(1)

    @rule(reboot=st.booleans())
    def crash_agent(self, reboot: bool) -> None:
        self.card.start(reboot=reboot)

    @rule(count=st.integers(1, 3), sealed=st.booleans())
    def evict(self, count: int, sealed: bool) -> None:
        clock: ClockState = "synced" if sealed else "estimated"
        for stream, events in itertools.groupby(self.losable(), key=lambda position: position.stream):
            numbers = RangeSet.of(position.seq for position in itertools.islice(events, count))
            self.card.store.declare_lost(stream, numbers, "evicted", time_ms=PROVISIONAL_MS, at_ms=AT_MS, clock=clock)
            return

    @rule(at=st.integers(0, 9))
    def rot(self, at: int) -> None:
        events = self.losable()
        if events:
            stream, seq = events[at % len(events)]
            self.card.db.execute(
                "UPDATE event SET body = ? WHERE seq = ? AND stream = (SELECT id FROM stream WHERE name = ?)",
                (b"{rotten", seq, stream),
            )

    def losable(self) -> list[Position]:
        """What may be evicted or rot: not a declaration of loss, without which a loss would be silent."""
        return [
            Position(stream, seq)
            for stream, seq, body in self.card.bodies()
            if b'"loss"' not in body and seq in self.card.store._waiting(stream)
        ]

    @rule()
    def clone_or_swap(self) -> None:
        if self.other is None:
            self.other = Card(self.card.db.serialize(), self.rng)
        self.card, self.other = self.other, self.card

    @rule()
    def take_image(self) -> None:
        self.image = self.card.db.serialize()

    @precondition(lambda self: self.image)
    @rule()
    def restore_image(self) -> None:
        before = self.card.records()
        self.card = Card(self.image, self.rng)
        self.rewound |= before - self.card.records()

    @rule()
    def back_up(self) -> None:
        self.hub.backup = copy.deepcopy(self.hub.db)

    @precondition(lambda self: self.hub.backup)
    @rule()
    def restore_backup(self) -> None:
        self.hub.db = copy.deepcopy(self.hub.backup) or Database()
        self.hub.inbox = [[], []]

    def teardown(self) -> None:
        for card in (self.card, self.other):
            if card is not None:
                self.drain(card)
        self.check()

    def drain(self, card: Card) -> None:
        while card.store.has_unsealed():
            card.seal()
        card.uplink.connected(self.rng.randbytes(8).hex(), self.now_ms)
        for _ in range(400):
            self.now_ms += 1_000
            self.hub.inbox[0] = card.uplink.poll(self.now_ms)
            for receipt in self.hub.commit(0):
                card.uplink.received(receipt, self.now_ms)
            if card.uplink.idle():
                return
        raise AssertionError("it never drains")

    def check(self) -> None:
        db = self.hub.db
        twice = [position for position, times in Counter((key, seq) for key, seq, _ in db.rows).items() if times > 1]
        assert not twice, f"stored twice: {twice}"
        lost = {
            Position(key.stream, n) for key, a in db.accounts.items() for s in a.lost for n in range(s[0], s[1] + 1)
        }
        stored = {Position(key.stream, seq): body for key, seq, body in db.rows}
        assert not lost & stored.keys(), "stored and declared lost"
        for name, position in self.accepted.items():
            if position in stored:
                assert stored[position] == "rejected" or f'"{name}"' in stored[position], (
                    "another event under its number"
                )
            else:
                assert position in lost or position in self.rewound, f"lost in silence: {name} {position}"
        assert not any(PROVISIONAL in body for body in stored.values()), "sent before it was sealed"
        for key, account in db.accounts.items():
            assert account.committed.count() == sum(row[0] == key for row in db.rows), f"ledger and rows differ: {key}"


def test_nothing_is_lost_in_silence_and_nothing_stored_twice() -> None:
    examples = int(os.environ.get("TTDN_PROTOCOL_EXAMPLES", "150"))
    run_state_machine_as_test(
        Protocol,
        settings=settings(
            max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
