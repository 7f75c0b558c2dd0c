"""The agent's end of the stream protocol, without I/O.

Inputs are calls that carry the time (`now_ms`, any clock that only rises); outputs are messages to send. `Uplink`
decides what goes out next: a hello on connecting and every ten minutes, a few batches in flight, again after silence
with growing patience, smaller after a refusal. What the hub holds is the outbox's business (`Source.cover`).

A stream of an earlier opening waits for the hub's answer to the hello before anything of it is sent, since most of it
may be there already; the stream of this opening need not wait.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, NamedTuple, Protocol

from contract import codec
from contract.codec import Payload
from contract.limits import MAX_HELLO_STREAMS
from contract.ranges import RangeSet
from contract.receipt import Covered, Receipt
from contract.status import Alive as AliveStatus
from contract.status import AnyStatus, Goodbye, Hello, Pending, Queue
from edge_agent.outbox.store import Stored

FIRST_RESEND_MS: Final = (2_000, 5_000)
MAX_RESEND_MS: Final = 60_000
SILENCES_BEFORE_ASKING: Final = 2
HELLO_INTERVAL_MS: Final = 600_000
ALIVE_INTERVAL_MS: Final = 30_000
WINDOW: Final = 4
BATCH_BYTES: Final = 48 * 1024
BATCH_EVENTS: Final = 1_000
REFUSALS_BEFORE_LOSS: Final = 2


class Source(Protocol):
    """What the uplink needs of an outbox."""

    @property
    def live_stream(self) -> str:
        """The stream that is being appended to."""

    def streams(self) -> list[Pending]:
        """Every stream of which events are held."""

    def uncovered(self, stream: str) -> RangeSet:
        """Numbers held that the hub is not known to have."""

    def read(self, stream: str, spans: Iterable[tuple[int, int]], max_bytes: int, max_events: int) -> list[Stored]:
        """Events of `spans` within the limits, at least one."""

    def cover(self, covered: Covered, *, hello: bool, hub_time_ms: int) -> None:
        """Take a receipt's word."""

    def refuse(self, stream: str, seq: int) -> None:
        """Declare one event lost because the hub cannot take it."""


class Send(NamedTuple):
    """A message to publish on a channel of this device."""

    channel: Literal["events", "status"]
    payload: Payload


class _Cut(NamedTuple):
    """Numbers that must travel as a batch of their own, because a larger batch with them was refused."""

    stream: str
    numbers: RangeSet


class _Flight(NamedTuple):
    """A batch that was sent and not answered yet."""

    stream: str
    numbers: RangeSet
    sha256: str
    sent_ms: int
    due_ms: int
    forced: bool


