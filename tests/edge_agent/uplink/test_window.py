"""What is sent first, and how much of it at once."""

from __future__ import annotations

from contract.receipt import Covered
from edge_agent.uplink import ALIVE_INTERVAL_MS, WINDOW
from tests.edge_agent.uplink.talk import LIVE, NONCE, OLD, Talk, batches, sent


def test_a_few_batches_are_in_flight_and_no_more(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 1_000)
    first = talk.connect()
    assert sent(first) == [("a", 1, 20), ("a", 21, 40), ("a", 41, 60), ("a", 61, 80)]
    assert len(sent(first)) == WINDOW
    assert talk.poll() == []
    talk.commit(first[2])
    assert sent(talk.poll()) == [("a", 81, 100)]


def test_everything_is_sent_once_and_then_there_is_peace(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 150)
    sends = talk.connect()
    seen: list[tuple[str, int, int]] = []
    while sent(sends):
        seen += sent(sends)
        talk.commit(*sends)
        sends = talk.poll()
    assert [span[1] for span in seen] == list(range(1, 150, 20))
    assert talk.uplink.idle()
    assert talk.poll(ALIVE_INTERVAL_MS - 1) == []


def test_only_the_stream_that_is_appended_to_is_live(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 1)
    talk.source.add(OLD, 1, 1)
    sends = talk.connect()
    talk.answer_hello()
    sends += talk.poll()
    assert {batch.stream: (batch.live, batch.nonce) for batch in batches(sends)} == {
        LIVE: (True, NONCE),
        OLD: (False, NONCE),
    }


def test_an_old_stream_waits_for_the_hellos_answer_and_the_live_one_does_not(talk: Talk) -> None:
    talk.source.add(OLD, 1, 50)
    talk.source.add(LIVE, 1, 1)
    assert sent(talk.connect()) == [("a", 1, 1)]
    assert sent(talk.poll(1_000)) == []
    talk.answer_hello(Covered(stream=OLD, low=1, high=50, committed=[(1, 45)]))
    assert sent(talk.poll()) == [("b", 46, 50)]


def test_a_stream_that_was_live_in_this_run_needs_no_answer(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 2)
    talk.commit(*talk.connect())
    talk.source.add(LIVE, 3, 4)
    talk.source.live_stream = OLD  # a write failed: the outbox began another stream
    talk.source.add(OLD, 1, 1)
    assert sent(talk.poll()) == [("b", 1, 1), ("a", 3, 4)]


def test_a_large_backlog_never_keeps_the_present_waiting(talk: Talk) -> None:
    talk.source.add(OLD, 1, 100_000)
    talk.connect()
    talk.answer_hello()
    backlog = talk.poll()
    assert len(sent(backlog)) == WINDOW - 1, "one place is kept free"
    talk.source.add(LIVE, 1, 1)
    assert sent(talk.poll()) == [("a", 1, 1)]
    talk.commit(backlog[0])
    talk.source.add(LIVE, 2, 2)
    assert sent(talk.poll()) == [("a", 2, 2)]


def test_a_busy_present_does_not_starve_the_backlog(talk: Talk) -> None:
    talk.source.add(OLD, 1, 200)
    sends = talk.connect()
    talk.answer_hello()
    for seq in range(1, 40):
        talk.source.add(LIVE, seq, seq)
        sends = [*sends, *talk.poll(100)]
        talk.commit(*sends)
        sends = []
    assert not talk.source.uncovered(OLD)
    assert not talk.source.uncovered(LIVE)
