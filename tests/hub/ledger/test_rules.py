"""The ledger's rules: once, in any order; stored beats declared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contract.events import Loss
from contract.ranges import RangeSet
from hub.ledger.rules import Account, Delivery, StreamKey, decide, streams_of
from tests.hub.ingest.making import DEVICE, OTHER, STREAM, batch, delivery, loss

KEY, SPOKEN_OF = StreamKey(DEVICE, STREAM), StreamKey(DEVICE, OTHER)


def settle(*deliveries: Delivery) -> dict[StreamKey, Account]:
    accounts = {key: Account() for key in streams_of(deliveries)}
    decide(deliveries, accounts)
    return accounts


def test_overlapping_batches_store_each_event_once() -> None:
    deliveries = [delivery([1, 2, 3]), delivery([2, 3, 4]), delivery([1, 4, 9])]
    accounts = {key: Account() for key in streams_of(deliveries)}
    decision = decide(deliveries, accounts)
    assert [[event.seq for event in events] for _, events, _ in decision.rows] == [[1, 2, 3], [4], [9]]
    assert decision.committed == {KEY: RangeSet([(1, 4), (9, 9)])}
    assert decision.events() == 5


def test_a_stream_belongs_to_the_device_that_sent_it() -> None:
    accounts = settle(delivery([1]), delivery([1], device="bg-20-tth-l1"))
    assert set(accounts) == {KEY, StreamKey("bg-20-tth-l1", STREAM)}


def test_stored_beats_declared_in_either_order() -> None:
    declaration, event = delivery([loss(1, OTHER, (1, 5))]), delivery([3], OTHER)
    for order in ([declaration, event], [event, declaration]):
        account = settle(*order)[SPOKEN_OF]
        assert account.committed == RangeSet([(3, 3)])
        assert account.lost == RangeSet([(1, 2), (4, 5)])


def test_the_span_that_matters_covers_all_batches_and_streams_only_spoken_of() -> None:
    spans = streams_of([delivery([5, 9]), delivery([2, 7]), delivery([loss(11, OTHER, (1, 1))])])
    assert spans == {KEY: (2, 11), SPOKEN_OF: (0, 0)}


def test_what_is_below_the_lowest_the_device_has_and_nowhere_is_missing() -> None:
    account = Account(RangeSet([(1, 3), (6, 6)]), RangeSet([(4, 4)]))
    assert account.missing_below(8) == RangeSet([(5, 5), (7, 7)])
    assert not account.missing_below(1)


@given(
    parts=st.lists(st.sets(st.integers(1, 12), min_size=1, max_size=6), min_size=1, max_size=6),
    declared=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 3)), max_size=3),
    order=st.randoms(use_true_random=False),
)
def test_in_any_order_the_same_accounts_come_out(
    parts: list[set[int]], declared: list[tuple[int, int]], order: object
) -> None:
    deliveries = [delivery(sorted(part)) for part in parts]
    losses: list[Loss] = [loss(1, STREAM, (first, first + more)) for first, more in declared]
    deliveries += [Delivery(DEVICE, batch([made], OTHER[:-2] + f"{at:02x}")) for at, made in enumerate(losses)]
    forward = settle(*deliveries)
    order.shuffle(deliveries)  # type: ignore[attr-defined]
    again = settle(*deliveries, *deliveries)
    assert forward == again
