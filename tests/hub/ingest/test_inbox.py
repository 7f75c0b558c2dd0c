"""The queue between brokers and writers: bounded, lingering, never blocking its producer."""

from __future__ import annotations

import threading
import time

from hub.ingest.inbox import GroupLimit, Inbox, writer_of
from tests.hub.ingest.making import Answers, batch, payload

MESSAGE = Answers().message(payload(batch([1])))
BYTES = len(MESSAGE.data)


def few(messages: int) -> GroupLimit:
    return GroupLimit(messages, 1_000_000)


def test_a_full_inbox_says_so_and_takes_no_more() -> None:
    inbox = Inbox(2)
    assert [inbox.put(MESSAGE) for _ in range(3)] == [True, True, False]
    assert len(inbox.take(0, few(10), 0)) == 2
    assert inbox.put(MESSAGE)


def test_take_returns_nothing_when_nothing_comes_and_at_most_so_many() -> None:
    inbox = Inbox(10)
    assert inbox.take(0.01, few(5), 0.01) == []
    for _ in range(7):
        inbox.put(MESSAGE)
    assert [len(inbox.take(0, few(5), 0)) for _ in range(2)] == [5, 2]


def test_a_group_has_so_many_bytes_but_one_message_always() -> None:
    inbox = Inbox(10)
    for _ in range(7):
        inbox.put(MESSAGE)
    assert [len(inbox.take(0, GroupLimit(9, room), 0)) for room in (3 * BYTES, 4 * BYTES - 1, 1)] == [3, 3, 1]
    assert len(inbox) == 0


def test_a_group_that_is_full_of_bytes_lingers_no_longer() -> None:
    inbox = Inbox(10)
    inbox.put(MESSAGE)
    began = time.monotonic()
    assert len(inbox.take(60, GroupLimit(9, BYTES), 0)) == 1
    assert time.monotonic() - began < 30


def test_closing_wakes_a_waiting_writer_and_keeps_what_is_left_for_it() -> None:
    inbox = Inbox(10)
    taken: list[int] = []
    writer = threading.Thread(target=lambda: taken.append(len(inbox.take(0, few(5), 60))))
    writer.start()
    inbox.close()
    writer.join(30)
    assert taken == [0]
    assert not inbox.put(MESSAGE)


def test_a_device_always_has_the_same_writer_and_all_writers_have_devices() -> None:
    names = [f"bg-20-cma-k{number}" for number in range(100)]
    assert {writer_of(name, 4) for name in names} == {0, 1, 2, 3}
    assert [writer_of(name, 4) for name in names] == [writer_of(name, 4) for name in names]
