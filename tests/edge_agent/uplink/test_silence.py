"""A hub that does not answer."""

from __future__ import annotations

from itertools import pairwise

from contract.status import Hello
from edge_agent.uplink import FIRST_RESEND_MS, MAX_RESEND_MS, WINDOW
from tests.edge_agent.uplink.talk import LIVE, Talk, sent, statuses


def test_what_is_not_answered_is_sent_again_after_2_to_5_s(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 5)
    first = talk.connect()
    assert sent(talk.poll(FIRST_RESEND_MS[0] - 1)) == []
    again = talk.poll(FIRST_RESEND_MS[1] - FIRST_RESEND_MS[0] + 1)
    assert sent(again) == sent(first)


def test_after_two_silences_a_hello_asks_and_nothing_else_is_sent(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 500)
    talk.connect()
    assert len(sent(talk.poll(5_001))) == WINDOW // 2, "a smaller window after a silence"
    asking = talk.poll(10_001)
    assert sent(asking) == []
    assert isinstance(statuses(asking)[0], Hello)
    for _ in range(20):
        assert sent(talk.until_due()) == []
    talk.answer_hello()
    assert len(sent(talk.poll())) == 1


def test_asking_becomes_more_and_more_patient(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 500)
    talk.connect()
    talk.poll(5_001)
    talk.poll(10_001)
    asked: list[int] = [talk.now_ms]
    while len(asked) < 12:
        asked += [talk.now_ms for status in statuses(talk.until_due()) if isinstance(status, Hello)]
    pauses = [after - before for before, after in pairwise(asked)]
    assert FIRST_RESEND_MS[0] <= pauses[0] <= FIRST_RESEND_MS[1]
    assert all(8 * FIRST_RESEND_MS[0] <= pause <= 8 * FIRST_RESEND_MS[1] for pause in pauses[3:])
    assert len(set(pauses[3:])) > 1, "without jitter all kiosks would ask at once"


def test_a_hub_that_answers_hellos_and_commits_nothing_is_not_stormed(talk: Talk) -> None:
    """A full queue, or a database that is away: the hellos' answers must not begin the hurry anew."""
    talk.source.add(LIVE, 1, 100_000)
    began = talk.now_ms
    count = len(sent(talk.connect()))
    while talk.now_ms < began + 3_600_000:
        sends = talk.until_due()
        count += len(sent(sends))
        if any(isinstance(status, Hello) for status in statuses(sends)):
            talk.answer_hello()
            count += len(sent(talk.poll()))
    assert count < 130, f"{count} batches in an hour"
    sends = talk.poll(MAX_RESEND_MS)
    talk.answer_hello()
    talk.commit(*[*sends, *talk.poll()])
    assert len(sent(talk.poll())) == WINDOW, "one that lands opens the window again"


def test_patience_is_bounded_and_differs_between_kiosks(talk: Talk) -> None:
    waits = set()
    for _ in range(3):
        talk.uplink._silences = 30
        waits |= {talk.uplink._patience_ms() for _ in range(20)}
    assert all(MAX_RESEND_MS * 3 // 4 <= wait <= MAX_RESEND_MS for wait in waits)
    assert len(waits) > 10


def test_a_slow_way_is_given_more_time(talk: Talk) -> None:
    for seq in range(1, 30):
        talk.source.add(LIVE, seq, seq)
        sends = talk.connect() if seq == 1 else talk.poll()
        talk.now_ms += 1_900
        talk.commit(*sends)
    assert talk.uplink._patience_ms() >= 4 * 1_500
