"""The ledger's rules, without I/O: of each stream which numbers are committed and which are declared lost.

An event counts once because its number is committed once; so order does not matter, duplicates are impossible, and a
hole is what is in neither set. Stored beats declared, in either order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from contract.batch import Batch
from contract.events import AnyEvent, Loss
from contract.ranges import RangeSet


class StreamKey(NamedTuple):
    """The ledger's key. The device is the topic's or the signature's, never the payload's."""

    device: str
    stream: str


@dataclass
class Account:
    """What the ledger holds of one stream, whole or within the span that matters."""

    committed: RangeSet = field(default_factory=RangeSet)
    lost: RangeSet = field(default_factory=RangeSet)

    def take(self, numbers: RangeSet) -> RangeSet:
        """Commit `numbers`; returns those that were not committed before."""
        fresh = numbers.minus(self.committed)
        self.committed.update(fresh)
        self.lost = self.lost.minus(fresh)
        return fresh

    def declare(self, numbers: RangeSet) -> None:
        """Hold `numbers` as lost, but for what is committed."""
        self.lost.update(numbers.minus(self.committed))

    def missing_below(self, low: int) -> RangeSet:
        """Numbers below `low`, the lowest that the device still has, that are neither here nor declared lost."""
        below = RangeSet([(1, low - 1)] if low > 1 else [])
        return below.minus(self.committed).minus(self.lost)


class Delivery(NamedTuple):
    """A batch that was read, and whose it is."""

    device: str
    batch: Batch


def stream_of(delivery: Delivery) -> StreamKey:
    """The stream that a batch is of."""
    return StreamKey(delivery.device, delivery.batch.stream)


@dataclass
class Decision:
    """What one transaction writes: rows, and what it adds to each stream's account."""

    rows: list[tuple[StreamKey, list[AnyEvent], bool]] = field(default_factory=list)
    """Per batch: its stream, the events of it that are new, and whether it speaks of the device's present."""
    committed: dict[StreamKey, RangeSet] = field(default_factory=dict)
    lost: dict[StreamKey, RangeSet] = field(default_factory=dict)

    def events(self) -> int:
        """How many rows it writes."""
        return sum(len(events) for _, events, _ in self.rows)


def streams_of(deliveries: Iterable[Delivery]) -> dict[StreamKey, tuple[int, int]]:
    """Every stream that these batches touch, with the span of numbers that matters; those only spoken of get (0, 0)."""
    spans: dict[StreamKey, tuple[int, int]] = {}
    for delivery in deliveries:
        device, batch = delivery
        key = stream_of(delivery)
        first, last = batch.events[0].seq, batch.events[-1].seq
        known = spans.get(key, (0, 0))
        spans[key] = (min(known[0] or first, first), max(known[1], last))
        for loss in losses_of(batch.events):
            spans.setdefault(StreamKey(device, loss.stream), (0, 0))
    return spans


def numbers_of(batch: Batch) -> RangeSet:
    """The numbers of a batch: one range where none is missing, since they rise."""
    events = batch.events
    first, last = events[0].seq, events[-1].seq
    if last - first + 1 == len(events):
        return RangeSet([(first, last)])
    return RangeSet.of(event.seq for event in events)


def losses_of(events: Iterable[AnyEvent]) -> list[Loss]:
    """The declarations of loss among events."""
    return [event for event in events if type(event) is Loss]


def decide(deliveries: Iterable[Delivery], accounts: Mapping[StreamKey, Account]) -> Decision:
    """Take from each batch exactly the numbers not yet committed. Changes `accounts` to what will then hold."""
    decision = Decision()
    for delivery in deliveries:
        device, batch = delivery
        key = stream_of(delivery)
        fresh = accounts[key].take(numbers_of(batch))
        if not fresh:
            continue
        whole = fresh.count() == len(batch.events)
        events = batch.events if whole else [event for event in batch.events if event.seq in fresh]
        decision.rows.append((key, events, batch.live))
        decision.committed.setdefault(key, RangeSet()).update(fresh)
        for loss in losses_of(events):
            _declare(decision, accounts, StreamKey(device, loss.stream), RangeSet(loss.ranges))
    return decision


def _declare(decision: Decision, accounts: Mapping[StreamKey, Account], key: StreamKey, numbers: RangeSet) -> None:
    accounts[key].declare(numbers)
    decision.lost.setdefault(key, RangeSet()).update(numbers)
