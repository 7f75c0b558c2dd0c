"""A pace that is set: how often something is said, and events that wait for company."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract.status import Hello
from edge_agent.uplink import COMPANY_MS, Pace
from tests.edge_agent.uplink.talk import LIVE, Talk, batches, statuses

SLOW = Pace(alive_ms=60_000, hello_ms=1_800_000, linger_ms=60_000)


def test_a_slower_pace_is_kept(talk: Talk) -> None:
    talk.uplink.pace = SLOW
    talk.connect()
    began, said = talk.now_ms, list[str]()
    while talk.now_ms < began + SLOW.hello_ms:
        said += [type(status).__name__ for status in statuses(talk.until_due())]
    assert said == ["Alive"] * 29 + ["Hello"]


def test_the_first_event_after_a_rest_goes_at_once_and_the_next_ones_wait_for_company(talk: Talk) -> None:
    talk.uplink.pace = SLOW
    talk.connect()
    talk.source.add(LIVE, 1, 1)
    first = talk.poll()
    assert [len(batch.events) for batch in batches(first)] == [1]
    talk.commit(*first)
    talk.poll()
    talk.source.add(LIVE, 2, 3)
    assert talk.poll() == []
    talk.source.add(LIVE, 4, 9)
    assert batches(talk.poll(30_000)) == []
    due = talk.uplink.next_due_ms()
    assert due is not None
    sends = talk.poll(due - talk.now_ms)
    while not batches(sends):
        sends = talk.until_due()
    assert [event.seq for batch in batches(sends) for event in batch.events] == list(range(2, 10))


def test_a_backlog_goes_in_one_piece_however_many_batches_it_takes(talk: Talk) -> None:
    talk.uplink.pace = SLOW
    talk.connect()
    talk.source.add(LIVE, 1, 200)
    sent = 0
    sends = talk.poll()
    while found := batches(sends):
        sent += len(found)
        talk.commit(*sends)
        sends = talk.poll()
    assert sent == 10


def test_send_now_says_hello_and_ends_the_waiting(talk: Talk) -> None:
    talk.uplink.pace = SLOW
    talk.connect()
    talk.source.add(LIVE, 1, 1)
    talk.commit(*talk.poll())
    talk.poll()
    talk.source.add(LIVE, 2, 2)
    assert talk.poll() == []
    talk.uplink.send_now(talk.now_ms)
    sends = talk.poll()
    assert [type(status) for status in statuses(sends)] == [Hello]
    assert [event.seq for batch in batches(sends) for event in batch.events] == [2]


def test_a_hello_tells_the_configuration_in_force(talk: Talk) -> None:
    talk.uplink._config = lambda: 7
    (hello,) = statuses(talk.connect())
    assert isinstance(hello, Hello)
    assert hello.config == 7


def test_what_nobody_waits_for_travels_with_what_is_sent(talk: Talk) -> None:
    talk.connect()
    talk.source.nobody_waits_for.add(1, 1)
    talk.source.add(LIVE, 1, 1)
    assert talk.poll() == []
    talk.source.add(LIVE, 2, 2)
    sends = talk.poll(1_000)
    assert [event.seq for batch in batches(sends) for event in batch.events] == [1, 2]


def test_what_nobody_waits_for_goes_by_itself_in_the_end(talk: Talk) -> None:
    talk.connect()
    talk.source.nobody_waits_for.add(1, 9)
    for seq in (1, 2, 3):
        talk.source.add(LIVE, seq, seq)
        began = talk.now_ms
        assert batches(talk.poll()) == []
        while not (found := batches(sends := talk.until_due())):
            assert talk.now_ms < began + COMPANY_MS
        assert talk.now_ms == began + COMPANY_MS
        assert [event.seq for batch in found for event in batch.events] == [seq]
        talk.commit(*sends)


@pytest.mark.parametrize("hurry", [lambda talk: talk.uplink.flush(), lambda talk: talk.uplink.send_now(talk.now_ms)])
def test_at_the_end_and_on_demand_nothing_waits(talk: Talk, hurry: Callable[[Talk], None]) -> None:
    talk.connect()
    talk.source.nobody_waits_for.add(1, 1)
    talk.source.add(LIVE, 1, 1)
    assert batches(talk.poll()) == []
    hurry(talk)
    assert len(batches(talk.poll())) == 1
