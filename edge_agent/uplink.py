"""The agent's end of the stream protocol, without I/O.

Inputs are calls that carry the time (`now_ms`, any clock that only rises); outputs are messages to send. `Uplink`
decides what goes out next: a hello on connecting and every ten minutes, a few batches in flight, again after silence
with growing patience, smaller after a refusal. What the hub holds is the outbox's business (`Source.cover`).

A stream of an earlier opening waits for the hub's answer to the hello before anything of it is sent, since most of it
may be there already; the stream of this opening need not wait, and one place in the window is kept for it.

After the second silence nothing is sent until the hub answers a hello. What the hub refuses however it is cut, and what
cannot be given up, is put aside until the next hello, so that it costs neither the others nor the SD card anything.
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
from contract.receipt import OTHER_FORM, TOO_RAGGED, Covered, Receipt, Refusal
from contract.status import Alive as AliveStatus
from contract.status import AnyStatus, Goodbye, Hello, Opening, Pending, Queue
from edge_agent.outbox.store import Stored

FIRST_RESEND_MS: Final = (2_000, 5_000)
MAX_RESEND_MS: Final = 60_000
SILENCES_BEFORE_ASKING: Final = 2
ASKING_STEPS: Final = 3
"""A hello that is not answered is said again after twice the time, so often."""
HELLO_INTERVAL_MS: Final = 600_000
ALIVE_INTERVAL_MS: Final = 60_000
COMPANY_MS: Final = 65_000
"""A message of its own costs a report of health five times what it takes in another; two of a quiet night share one."""
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

    def patient(self) -> RangeSet:
        """Numbers of the live stream that nobody waits for."""

    def read(self, stream: str, spans: Iterable[tuple[int, int]], max_bytes: int, max_events: int) -> list[Stored]:
        """Events of `spans` within the limits, at least one."""

    def cover(self, covered: Covered, *, hello: bool, hub_time_ms: int) -> None:
        """Take a receipt's word."""

    def refuse(self, stream: str, seq: int) -> None:
        """Declare one event lost because the hub cannot take it. It may stay, if that cannot be recorded."""


class Send(NamedTuple):
    """A message to publish on a channel of this device."""

    channel: Literal["events", "status"]
    payload: Payload


