"""The thread that carries: it owns the uplink and the connection, and lets one drive the other.

Everything that happens (connected, a receipt, a commit, the end) comes in through one queue, so the uplink is used by
this thread alone. Between connections it waits longer each time, with jitter, and goes through the list of brokers.
"""

from __future__ import annotations

import logging
import queue
import random
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, NamedTuple

from contract import codec
from contract.errors import ContractError
from contract.ranges import RangeSet
from contract.receipt import Covered
from contract.status import Pending, Queue
from contract.topics import Channel
from edge_agent.clock import Clock
from edge_agent.mqtt import Broker, Link, LinkError
from edge_agent.outbox.errors import NotStored, OutboxError, OutboxFull
from edge_agent.outbox.outbox import SETTLE_INTERVAL_S, Outbox
from edge_agent.outbox.store import Stored
from edge_agent.uplink import Pace, Uplink, last_words

FIRST_PAUSE_S: Final = 1.0
MAX_PAUSE_S: Final = 30.0
LAST_BATCHES_S: Final = 3.0
"""How long a stopping agent tries to bring out what it still has; the rest stays in the outbox."""
log = logging.getLogger(__name__)


class _Ready(NamedTuple):
    link: int


class _Ended(NamedTuple):
    link: int
    why: str


class _Answer(NamedTuple):
    link: int
    data: bytes
    content_type: str


class _Say(NamedTuple):
    """A reply for the hub."""

    payload: codec.Payload


class _SendNow(NamedTuple):
    """Hello and whatever waits, whatever the pace."""


class _Wake(NamedTuple):
    """Something was committed, or the agent stops."""


class _Ways(NamedTuple):
    """From now on these."""

    brokers: Sequence[Broker]


_Input = _Ready | _Ended | _Answer | _Say | _SendNow | _Wake | _Ways