class Uplink:
    """One run of an agent. Not thread-safe: one thread owns it."""

    def __init__(
        self,
        source: Source,
        *,
        session: str,
        version: str,
        queue: Callable[[], Queue] = Queue,
        faults: Callable[[], list[str]] = list,
        rng: random.Random | None = None,
    ) -> None:
        """`queue` and `faults` are asked when a status message is due; `faults` gives codes of what does not work."""
        self._source, self._queue, self._faults = source, queue, faults
        self._session, self._version = session, version
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not secrecy
        self._nonce: str | None = None
        self._flights: list[_Flight] = []
        self._cuts: deque[_Cut] = deque()
        self._strikes: dict[tuple[str, int], int] = {}
        self._answered: set[str] = set()
        self._silences = 0
        self._rtt_ms = 0
        self._hello_due_ms = self._alive_due_ms = 0
        self.ignored_receipts = 0

    # -- inputs ----------------------------------------------------------------------------------------------

    def connected(self, nonce: str, now_ms: int) -> None:
        """A connection is up; `nonce` is new for it."""
        self._nonce = nonce
        self._forget_flights()
        self._hello_due_ms = now_ms
        self._alive_due_ms = now_ms + ALIVE_INTERVAL_MS

    def disconnected(self) -> None:
        """The connection is gone, and whatever was on its way with it."""
        self._nonce = None
        self._forget_flights()

    def received(self, receipt: Receipt, now_ms: int) -> int | None:
        """Take a receipt. Returns when the batch that it completed was sent, if it completed one."""
        for refusal in receipt.refused:  # names the bytes themselves, so it needs no nonce
            self._refused(refusal.sha256)
        if receipt.nonce != self._nonce:
            self.ignored_receipts += bool(receipt.nonce)
            return None
        for covered in receipt.streams:
            self._source.cover(covered, hello=receipt.hello, hub_time_ms=receipt.hub_time)
            if receipt.hello:
                self._answered.add(covered.stream)
        if receipt.hello:
            self._silences = min(self._silences, SILENCES_BEFORE_ASKING - 1)
        return self._land(now_ms)

    # -- outputs ---------------------------------------------------------------------------------------------

    def poll(self, now_ms: int) -> list[Send]:
        """Everything that is to be sent now."""
        if self._nonce is None:
            return []
        self._give_up_overdue(now_ms)
        sends = self._say_hello(now_ms) or self._say_alive(now_ms)
        while len(self._flights) < self._window():
            batch = self._next_batch(now_ms)
            if batch is None:
                break
            sends.append(Send("events", batch))
        return sends

    def next_due_ms(self) -> int | None:
        """When `poll` has something to do though nothing comes in; None while there is no connection."""
        if self._nonce is None:
            return None
        return min(self._hello_due_ms, self._alive_due_ms, *(flight.due_ms for flight in self._flights))

    def goodbye(self, reason: Literal["stop", "lost"]) -> Send | None:
        """The last word of this connection; also what the broker is given to say in our place."""
        return None if self._nonce is None else self._status(last_words(self._session, self._nonce, reason))

    def idle(self) -> bool:
        """Nothing is in flight and nothing waits."""
        return not self._flights and not any(self._source.uncovered(held.stream) for held in self._source.streams())

    # -- hello -----------------------------------------------------------------------------------------------

    def _say_hello(self, now_ms: int) -> list[Send]:
        if now_ms < self._hello_due_ms:
            return []
        held = self._source.streams()
        self._hello_due_ms = now_ms + self._hello_pause_ms(held)
        self._alive_due_ms = now_ms + ALIVE_INTERVAL_MS
        pages = [held[at : at + MAX_HELLO_STREAMS] for at in range(0, len(held), MAX_HELLO_STREAMS)] or [[]]
        return [self._status(self._hello(page)) for page in pages]

    def _hello_pause_ms(self, held: Sequence[Pending]) -> int:
        """A hello without whose answer nothing can be sent is said again soon, then more and more patiently."""
        if self._silences >= SILENCES_BEFORE_ASKING:
            self._silences += 1
        elif all(self._may_send(pending.stream) for pending in held):
            return HELLO_INTERVAL_MS
        else:
            self._silences = SILENCES_BEFORE_ASKING
        return self._rng.randint(*FIRST_RESEND_MS) << min(self._silences - SILENCES_BEFORE_ASKING, 3)

    def _hello(self, page: Sequence[Pending]) -> Hello:
        nonce = self._nonce or ""
        return Hello(session=self._session, nonce=nonce, version=self._version, streams=list(page), queue=self._queue())

    def _say_alive(self, now_ms: int) -> list[Send]:
        if now_ms < self._alive_due_ms or self._nonce is None:
            return []
        self._alive_due_ms = now_ms + ALIVE_INTERVAL_MS
        alive = AliveStatus(session=self._session, nonce=self._nonce, queue=self._queue(), faults=self._faults()[:32])
        return [self._status(alive)]

    @staticmethod
    def _status(status: AnyStatus) -> Send:
        return Send("status", codec.encode_status(status))

    # -- batches ---------------------------------------------------------------------------------------------

    def _window(self) -> int:
        """Batches that may be in flight: fewer after a silence; none after two, when a hello asks for the hub."""
        return 0 if self._silences >= SILENCES_BEFORE_ASKING else WINDOW >> self._silences

    def _may_send(self, stream: str) -> bool:
        if stream == self._source.live_stream:
            self._answered.add(stream)  # born in this run, so the hub can have none of it that we do not know of
        return stream in self._answered

    def _next_batch(self, now_ms: int) -> Payload | None:
        return self._forced_batch(now_ms) or self._ordinary_batch(now_ms)

    def _forced_batch(self, now_ms: int) -> Payload | None:
        while self._cuts:
            cut = self._cuts.popleft()
            wanted = cut.numbers.common(self._source.uncovered(cut.stream))
            stored = self._source.read(cut.stream, wanted, BATCH_BYTES, BATCH_EVENTS) if wanted else []
            if stored:
                return self._launch(cut.stream, stored, now_ms, forced=True)
        return None

    def _ordinary_batch(self, now_ms: int) -> Payload | None:
        live = self._source.live_stream
        for stream in [live, *(held.stream for held in self._source.streams() if held.stream != live)]:
            if not self._may_send(stream):
                continue
            wanted = self._source.uncovered(stream).minus(self._reserved(stream))
            stored = self._source.read(stream, wanted, BATCH_BYTES, BATCH_EVENTS) if wanted else []
            if stored:
                return self._launch(stream, stored, now_ms, forced=False)
        return None

    def _reserved(self, stream: str) -> RangeSet:
        """Numbers that are on their way, or wait to travel alone."""
        reserved = RangeSet()
        parts = [(flight.stream, flight.numbers) for flight in self._flights]
        for name, numbers in [*parts, *self._cuts]:
            if name == stream:
                reserved.update(numbers)
        return reserved

    def _launch(self, stream: str, stored: Sequence[Stored], now_ms: int, *, forced: bool) -> Payload:
        live = stream == self._source.live_stream
        bodies = [event.body for event in stored]
        payload = codec.encode_batch(stream, bodies, nonce=self._nonce or "", live=live)
        numbers = RangeSet.of(event.seq for event in stored)
        due_ms = now_ms + self._patience_ms()
        self._flights.append(_Flight(stream, numbers, payload.sha256(), now_ms, due_ms, forced))
        return payload

    def _patience_ms(self) -> int:
        first = self._rng.randint(*FIRST_RESEND_MS)
        return min(max(first, 4 * self._rtt_ms) << min(self._silences, 10), MAX_RESEND_MS)

    # -- answers ---------------------------------------------------------------------------------------------

    def _land(self, now_ms: int) -> int | None:
        """Take off the list what is covered now."""
        landed = [
            flight for flight in self._flights if not flight.numbers.common(self._source.uncovered(flight.stream))
        ]
        for flight in landed:
            self._flights.remove(flight)
            self._strikes.pop((flight.stream, flight.numbers.spans()[0][0]), None)
        if not landed:
            return None
        self._silences = 0
        sent_ms = max(flight.sent_ms for flight in landed)
        self._rtt_ms = (7 * self._rtt_ms + now_ms - sent_ms) // 8 if self._rtt_ms else now_ms - sent_ms
        return sent_ms

    def _refused(self, sha256: str) -> None:
        """Cut a refused batch smaller; give a single event up when it was refused twice."""
        flight = next((flight for flight in self._flights if flight.sha256 == sha256), None)
        if flight is None:
            return
        self._flights.remove(flight)
        stream, numbers = flight.stream, flight.numbers
        first = numbers.spans()[0][0]
        head = numbers.head(numbers.count() // 2)
        if head:
            self._cuts.extend((_Cut(stream, head), _Cut(stream, numbers.minus(head))))
            return
        self._strikes[stream, first] = self._strikes.get((stream, first), 0) + 1
        if self._strikes[stream, first] < REFUSALS_BEFORE_LOSS:
            self._cuts.append(_Cut(stream, numbers))
        else:
            del self._strikes[stream, first]
            self._source.refuse(stream, first)

    def _give_up_overdue(self, now_ms: int) -> None:
        overdue = [flight for flight in self._flights if flight.due_ms <= now_ms]
        for flight in overdue:
            self._flights.remove(flight)
            self._put_back(flight)
        if overdue:
            self._silences += 1
            if self._silences == SILENCES_BEFORE_ASKING:
                self._hello_due_ms = now_ms

    def _forget_flights(self) -> None:
        for flight in self._flights:
            self._put_back(flight)
        self._flights.clear()

    def _put_back(self, flight: _Flight) -> None:
        if flight.forced:
            self._cuts.appendleft(_Cut(flight.stream, flight.numbers))


def last_words(session: str, nonce: str, reason: Literal["stop", "lost"]) -> Goodbye:
    """What is said when a connection ends: by the agent, or by the broker in its place."""
    return Goodbye(session=session, nonce=nonce, reason=reason)