class Pace(NamedTuple):
    """How often something is said, and for how long events wait for company; ms."""

    alive_ms: int = ALIVE_INTERVAL_MS
    hello_ms: int = HELLO_INTERVAL_MS
    linger_ms: int = 0
    """Any, after a batch."""
    company_ms: int = COMPANY_MS
    """Those that nobody waits for."""


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
    again: bool
    """It was sent before, so nobody knows which time an answer is to."""


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
        opening: Callable[[], Opening | None] = lambda: None,
        config: Callable[[], int] = int,
        rng: random.Random | None = None,
    ) -> None:
        """`queue`, `faults`, `opening` and `config` are asked when a status is due.

        `faults` gives codes of what does not work, `config` the revision of the hub's configuration that is in force.
        """
        self._source, self._queue, self._faults = source, queue, faults
        self._opening, self._config = opening, config
        self.pace = Pace()
        self._session, self._version = session, version
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not secrecy
        self._nonce: str | None = None
        self._flights: list[_Flight] = []
        self._cuts: deque[_Cut] = deque()
        self._strikes: dict[tuple[str, int], int] = {}
        self._aside: dict[str, RangeSet] = {}
        self._late: dict[str, RangeSet] = {}
        self._answered: set[str] = set()
        self._heard = False
        self._silences = self._asked = 0
        self._asking = False
        self._rtt_ms = 0
        self._hello_due_ms = self._alive_due_ms = 0
        self._hello_sent_ms: int | None = None
        """When the first hello since the last answer to one was said: no answer can have been given before that."""
        self._linger_until_ms = 0
        self._sending = self._lingers = False
        self._alone_from_ms: int | None = None
        """From when on events that nobody waits for go by themselves; None while none wait."""
        self.ignored_receipts = 0

    # -- inputs ----------------------------------------------------------------------------------------------

    def connected(self, nonce: str, now_ms: int) -> None:
        """A connection is up; `nonce` is new for it."""
        self._nonce, self._heard, self._asked = nonce, False, 0
        self._hello_sent_ms = None
        self._forget_flights()
        self._late.clear()
        self._hello_due_ms = now_ms
        self._alive_due_ms = now_ms + self.pace.alive_ms
        self._linger_until_ms = 0

    def disconnected(self) -> None:
        """The connection is gone, and whatever was on its way with it."""
        self._nonce = None
        self._forget_flights()

    def send_now(self, now_ms: int) -> None:
        """Say hello and send what waits, whatever the pace."""
        self._hello_due_ms = min(self._hello_due_ms, now_ms)
        self.flush()

    def flush(self) -> None:
        """Send what waits, whatever the pace."""
        self._linger_until_ms = self._alone_from_ms = 0

    def received(self, receipt: Receipt, now_ms: int) -> int | None:
        """Take a receipt. Returns when what it answers was sent: of a hello, and of a batch that was sent once.

        The hub's time in it is of a moment since then.
        """
        for refusal in receipt.refused:  # names the bytes themselves, so it needs no nonce
            self._refused(refusal)
        if receipt.nonce != self._nonce:
            self.ignored_receipts += bool(receipt.nonce)
            return None
        self._heard = True
        for covered in receipt.streams:
            self._source.cover(covered, hello=receipt.hello, hub_time_ms=receipt.hub_time)
        if receipt.hello:
            self._answered.update(covered.stream for covered in receipt.streams)
            self._take_answer(now_ms)
        sent_ms = self._land(now_ms)
        if receipt.hello:
            sent_ms, self._hello_sent_ms = self._hello_sent_ms, None
        return sent_ms

    # -- outputs ---------------------------------------------------------------------------------------------

    def poll(self, now_ms: int) -> list[Send]:
        """Everything that is to be sent now."""
        if self._nonce is None:
            return []
        self._give_up_overdue(now_ms)
        sends = self._say_hello(now_ms) or self._say_alive(now_ms)
        self._lingers = now_ms < self._linger_until_ms
        while not self._lingers and len(self._flights) < self._window():
            batch = self._next_batch(now_ms)
            if batch is None:
                self._rest(now_ms)
                break
            self._sending = True
            sends.append(Send("events", batch))
        return sends

    def _rest(self, now_ms: int) -> None:
        """All that there was has been sent: what comes next waits for company. The first after a rest does not."""
        if self._sending:
            self._sending = False
            self._linger_until_ms = now_ms + self.pace.linger_ms

    def next_due_ms(self) -> int | None:
        """When `poll` has something to do though nothing comes in; None while there is no connection."""
        if self._nonce is None:
            return None
        lingering = [self._linger_until_ms] if self._lingers else []
        lingering += [self._alone_from_ms] if self._alone_from_ms else []
        return min(self._hello_due_ms, self._alive_due_ms, *lingering, *(flight.due_ms for flight in self._flights))

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
        self._answered &= {pending.stream for pending in held}
        self._aside.clear()
        self._hello_due_ms = now_ms + self._hello_pause_ms(held)
        self._alive_due_ms = now_ms + self.pace.alive_ms
        self._hello_sent_ms = now_ms if self._hello_sent_ms is None else self._hello_sent_ms
        pages = [held[at : at + MAX_HELLO_STREAMS] for at in range(0, len(held), MAX_HELLO_STREAMS)] or [[]]
        return [self._status(self._hello(page)) for page in pages]

    def _hello_pause_ms(self, held: Sequence[Pending]) -> int:
        """A hello without whose answer something cannot be sent is said again soon, then more and more patiently."""
        if not self._asking and not self._unanswered(held):
            return self.pace.hello_ms
        pause_ms = self._rng.randint(*FIRST_RESEND_MS) << min(self._asked, ASKING_STEPS)
        self._asked += 1
        return pause_ms

    def _take_answer(self, now_ms: int) -> None:
        self._asking, self._asked = False, 0
        if not self._unanswered(self._source.streams()):
            self._hello_due_ms = now_ms + self.pace.hello_ms

    def _unanswered(self, held: Sequence[Pending]) -> bool:
        return not all(self._may_send(pending.stream) for pending in held)

    def _hello(self, page: Sequence[Pending]) -> Hello:
        nonce = self._nonce or ""
        return Hello(
            session=self._session,
            nonce=nonce,
            version=self._version,
            streams=list(page),
            queue=self._queue(),
            opening=self._opening(),
            config=self._config(),
        )

    def _say_alive(self, now_ms: int) -> list[Send]:
        if now_ms < self._alive_due_ms or self._nonce is None:
            return []
        self._alive_due_ms = now_ms + self.pace.alive_ms
        alive = AliveStatus(session=self._session, nonce=self._nonce, queue=self._queue(), faults=self._faults()[:32])
        return [self._status(alive)]

    @staticmethod
    def _status(status: AnyStatus) -> Send:
        return Send("status", codec.encode_status(status))

    # -- batches ---------------------------------------------------------------------------------------------

    def _window(self) -> int:
        """Batches that may be in flight: fewer after silences, and none while a hello asks for the hub."""
        return 0 if self._asking else max(1, WINDOW >> self._silences)

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
        others = [held.stream for held in self._source.streams() if held.stream != live]
        if len(self._flights) >= max(1, self._window() - 1):
            others.clear()  # the last place is the present's: it never waits for a backlog
        for stream in [live, *others]:
            if not self._may_send(stream):
                continue
            wanted = self._source.uncovered(stream).minus(self._reserved(stream))
            if not wanted or (stream == live and self._may_wait(wanted, now_ms)):
                continue
            stored = self._source.read(stream, wanted, BATCH_BYTES, BATCH_EVENTS)
            if stored:
                return self._launch(stream, stored, now_ms, forced=False)
        return None

    def _may_wait(self, wanted: RangeSet, now_ms: int) -> bool:
        """Whether all these are of the patient kind, and something to travel with may still come."""
        if wanted.minus(self._source.patient()):
            return False
        if self._alone_from_ms is None:
            self._alone_from_ms = now_ms + self.pace.company_ms
        return now_ms < self._alone_from_ms

    def _reserved(self, stream: str) -> RangeSet:
        """Numbers that are on their way, wait to travel alone, or are put aside."""
        reserved = self._aside.get(stream, RangeSet()).copy()
        parts = [(flight.stream, flight.numbers) for flight in self._flights]
        for name, numbers in [*parts, *self._cuts]:
            if name == stream:
                reserved.update(numbers)
        return reserved

    def _launch(self, stream: str, stored: Sequence[Stored], now_ms: int, *, forced: bool) -> Payload:
        live = stream == self._source.live_stream
        self._alone_from_ms = None if live else self._alone_from_ms
        bodies = [event.body for event in stored]
        payload = codec.encode_batch(stream, bodies, nonce=self._nonce or "", live=live)
        numbers = RangeSet.of(event.seq for event in stored)
        due_ms = now_ms + self._patience_ms()
        again = bool(numbers.common(self._late.get(stream, RangeSet())))
        self._flights.append(_Flight(stream, numbers, payload.sha256(), now_ms, due_ms, forced, again))
        return payload

    def _patience_ms(self) -> int:
        first = self._rng.randint(*FIRST_RESEND_MS)
        longest = self._rng.randint(MAX_RESEND_MS * 3 // 4, MAX_RESEND_MS)
        return min(max(first, 4 * self._rtt_ms) << min(self._silences, 10), longest)

    # -- answers ---------------------------------------------------------------------------------------------

    def _land(self, now_ms: int) -> int | None:
        """Take off the list what is covered now; returns when the latest of it was sent, if that was the only time."""
        landed = [
            flight for flight in self._flights if not flight.numbers.common(self._source.uncovered(flight.stream))
        ]
        for flight in landed:
            self._flights.remove(flight)
            self._strikes.pop((flight.stream, flight.numbers.spans()[0][0]), None)
            self._late[flight.stream] = self._late.get(flight.stream, RangeSet()).minus(flight.numbers)
        if not landed:
            return None
        self._silences, self._asking = 0, False
        if all(flight.again for flight in landed):
            return None
        sent_ms = max(flight.sent_ms for flight in landed if not flight.again)
        self._rtt_ms = (7 * self._rtt_ms + now_ms - sent_ms) // 8 if self._rtt_ms else now_ms - sent_ms
        return sent_ms

    def _refused(self, refusal: Refusal) -> None:
        """Cut a refused batch smaller, down to single events."""
        flight = next((flight for flight in self._flights if flight.sha256 == refusal.sha256), None)
        if flight is None:
            return
        self._flights.remove(flight)
        stream, numbers = flight.stream, flight.numbers
        head = numbers.head(numbers.count() // 2)
        if refusal.reason in (TOO_RAGGED, OTHER_FORM):  # no cutting mends it; the next hello tries again
            self._put_aside(stream, numbers)
        elif head:
            self._cuts.extend((_Cut(stream, head), _Cut(stream, numbers.minus(head))))
        else:
            self._strike(stream, numbers)

    def _strike(self, stream: str, single: RangeSet) -> None:
        """Give a single event up when it was refused twice, by a hub that has shown that it can read us at all."""
        seq = single.spans()[0][0]
        self._strikes[stream, seq] = self._strikes.get((stream, seq), 0) + 1
        if self._strikes[stream, seq] < REFUSALS_BEFORE_LOSS:
            self._cuts.append(_Cut(stream, single))
            return
        del self._strikes[stream, seq]
        if self._heard:
            self._source.refuse(stream, seq)
        if seq in self._source.uncovered(stream):
            self._put_aside(stream, single)

    def _put_aside(self, stream: str, numbers: RangeSet) -> None:
        self._aside.setdefault(stream, RangeSet()).update(numbers)

    def _give_up_overdue(self, now_ms: int) -> None:
        overdue = [flight for flight in self._flights if flight.due_ms <= now_ms]
        for flight in overdue:
            self._flights.remove(flight)
            self._put_back(flight)
            self._late.setdefault(flight.stream, RangeSet()).update(flight.numbers)
        if overdue:
            self._silences += 1
            if self._silences >= SILENCES_BEFORE_ASKING and not self._asking:
                self._asking = True
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
