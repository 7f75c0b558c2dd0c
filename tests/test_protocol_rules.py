"""Every rule of the stream protocol is needed: take one away, and the attack of `test_protocol` finds the hole.

So the attack can fail, and a rule that looks superfluous is shown not to be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from contract.ranges import RangeSet
from contract.receipt import Covered, Receipt
from edge_agent.outbox.coverage import Coverage
from edge_agent.outbox.store import OutboxStore
from edge_agent.uplink import Uplink
from hub.ledger import rules as ledger
from hub.ledger.rules import Account
from tests.test_protocol import Card, Protocol

Patch = pytest.MonkeyPatch
PROMISES = (
    "stored twice|lost in silence|stored and declared lost|another event under its number|ledger and rows differ"
    "|sent before it was sealed"
)


def without_numbers_taken_once(patch: Patch) -> None:
    """Duplicates: the ledger takes whatever a batch carries."""

    def take(self: Account, numbers: RangeSet) -> RangeSet:
        self.committed.update(numbers)
        self.lost = self.lost.minus(numbers)
        return numbers

    patch.setattr(Account, "take", take)


def without_exact_numbers(patch: Patch) -> None:
    """The hub commits a batch's whole span, as a high watermark would."""
    patch.setattr(RangeSet, "of", classmethod(_span_of))


def _span_of(cls: type[RangeSet], numbers: Any) -> RangeSet:
    listed = sorted(numbers)
    return cls([(listed[0], listed[-1])] if listed else [])


def without_stored_beats_declared(patch: Patch) -> None:
    """A declaration stands although the event came."""
    patch.setattr(Account, "declare", lambda self, numbers: self.lost.update(numbers))


def without_losses_booked(patch: Patch) -> None:
    """The hub stores loss events as rows and leaves the ledger alone."""
    patch.setattr(ledger, "_declare", lambda *_: None)


def without_a_new_stream_for_each_opening(patch: Patch) -> None:
    """After a crash or from a restored image the agent goes on counting in the stream that is there."""
    start = Card.start

    def resume(self: Card, *, reboot: bool = False) -> None:
        start(self, reboot=reboot)
        row = self.db.execute(
            "SELECT s.id, s.name, max(e.seq) FROM stream s JOIN event e ON e.stream = s.id"
        ).fetchone()
        if row[0] is not None:
            self.store._stream_id, self.store.stream, self.store._next = row[0], row[1], row[2] + 1

    patch.setattr(Card, "start", resume)


def without_the_nonce(patch: Patch) -> None:
    """An agent believes any receipt, such as one that a broker kept from before the hub was restored."""
    received = Uplink.received

    def believe(self: Uplink, receipt: Receipt, now_ms: int) -> int | None:
        fields = {"hub_time": 1, "hello": receipt.hello, "streams": receipt.streams, "refused": receipt.refused}
        return received(self, Receipt(nonce=self._nonce or "", **fields), now_ms)  # type: ignore[arg-type]

    patch.setattr(Uplink, "received", believe)
    patch.setattr(Protocol, "drain", _drain_among_old_receipts)


def _drain_among_old_receipts(self: Protocol, card: Card) -> None:
    """As the attack's own, but what was on its way to the agent still arrives."""
    late = list(self.receipts)
    card.uplink.connected(self.rng.randbytes(8).hex(), self.now_ms)
    for _ in range(400):
        self.now_ms += 1_000
        self.hub.inbox[0] = card.uplink.poll(self.now_ms)
        for receipt in [*self.hub.commit(0), *late]:
            card.uplink.received(receipt, self.now_ms)
        late.clear()
        if card.uplink.idle():
            return
    raise AssertionError("it never drains")


def without_going_back(patch: Patch) -> None:
    """A hello's answer extends what is believed covered instead of replacing it."""

    def extend(self: Coverage, low: int, high: int, numbers: RangeSet, hub_time_ms: int) -> None:
        self.extend(numbers.within(low, high), hub_time_ms)

    patch.setattr(Coverage, "replace", extend)


def without_grace(patch: Patch) -> None:
    """Events are deleted as soon as a receipt covers them."""
    cover = OutboxStore.cover

    def delete(self: OutboxStore, covered: Covered, *, hello: bool, hub_time_ms: int) -> None:
        cover(self, covered, hello=hello, hub_time_ms=hub_time_ms)
        self.settle(hub_time_ms + 1, grace_ms=0)

    patch.setattr(OutboxStore, "cover", delete)


def without_declaring_what_is_evicted(patch: Patch) -> None:
    """What there is no room for is simply deleted."""

    def drop(self: OutboxStore, stream: str, numbers: RangeSet, *_: Any, **__: Any) -> None:
        self._delete(stream, numbers)
        self._dropped(stream, numbers)

    patch.setattr(OutboxStore, "declare_lost", drop)


def without_waiting_for_the_seal(patch: Patch) -> None:
    """Events are sent with whatever time they have."""
    patch.setattr(OutboxStore, "uncovered", OutboxStore._waiting)
    patch.setattr(OutboxStore, "_bodies", _any_bodies)


def _any_bodies(self: OutboxStore, stream: str, first: int, last: int, limit: int) -> Any:
    return self._db.execute(
        "SELECT seq, body FROM event WHERE stream = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?",
        (self._ids[stream], first, last, max(limit, 1)),
    )


BROKEN = [
    without_numbers_taken_once,
    without_exact_numbers,
    without_stored_beats_declared,
    without_losses_booked,
    without_a_new_stream_for_each_opening,
    without_the_nonce,
    without_going_back,
    without_grace,
    without_declaring_what_is_evicted,
    without_waiting_for_the_seal,
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_without_any_one_rule_the_attack_succeeds(broken: Callable[[Patch], None], monkeypatch: Patch) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError, match=PROMISES):
        run_state_machine_as_test(
            Protocol,
            settings=settings(
                max_examples=4_000,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                report_multiple_bugs=False,
            ),
        )
