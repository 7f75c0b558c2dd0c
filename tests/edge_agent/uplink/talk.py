"""An uplink that talks: to an outbox without rules, and to a hub that answers only when a test tells it to."""

from __future__ import annotations

import random
from collections.abc import Iterable

from contract import codec
from contract.batch import Batch
from contract.events import Fault
from contract.ranges import RangeSet
from contract.receipt import Covered, Receipt, Refusal
from contract.status import Alive, Goodbye, Hello, Pending, Queue
from edge_agent.outbox.store import Stored
from edge_agent.uplink import Send, Uplink

LIVE, OLD = "a" * 32, "b" * 32
SESSION, NONCE, OTHER_NONCE = "0" * 16, "1" * 16, "2" * 16


class Held:
    """An outbox without rules of its own: streams of numbers, and what is covered."""

    def __init__(self, **streams: int) -> None:
        self.live_stream = LIVE
        self.held: dict[str, RangeSet] = {}
        self.covered: dict[str, RangeSet] = {}
        self.nobody_waits_for = RangeSet()
        self.size = 20
        self.refused: list[tuple[str, int]] = []
        self.keeps_refused = False

    def add(self, stream: str, first: int, last: int) -> None:
        self.held.setdefault(stream, RangeSet()).add(first, last)

    def streams(self) -> list[Pending]:
        found = [(name, numbers.spans()) for name, numbers in self.held.items() if numbers]
        return [Pending(stream=name, low=spans[0][0], high=spans[-1][1]) for name, spans in found]

    def uncovered(self, stream: str) -> RangeSet:
        return self.held.get(stream, RangeSet()).minus(self.covered.get(stream, RangeSet()))

    def patient(self) -> RangeSet:
        return self.nobody_waits_for

    def read(self, stream: str, spans: Iterable[tuple[int, int]], max_bytes: int, max_events: int) -> list[Stored]:
        numbers = RangeSet(spans).common(self.held.get(stream, RangeSet())).head(min(max_events, self.size))
        return [Stored(seq, _body(seq)) for first, last in numbers for seq in range(first, last + 1)]

    def cover(self, covered: Covered, *, hello: bool, hub_time_ms: int) -> None:
        known = self.covered.setdefault(covered.stream, RangeSet())
        if hello:
            known.remove(covered.low, covered.high)
        known.update(RangeSet([*covered.committed, *covered.lost]))

    def refuse(self, stream: str, seq: int) -> None:
        self.refused.append((stream, seq))
        if not self.keeps_refused:
            self.held[stream].remove(seq, seq)


def _body(seq: int) -> bytes:
    return codec.encode_event(Fault(seq=seq, time=1, code="x"))


class Talk:
    """An uplink, its outbox, and a hub that answers when it is told to."""

    def __init__(self) -> None:
        self.source = Held()
        self.now_ms = 1_000_000
        self.queue = Queue(events=5, full=True, refused=2)
        self.uplink = Uplink(
            self.source,
            session=SESSION,
            version="1.2",
            queue=lambda: self.queue,
            faults=lambda: [f"fault_{at}" for at in range(40)],
            rng=random.Random(7),
        )

    def connect(self, nonce: str = NONCE) -> list[Send]:
        self.uplink.connected(nonce, self.now_ms)
        return self.poll()

    def poll(self, after_ms: int = 0) -> list[Send]:
        self.now_ms += after_ms
        return self.uplink.poll(self.now_ms)

    def until_due(self) -> list[Send]:
        due = self.uplink.next_due_ms()
        assert due is not None
        return self.poll(max(0, due - self.now_ms))

    def receive(self, receipt: Receipt) -> int | None:
        return self.uplink.received(receipt, self.now_ms)

    def commit(self, *sends: Send, nonce: str = NONCE) -> int | None:
        streams = []
        for batch in batches(sends):
            numbers = RangeSet.of(event.seq for event in batch.events)
            low, high = batch.events[0].seq, batch.events[-1].seq
            streams.append(Covered(stream=batch.stream, low=low, high=high, committed=numbers.spans()))
        return self.receive(Receipt(nonce=nonce, hub_time=1, streams=streams))

    def answer_hello(self, *covered: Covered, nonce: str = NONCE) -> int | None:
        told = {part.stream for part in covered}
        rest = [Covered(stream=p.stream, low=p.low, high=p.high) for p in self.source.streams() if p.stream not in told]
        return self.receive(Receipt(nonce=nonce, hub_time=1, hello=True, streams=[*covered, *rest]))

    def refuse(self, send: Send, reason: str = "invalid") -> None:
        self.receive(Receipt(hub_time=1, refused=[Refusal(sha256=send.payload.sha256(), reason=reason)]))


def batches(sends: Iterable[Send]) -> list[Batch]:
    return [codec.decode_batch(*send.payload) for send in sends if send.channel == "events"]


def statuses(sends: Iterable[Send]) -> list[Hello | Alive | Goodbye]:
    return [codec.decode_status(*send.payload) for send in sends if send.channel == "status"]


def sent(sends: Iterable[Send]) -> list[tuple[str, int, int]]:
    return [(batch.stream[0], batch.events[0].seq, batch.events[-1].seq) for batch in batches(sends)]