class _OutboxSource:
    """The outbox as the uplink sees it."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox, self._clock = outbox, clock

    @property
    def live_stream(self) -> str:
        return self._outbox.live_stream

    def streams(self) -> list[Pending]:
        return self._outbox.streams()

    def uncovered(self, stream: str) -> RangeSet:
        return self._outbox.uncovered(stream)

    def patient(self) -> RangeSet:
        return self._outbox.patient()

    def read(self, stream: str, spans: Iterable[tuple[int, int]], max_bytes: int, max_events: int) -> list[Stored]:
        return self._outbox.read(stream, spans, max_bytes, max_events)

    def cover(self, covered: Covered, *, hello: bool, hub_time_ms: int) -> None:
        self._outbox.cover(covered, hello=hello, hub_time_ms=hub_time_ms)

    def refuse(self, stream: str, seq: int) -> None:
        at_ms = self._clock.now_ms()
        time_ms, clock = self._clock.stamp(at_ms)
        log.error("event %d of stream %s is given up: the hub has refused it twice", seq, stream)
        try:
            self._outbox.declare_lost(stream, RangeSet.of([seq]), "refused", time_ms=time_ms, at_ms=at_ms, clock=clock)
        except (OutboxFull, NotStored) as error:
            log.error("it stays for now: %s", error)  # noqa: TRY400 - it will be refused, and given up, again


class Courier(threading.Thread):
    """Brings the outbox to the hub for as long as it runs."""

    def __init__(
        self,
        device: str,
        brokers: Sequence[Broker],
        outbox: Outbox,
        clock: Clock,
        *,
        version: str,
        faults: Callable[[], list[str]] = list,
        served: Callable[[Broker], None] = lambda _broker: None,
        config: Callable[[], int] = int,
        on_word: Callable[[Channel, bytes, str], None] | None = None,
    ) -> None:
        """`served` hears, in this thread, of each broker that has let us in.

        `on_word` takes what the hub says on `config` and `command`, in the connection's thread.
        """
        super().__init__(name="courier", daemon=True)
        self._served = served
        self._device, self._brokers, self._outbox, self._clock = device, brokers, outbox, clock
        self.session = secrets.token_hex(8)
        source = _OutboxSource(outbox, clock)
        self._uplink = Uplink(
            source,
            session=self.session,
            version=version,
            queue=self.queue,
            faults=faults,
            opening=lambda: outbox.opening,
            config=config,
        )
        self._on_word = on_word
        self._inputs: queue.SimpleQueue[_Input] = queue.SimpleQueue()
        self._link: Link | None = None
        self._broker = brokers[0]
        self._link_number = 0
        self._nonce = ""
        self._failures = 0
        self._connect_due_ms = self._connected_ms = 0
        self._settle_due_ms = self._seal_due_ms = 0
        self._sealing = False
        self._stop_by_ms: int | None = None
        self._left = False
        self._sent_bytes = self._received_bytes = self._line_bytes = 0
        self._hub_said: tuple[int, int] | None = None
        self._paused = threading.Event()
        self._busy_since: float | None = None
        self.connected = False
        self.last_error = ""
        self.receipt_ms: int | None = None
        """When the hub last answered, CLOCK_BOOTTIME."""
        self.answered = False
        """The hub has answered on this connection."""
        self.since_ms = clock.now_ms()
        """Since when `answered` is as it is."""
        self.failure: BaseException | None = None

    # -- from other threads --------------------------------------------------------------------------------------

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._inputs.put(_Wake())

    def use(self, brokers: Sequence[Broker]) -> None:
        """Leave the present broker and go to these instead: there is a new certificate to show."""
        self._inputs.put(_Ways(brokers))

    def stop(self) -> None:
        """Bring out what can be brought out within a few seconds, say goodbye, and end."""
        self._stop_by_ms = self._clock.now_ms() + int(LAST_BATCHES_S * 1000)
        self.wake()

    def leave(self) -> None:
        """Do not wait for its end any longer: the outbox closes, and what it still does with that is no failure."""
        self._left = True

    def set_offline(self, offline: bool) -> None:  # noqa: FBT001 - a state, told apart by its name
        """Leave the broker, and stay away until told otherwise: a link that is down, without one being cut."""
        (self._paused.set if offline else self._paused.clear)()
        self.wake()

    @property
    def online(self) -> bool:
        """Connected, and the hub has answered on this connection."""
        link = self._link
        return self.connected and link is not None and link.bytes_received > 0

    def busy_s(self) -> float:
        """For how long it has worked since it last waited for something to do; 0 while it waits, or has ended."""
        since = self._busy_since
        return time.monotonic() - since if since is not None else 0.0

    def queue(self) -> Queue:
        """How much waits in the outbox."""
        return self._outbox.queue(self._clock.stamp(self._clock.now_ms()).time_ms)

    def traffic(self) -> tuple[int, int]:
        """Payload bytes sent and received since the start."""
        link = self._link
        sent, received = (link.bytes_sent, link.bytes_received) if link is not None else (0, 0)
        return self._sent_bytes + sent, self._received_bytes + received

    def line_bytes(self) -> int:
        """Bytes on the line since the start, both ways, with everything below our messages."""
        link = self._link
        return self._line_bytes + (link.line_bytes() if link is not None else 0)

    def set_pace(self, pace: Pace) -> None:
        """From now on; what is due already comes when it was due."""
        self._uplink.pace = pace

    def reply(self, payload: codec.Payload) -> None:
        """Publish on `reply`; lost without a connection: the hub asks again."""
        self._inputs.put(_Say(payload))

    def send_now(self) -> None:
        """Say hello and bring what waits, whatever the pace."""
        self._inputs.put(_SendNow())

    def hub_time_ms(self) -> int | None:
        """The earliest that the hub's time can be, by its latest receipt; None before the first."""
        said = self._hub_said
        return None if said is None else said[0] + self._clock.now_ms() - said[1]

    # -- the thread ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """What ends it but `stop` is a bug or a dead disk: it is kept in `failure`, and the agent ends."""
        self._busy_since = time.monotonic()
        try:
            while not self._done():
                self._step()
            self._say_goodbye()
        except (sqlite3.Error, OutboxError) as error:
            if self._left:
                log.debug("ended after the outbox: %s", error)
                return
            self.failure = error
            self._outbox.suspect(error)
            log.critical("the outbox cannot be read any more: %s", error)
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self._drop_link()
            self._busy_since = None

    def _step(self) -> None:
        now_ms = self._clock.now_ms()
        if self._paused.is_set():
            self._drop_link()
        elif self._link is None and now_ms >= self._connect_due_ms and self._stop_by_ms is None:
            self._connect()
        elif self._link is not None and not self.connected and now_ms >= self._connect_due_ms:
            self._lost("the broker does not answer")
        self._seal(now_ms)
        self._send(now_ms)
        self._settle(now_ms)
        for item in self._take(self._wait_s(now_ms)):
            self._take_in(item)

    def _take(self, wait_s: float) -> list[_Input]:
        items: list[_Input] = []
        self._busy_since = None
        try:
            items.append(self._inputs.get(timeout=wait_s))
            while True:
                items.append(self._inputs.get_nowait())
        except queue.Empty:
            return items
        finally:
            self._busy_since = time.monotonic()

    def _wait_s(self, now_ms: int) -> float:
        due = self._uplink.next_due_ms()
        if due is None:
            due = now_ms + 5_000 if self._paused.is_set() else self._connect_due_ms
        if self._stop_by_ms is not None:
            due = min(due, self._stop_by_ms, now_ms + 100)
        if self._sealing:
            due = now_ms
        return max(0.0, min(due - now_ms, 60_000) / 1000)

    def _take_in(self, item: _Input) -> None:  # not `_handle`: from Python 3.13 on that is Thread's own
        if isinstance(item, _Ways):
            self._brokers, self._failures, self._connect_due_ms = item.brokers, 0, self._clock.now_ms()
            self._drop_link()
            return
        if isinstance(item, _Wake):
            return
        if isinstance(item, _SendNow):
            self._uplink.send_now(self._clock.now_ms())
            return
        if isinstance(item, _Say):
            self._say(item.payload)
            return
        if item.link != self._link_number:
            return
        if isinstance(item, _Ready):
            self.connected = True
            self._served(self._broker)
            self._connected_ms = self._connect_due_ms = self._clock.now_ms()
            log.info("connected")
            self._uplink.connected(self._nonce, self._connected_ms)
        elif isinstance(item, _Answer):
            self._receive(item)
        else:
            self._lost(item.why)

    def _say(self, payload: codec.Payload) -> None:
        if self._link is not None and self.connected:
            self._link.publish("reply", payload)

    def _receive(self, answer: _Answer) -> None:
        now_ms = self._clock.now_ms()
        try:
            receipt = codec.decode_receipt(answer.data, answer.content_type)
        except ContractError as error:
            log.warning("a receipt that is none: %s", error)
            return
        self._hub_said = (receipt.hub_time, now_ms)
        sent_ms = self._uplink.received(receipt, now_ms)
        if receipt.nonce == self._nonce:
            self.receipt_ms = now_ms
            self._note_answered(answered=True, now_ms=now_ms)
        if sent_ms is not None:
            self._clock.learn(receipt.hub_time, sent_ms, now_ms)

    def _send(self, now_ms: int) -> None:
        link = self._link
        if link is not None and self.connected:
            for send in self._uplink.poll(now_ms):
                link.publish(send.channel, send.payload)

    def _seal(self, now_ms: int) -> None:
        """Give events that waited for the time theirs, a portion each step: receipts and events come between."""
        self._sealing = False
        if now_ms < self._seal_due_ms or not self._outbox.has_unsealed() or not self._clock.certain():
            return
        try:
            self._sealing = self._outbox.seal(self._clock.repaired_ms) > 0
        except (OutboxFull, NotStored) as error:
            self._seal_due_ms = now_ms + SETTLE_INTERVAL_S * 1000
            log.error("events that wait for their time go on waiting: %s", error)  # noqa: TRY400 - tried again

    def _settle(self, now_ms: int) -> None:
        """Now and then save what is covered and let go of what is past its grace; only where the time is known."""
        stamp = self._clock.stamp(now_ms)
        if now_ms >= self._settle_due_ms and stamp.clock == "synced":
            self._settle_due_ms = now_ms + SETTLE_INTERVAL_S * 1000
            try:
                self._outbox.settle(stamp.time_ms)
            except (OutboxFull, NotStored) as error:
                log.error("what the hub has cannot be noted now: %s", error)  # noqa: TRY400 - the next hello tells it

    # -- connections -------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        broker = self._broker = self._brokers[self._failures % len(self._brokers)]
        self._nonce = secrets.token_hex(8)
        self._link_number += 1
        number = self._link_number
        self._link = Link(
            self._device,
            broker,
            codec.encode_status(last_words(self.session, self._nonce, "lost")),
            on_ready=lambda: self._inputs.put(_Ready(number)),
            on_receipt=lambda data, content_type: self._inputs.put(_Answer(number, data, content_type)),
            on_end=lambda why: self._inputs.put(_Ended(number, why)),
            on_word=self._on_word,
        )
        try:
            self._link.open()
        except LinkError as error:
            self._lost(str(error))
        else:
            self._connect_due_ms = self._clock.now_ms() + int(MAX_PAUSE_S * 1000)

    def _lost(self, why: str) -> None:
        if self.connected or why != self.last_error:
            log.warning("no connection: %s", why)
        if self.connected and self._clock.now_ms() - self._connected_ms >= MAX_PAUSE_S * 1000:
            self._failures = 0  # not after a short one: two clones would throw each other out without a pause
        self.last_error = why
        self._drop_link()
        pause_s = min(MAX_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._failures, 10))
        self._failures += 1
        self._connect_due_ms = self._clock.now_ms() + int(pause_s * random.uniform(500, 1_000))  # noqa: S311 - jitter

    def _note_answered(self, *, answered: bool, now_ms: int) -> None:
        if answered != self.answered:
            self.answered, self.since_ms = answered, now_ms

    def _drop_link(self, *, last_words: bool = True) -> None:
        self._note_answered(answered=False, now_ms=self._clock.now_ms())
        link, self._link = self._link, None
        self.connected = False
        self._link_number += 1
        self._uplink.disconnected()
        if link is not None:
            self._sent_bytes += link.bytes_sent
            self._received_bytes += link.bytes_received
            link.close(last_words=last_words)
            self._line_bytes += link.line_bytes()

    # -- the end -------------------------------------------------------------------------------------------------------

    def _done(self) -> bool:
        if self._stop_by_ms is None:
            return False
        self._uplink.flush()
        if not self.connected or self._clock.now_ms() >= self._stop_by_ms:
            return True
        return self._uplink.idle() and not self._outbox.has_unsealed()

    def _say_goodbye(self) -> None:
        reason: Literal["stop"] = "stop"
        goodbye = self._uplink.goodbye(reason)
        if goodbye is not None and self._link is not None and self.connected:
            self._link.publish(goodbye.channel, goodbye.payload)
            self._drop_link(last_words=False)
