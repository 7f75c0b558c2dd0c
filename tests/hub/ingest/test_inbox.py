"""The queue between brokers and writers: bounded, lingering, never blocking its producer."""

from __future__ import annotations

import threading

from hub.ingest.inbox import Inbox, writer_of
from tests.hub.ingest.making import Answers, batch, payload

MESSAGE = Answers().message(payload(batch([1])))


def test_a_full_inbox_says_so_and_takes_no_more() -> None:
    inbox = Inbox(2)
    assert [inbox.put(MESSAGE) for _ in range(3)] == [True, True, False]
    assert len(inbox.take(0, 10, 0)) == 2
    assert inbox.put(MESSAGE)


def test_take_returns_nothing_when_nothing_comes_and_at_most_so_many() -> None:
    inbox = Inbox(10)
    assert inbox.take(0.01, 5, 0.01) == []
    for _ in range(7):
        inbox.put(MESSAGE)
    assert [len(inbox.take(0, 5, 0)) for _ in range(2)] == [5, 2]


def test_closing_wakes_a_waiting_writer_and_keeps_what_is_left_for_it() -> None:
    inbox = Inbox(10)
    taken: list[int] = []
    writer = threading.Thread(target=lambda: taken.append(len(inbox.take(0, 5, 60))))
    writer.start()
    inbox.close()
    writer.join(30)
    assert taken == [0]
    assert not inbox.put(MESSAGE)


def test_a_device_always_has_the_same_writer_and_all_writers_have_devices() -> None:
    names = [f"bg-20-cma-k{number}" for number in range(100)]
    assert {writer_of(name, 4) for name in names} == {0, 1, 2, 3}
    assert [writer_of(name, 4) for name in names] == [writer_of(name, 4) for name in names]
