"""What the hub cannot read."""

from __future__ import annotations

import pytest

from contract.receipt import OTHER_FORM, TOO_RAGGED, Receipt, Refusal
from edge_agent.uplink import HELLO_INTERVAL_MS
from tests.edge_agent.uplink.talk import LIVE, OTHER_NONCE, Talk, batches, sent


def test_a_refused_batch_is_cut_down_to_the_one_event(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 20)
    bad, rounds = 13, 0
    sends = talk.connect()
    talk.answer_hello()
    while sent(sends):
        rounds += 1
        for send in [send for send in sends if send.channel == "events"]:
            (batch,) = batches([send])
            if any(event.seq == bad for event in batch.events):
                talk.refuse(send)
            else:
                talk.commit(send)
        sends = talk.poll()
    assert talk.source.refused == [(LIVE, bad)]
    assert talk.uplink.idle()
    assert rounds <= 8


def test_a_single_event_is_given_up_at_the_second_refusal(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 1)
    sends = talk.connect()
    talk.answer_hello()
    talk.refuse(sends[-1])
    assert talk.source.refused == []
    again = talk.poll()
    assert sent(again) == [("a", 1, 1)]
    talk.refuse(again[-1])
    assert talk.source.refused == [(LIVE, 1)]
    talk.refuse(again[-1])
    assert talk.source.refused == [(LIVE, 1)]


def test_nobody_gives_anything_up_for_a_hub_that_has_never_understood_a_word(talk: Talk) -> None:
    """Such as behind a broker that drops content types: all would be refused, and the whole outbox declared lost."""
    talk.source.add(LIVE, 1, 8)
    sends = talk.connect()
    for _ in range(100):
        for send in sends:
            if send.channel == "events":
                talk.refuse(send, "content_type")
        sends = talk.poll()
    assert talk.source.refused == []
    assert sent(sends) == [], "and it is not tried without end"
    assert talk.source.uncovered(LIVE).count() == 8
    sends = talk.poll(HELLO_INTERVAL_MS)
    assert sent(sends), "but again with the next hello"
    talk.commit(*sends)


def test_what_cannot_be_given_up_is_put_aside_until_the_next_hello(talk: Talk) -> None:
    talk.source.keeps_refused = True
    talk.source.add(LIVE, 1, 1)
    sends = talk.connect()
    talk.answer_hello()
    talk.refuse(sends[-1])
    talk.refuse(talk.poll()[-1])
    assert talk.source.refused == [(LIVE, 1)]
    talk.source.add(LIVE, 2, 2)
    assert sent(talk.poll()) == [("a", 2, 2)]
    assert sent(talk.poll(1_000)) == []


@pytest.mark.parametrize("reason", [TOO_RAGGED, OTHER_FORM])
def test_what_no_cutting_mends_is_neither_cut_nor_given_up(talk: Talk, reason: str) -> None:
    talk.source.add(LIVE, 1, 20)
    sends = talk.connect()
    talk.answer_hello()
    talk.refuse(sends[-1], reason)
    assert talk.poll() == []
    assert talk.source.refused == []
    assert sent(talk.poll(HELLO_INTERVAL_MS)) == [("a", 1, 20)]


def test_an_older_hub_beside_a_newer_one_costs_no_event(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 1)
    talk.connect()
    talk.answer_hello()
    for _ in range(40):
        for send in talk.until_due():
            if send.channel == "events":
                talk.refuse(send, OTHER_FORM)
    assert talk.source.refused == []


def test_a_refusal_of_bytes_that_are_not_on_their_way_says_nothing(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 2)
    talk.connect()
    talk.receive(Receipt(hub_time=1, refused=[Refusal(sha256="f" * 64, reason="invalid")]))
    assert talk.poll() == []


def test_cuts_survive_silence_and_a_new_connection(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 4)
    talk.refuse(talk.connect()[-1])
    halves = talk.poll()
    assert sent(halves) == [("a", 1, 2), ("a", 3, 4)]
    assert sorted(sent(talk.poll(5_001))) == sent(halves)
    talk.uplink.disconnected()
    assert sorted(sent(talk.connect(OTHER_NONCE))) == sent(halves)


def test_what_was_evicted_meanwhile_is_not_waited_for(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 4)
    talk.refuse(talk.connect()[-1])
    talk.source.held[LIVE].remove(1, 4)
    assert talk.poll() == []
    assert talk.uplink.idle()
