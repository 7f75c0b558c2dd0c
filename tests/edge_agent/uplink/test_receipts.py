"""What a receipt does."""

from __future__ import annotations

from contract.receipt import Covered, Receipt
from edge_agent.uplink import HELLO_INTERVAL_MS
from tests.edge_agent.uplink.talk import LIVE, NONCE, OLD, OTHER_NONCE, Talk, sent


def test_answers_to_another_connection_are_ignored(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 5)
    sends = talk.connect()
    assert talk.commit(*sends, nonce=OTHER_NONCE) is None
    assert talk.uplink.ignored_receipts == 1
    assert talk.source.uncovered(LIVE)
    talk.connect(OTHER_NONCE)
    talk.answer_hello(nonce=NONCE)
    assert talk.uplink.ignored_receipts == 2


def test_holes_in_a_receipt_are_sent_again_and_nothing_else(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 20)
    talk.connect()
    talk.receive(
        Receipt(nonce=NONCE, hub_time=1, streams=[Covered(stream=LIVE, low=1, high=20, committed=[(1, 4), (9, 20)])])
    )
    assert sent(talk.poll(5_001)) == [("a", 5, 8)]


def test_what_the_hub_knows_to_be_lost_needs_not_be_sent(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 2)
    talk.connect()
    talk.receive(Receipt(nonce=NONCE, hub_time=1, streams=[Covered(stream=LIVE, low=1, high=2, lost=[(1, 2)])]))
    assert talk.uplink.idle()


def test_a_hub_that_went_back_gets_it_again(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 60)
    talk.commit(*talk.connect())
    assert talk.uplink.idle()
    assert sent(talk.poll(HELLO_INTERVAL_MS)) == []
    talk.answer_hello(Covered(stream=LIVE, low=1, high=60, committed=[(1, 10)]))
    assert sent(talk.poll()) == [("a", 11, 30), ("a", 31, 50), ("a", 51, 60)]


def test_a_receipt_tells_the_time_of_its_batch_but_not_of_one_that_was_sent_twice(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 1)
    first, began = talk.connect(), talk.now_ms
    talk.now_ms += 300
    assert talk.commit(*first) == began
    talk.source.add(LIVE, 2, 2)
    talk.poll()
    again = talk.poll(5_001)
    assert sent(again) == [("a", 2, 2)]
    assert talk.commit(*again) is None, "nobody knows which of the two it answers"
    talk.source.add(LIVE, 3, 3)
    talk.poll()
    talk.answer_hello(Covered(stream=LIVE, low=1, high=3, committed=[(1, 3)]))
    assert talk.uplink.idle(), "a hello's answer covers as well, and is no measure of time"


def test_a_lost_connection_takes_along_what_was_on_its_way(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 5)
    first = talk.connect()
    talk.uplink.disconnected()
    assert sent(talk.connect(OTHER_NONCE)) == sent(first)


def test_memory_is_bounded_by_what_is_held(talk: Talk) -> None:
    for at in range(300):
        name = f"{at:032x}"
        talk.source.add(name, 1, 3)
        talk.connect(f"{at:016x}")
        talk.receive(
            Receipt(
                nonce=f"{at:016x}",
                hub_time=1,
                hello=True,
                streams=[Covered(stream=name, low=1, high=3, committed=[(1, 3)])],
            )
        )
        del talk.source.held[name]
    uplink = talk.uplink
    assert max(map(len, (uplink._answered, uplink._flights, uplink._cuts, uplink._aside, uplink._late))) <= 2


def test_the_answer_to_a_hello_is_of_since_that_was_said(talk: Talk) -> None:
    """So an agent that may not send yet, for it does not know the time, learns it."""
    talk.connect()
    said_ms = talk.now_ms
    talk.poll(70)
    assert talk.answer_hello() == said_ms
    assert talk.answer_hello() is None, "another worker answers the same hello"
    talk.poll(HELLO_INTERVAL_MS)
    assert talk.answer_hello() == talk.now_ms


def test_of_a_hello_that_was_said_twice_nobody_knows_which_was_answered(talk: Talk) -> None:
    talk.source.add(OLD, 1, 5)
    talk.connect()
    said_ms = talk.now_ms
    assert len(talk.poll(70_000)) == 1
    assert talk.answer_hello() == said_ms, "not before the first"
    talk.connect(OTHER_NONCE)
    assert talk.answer_hello(nonce=NONCE) is None
    assert talk.answer_hello(nonce=OTHER_NONCE) == talk.now_ms
