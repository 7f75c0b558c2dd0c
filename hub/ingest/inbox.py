"""Between the broker's threads and the writers: one bounded queue a writer, chosen by device.

A full queue discards, and counts it: PUBACK means nothing here, the agent sends again until a receipt covers
its events. So the thread that reads from the broker never blocks, and memory is bounded.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from contract.topics import Channel


class Message(NamedTuple):
    """An MQTT message, the broker it came from, and the way to answer its device."""

    device: str
    channel: Channel
    data: bytes
    content_type: str
    broker: str
    answer: Callable[[str, bytes, str], None]
    """Called with device, payload and content type; publishes on the device's receipt topic."""
    heard_ms: int = 0
    """When it came in, Unix ms; 0: as it is taken."""


class GroupLimit(NamedTuple):
    """The most that is committed together. A message is always taken, however large it is."""

    messages: int
    payload_bytes: int
    """Bounds how long a commit takes: a message holds from one to thousands of events."""


class Inbox:
    """The queue of one writer. `put` is called by the brokers' threads, `take` by the writer alone."""

    def __init__(self, most_messages: int) -> None:
        self._most = most_messages
        self._messages: deque[Message] = deque()
        self._ready = threading.Condition()
        self._bytes = 0
        self._closed = False
        self._waits_since = 0.0
        """When the oldest message came in, on the monotonic clock."""

    def put(self, message: Message) -> bool:
        """Whether there was room."""
        with self._ready:
            if self._closed or len(self._messages) >= self._most:
                return False
            self._messages.append(message)
            self._bytes += len(message.data)
            if len(self._messages) == 1:
                self._waits_since = time.monotonic()
                self._ready.notify()
            return True

    def take(self, linger_s: float, most: GroupLimit, timeout_s: float) -> list[Message]:
        """Wait for a message, linger for more, and take up to `most`; nothing after `timeout_s` or when closed.

        One commit for all that comes within the linger costs the database and this process far less than one for each.
        It counts from the arrival of the oldest: what waited for the commit before has lingered long enough.
        """
        with self._ready:
            if not self._messages and not self._closed:
                self._ready.wait(timeout_s)
            if not self._messages:
                return []
        deadline = self._waits_since + linger_s
        while self._has_room(most) and not self._closed and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, linger_s / 2))
        with self._ready:
            return self._pop(most)

    def clear(self) -> int:
        """Discard everything; how much that was."""
        with self._ready:
            count = len(self._messages)
            self._messages.clear()
            self._bytes = 0
            return count

    def close(self) -> None:
        """Take no more in, and let `take` return what is left."""
        with self._ready:
            self._closed = True
            self._ready.notify()

    def __len__(self) -> int:
        return len(self._messages)

    def _has_room(self, most: GroupLimit) -> bool:
        return len(self._messages) < most.messages and self._bytes < most.payload_bytes

    def _pop(self, most: GroupLimit) -> list[Message]:
        taken: list[Message] = []
        room = most.payload_bytes
        while self._messages and len(taken) < most.messages and (not taken or len(self._messages[0].data) <= room):
            taken.append(self._messages.popleft())
            room -= len(taken[-1].data)
            self._bytes -= len(taken[-1].data)
        return taken


def writer_of(device: str, writers: int) -> int:
    """Which of so many writers a device belongs to, so that its batches stay in order."""
    return zlib.crc32(device.encode()) % writers
