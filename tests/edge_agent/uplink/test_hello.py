"""What an agent says of itself: hello, alive, goodbye."""

from __future__ import annotations

from itertools import pairwise

import pytest

from contract.limits import MAX_HELLO_STREAMS
from contract.receipt import Covered, Receipt
from contract.status import Alive, Hello, Pending
from edge_agent.uplink import ALIVE_INTERVAL_MS, HELLO_INTERVAL_MS, last_words
from tests.edge_agent.uplink.talk import LIVE, NONCE, OLD, SESSION, Talk, sent, statuses


def test_nothing_is_said_without_a_connection(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 9)
    assert talk.poll() == []
    assert talk.uplink.next_due_ms() is None
    assert talk.uplink.goodbye("stop") is None
    talk.connect()
    talk.uplink.disconnected()
    assert talk.poll(10**9) == []


def test_hello_comes_first_and_names_what_is_held(talk: Talk) -> None:
    talk.source.add(OLD, 3, 9)
    talk.source.add(LIVE, 1, 5)
    sends = talk.connect()
    assert statuses(sends) == [
        Hello(
            session=SESSION,
            nonce=NONCE,
            version="1.2",
            streams=[Pending(stream=OLD, low=3, high=9), Pending(stream=LIVE, low=1, high=5)],
            queue=talk.queue,
        )
    ]
    assert sends[0].channel == "status"


def test_hello_is_said_every_ten_minutes_and_alive_every_minute(talk: Talk) -> None:
    talk.connect()
    said: list[tuple[int, str]] = []
    began = talk.now_ms
    while talk.now_ms < began + 2 * HELLO_INTERVAL_MS:
        said += [(talk.now_ms - began, type(status).__name__) for status in statuses(talk.until_due())]
    assert [at for at, name in said if name == "Hello"] == [HELLO_INTERVAL_MS, 2 * HELLO_INTERVAL_MS]
    times = [0, *(at for at, _ in said)]
    assert {after - before for before, after in pairwise(times)} == {ALIVE_INTERVAL_MS}


def test_alive_tells_of_the_queue_and_of_a_bounded_list_of_faults(talk: Talk) -> None:
    talk.connect()
    alive = statuses(talk.poll(ALIVE_INTERVAL_MS))[0]
    assert isinstance(alive, Alive)
    assert (alive.queue, alive.session, alive.nonce) == (talk.queue, SESSION, NONCE)
    assert alive.faults == [f"fault_{at}" for at in range(32)]


@pytest.mark.parametrize("reason", ["stop", "lost"])
def test_goodbye(talk: Talk, reason: str) -> None:
    talk.connect()
    send = talk.uplink.goodbye(reason)  # type: ignore[arg-type]
    assert send is not None
    assert statuses([send]) == [last_words(SESSION, NONCE, reason)]  # type: ignore[arg-type]


def test_more_streams_than_a_page_holds_take_several(talk: Talk) -> None:
    names = [f"{at:032x}" for at in range(2 * MAX_HELLO_STREAMS + 1)]
    for name in names:
        talk.source.add(name, 1, 1)
    pages = [status for status in statuses(talk.connect()) if isinstance(status, Hello)]
    assert [len(page.streams) for page in pages] == [MAX_HELLO_STREAMS, MAX_HELLO_STREAMS, 1]
    assert [held.stream for page in pages for held in page.streams] == names
    page = [Covered(stream=name, low=1, high=1, committed=[(1, 1)]) for name in names[:MAX_HELLO_STREAMS]]
    talk.receive(Receipt(nonce=NONCE, hub_time=1, hello=True, streams=page))
    again = talk.until_due()
    assert len(statuses(again)) == 3, "a page whose answer is missing is asked again"
    talk.answer_hello(*page)
    assert [batch for batch in sent(talk.poll()) if batch[0] == "0"], "and what was answered is sent"
