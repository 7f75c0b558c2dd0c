"""One writer: takes groups of messages from its inbox, commits them, and answers.

While the database cannot be used it keeps its group and tries to connect again; after `commit_timeout_s` it counts the
group as discarded (the agents still have it) and reports itself stalled, so that its service leaves the brokers and
other workers of the shared subscription get the messages.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import psycopg

from contract import codec
from contract.errors import ContractError
from contract.limits import MAX_RECEIPT_RANGES
from contract.receipt import TOO_RAGGED, Receipt, Refusal
from contract.status import Goodbye, Hello
from hub.ingest.answers import Answer, Spoken, receipts
from hub.ingest.barred import Barred
from hub.ingest.clones import Clones
from hub.ingest.committer import Outcome, commit
from hub.ingest.inbox import GroupLimit, Inbox, Message
from hub.ledger.reading import Refused, Unreadable, covered, read_message
from hub.ledger.rules import Delivery, StreamKey, stream_of
from hub.metrics import HubMetrics
from hub.store.connection import connect
from hub.store.fleet_traffic import FleetTraffic
from hub.store.ledger_store import LedgerStore
from hub.store.openings import OpeningStore
from hub.store.presence_store import PresenceStore

OLD_MS: Final = 2 * 24 * 3600 * 1000
"""Batches with older events are committed apart: they may touch compressed chunks, which takes longer."""
RETRY_S: Final = 0.5
STATEMENT_TIMEOUT_S: Final = 60.0
_CONTENT: Final = (psycopg.DataError, psycopg.IntegrityError)
ROLLBACKS_TOLD: Final = 20
"""Streams that an incident `hub_rollback` names; it counts the others."""
log = logging.getLogger(__name__)


def wall_ms() -> int:
    """The hub's own clock, Unix ms."""
    return time.time_ns() // 1_000_000


@dataclass
class _Group:
    """Messages of one take, sorted by what they turned out to be."""

    deliveries: list[tuple[Message, Delivery]] = field(default_factory=list)
    unreadable: list[tuple[Message, Unreadable]] = field(default_factory=list)
    refused: list[tuple[Message, Refused]] = field(default_factory=list)
    statuses: list[Message] = field(default_factory=list)
    replies: list[Message] = field(default_factory=list)

    def without(self, barred: Container[str]) -> list[Message]:
        """Take out what is of these devices; what that was."""
        gone = [message for message in self._messages() if message.device in barred]
        if gone:
            self.deliveries = [pair for pair in self.deliveries if pair[0].device not in barred]
            self.unreadable = [pair for pair in self.unreadable if pair[0].device not in barred]
            self.refused = [pair for pair in self.refused if pair[0].device not in barred]
            self.statuses = [message for message in self.statuses if message.device not in barred]
            self.replies = [message for message in self.replies if message.device not in barred]
        return gone

    def _messages(self) -> Iterator[Message]:
        for pair in (*self.deliveries, *self.unreadable, *self.refused):
            yield pair[0]
        yield from self.statuses
        yield from self.replies


class Writer(threading.Thread):
    """Owns one inbox and one database connection."""

    def __init__(
        self,
        inbox: Inbox,
        dsn: Callable[[], str],
        metrics: HubMetrics,
        *,
        name: str,
        linger_s: float,
        most: GroupLimit,
        commit_timeout_s: float,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._inbox, self._dsn, self._metrics = inbox, dsn, metrics
        self._linger_s, self._most, self._timeout_s = linger_s, most, commit_timeout_s
        self._stopping = threading.Event()
        self.stalled = threading.Event()
        """Set while this writer has been unable to commit for longer than it may."""
        self.failure: BaseException | None = None
        self._connection: psycopg.Connection | None = None
        self._busy_since: float | None = None
        self._clones = Clones()
        self._duplicates = 0

    def stop(self) -> None:
        """Commit what is left, as far as the database lets us, and end."""
        self._stopping.set()
        self._inbox.close()

    def run(self) -> None:
        """The thread. What ends it but `stop` is a bug: it is kept in `failure`, and the service ends."""
        try:
            self._loop()
        except BaseException as error:
            self.failure = error
            log.exception("writer %s ends", self.name)
            raise
        finally:
            self._disconnect()

    def _loop(self) -> None:
        while not self._stopping.is_set() or len(self._inbox):
            if self._connection is None and not self._connect():
                self._wait_for_database()
                continue
            messages = self._inbox.take(self._linger_s, self._most, RETRY_S)
            if messages:
                self._process(messages)

    # -- the database's comings and goings -------------------------------------------------------------------

    def busy_s(self) -> float:
        """For how long the group in hand has been in hand; 0 if there is none. Also tells of a database that hangs."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def _connect(self) -> bool:
        try:
            self._connection = connect(
                self._dsn(),
                self.name,
                autocommit=True,
                lock_timeout_s=self._timeout_s,
                statement_timeout_s=STATEMENT_TIMEOUT_S,
            )
            self._ledger, self._presence = LedgerStore(self._connection), PresenceStore(self._connection)
            self._barred = Barred(self._connection)
            self._openings = OpeningStore(self._connection)
            self._fleet = FleetTraffic(self._connection)
            self._presence.check_writable()
        except psycopg.Error as error:
            log.warning("%s cannot use the database: %s", self.name, str(error).strip())
            self._disconnect()
            return False
        self._duplicates = 0
        self.stalled.clear()
        return True

    def _wait_for_database(self) -> None:
        """Called while there is no connection and nothing in hand."""
        if len(self._inbox):
            self._stall(0)
        if self._stopping.wait(RETRY_S):
            self._inbox.clear()

    def _stall(self, in_hand: int) -> None:
        """Give up what is in hand, and the connection with it: the next one says whether it is worth while again."""
        discarded = in_hand + self._inbox.clear()
        self._metrics.messages_discarded.labels(reason="database").inc(discarded)
        log.error("%s cannot commit; %d messages are left to their agents", self.name, discarded)
        self._disconnect()
        self.stalled.set()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # -- a group ---------------------------------------------------------------------------------------------

    def _process(self, messages: Sequence[Message]) -> None:
        """Commit and answer. What no code foresaw costs the message that brings it, and neither others nor the hub."""
        self._busy_since = time.monotonic()
        try:
            self._process_group(messages)
        except Exception:
            self._disconnect()
            log.exception("%s: %d messages of %s", self.name, len(messages), messages[0].device)
            if len(messages) > 1:
                for message in messages:
                    self._process([message])
            else:
                self._metrics.messages_discarded.labels(reason="unexpected").inc()
        finally:
            self._busy_since = None

    def _process_group(self, messages: Sequence[Message]) -> None:
        deadline = time.monotonic() + self._timeout_s
        group = self._sort(messages)
        while True:
            if self._connection is not None or self._connect():
                try:
                    self._let_barred_go(group)
                    self._commit_and_answer(group)
                    return
                except psycopg.Error as error:
                    self._metrics.commit_failures.labels(sqlstate_class=(error.sqlstate or "??")[:2]).inc()
                    log.warning("%s: %s: %s", self.name, type(error).__name__, str(error).strip())
                    self._disconnect()
            if time.monotonic() > deadline or self._stopping.wait(RETRY_S):
                self._stall(len(messages))
                return

    def _sort(self, messages: Sequence[Message]) -> _Group:
        group = _Group()
        for message in messages:
            if message.channel == "status":
                group.statuses.append(message)
                continue
            if message.channel == "reply":
                group.replies.append(message)
                continue
            read = read_message(message.device, message.data, message.content_type)
            if isinstance(read, Delivery):
                group.deliveries.append((message, read))
            elif isinstance(read, Unreadable):
                group.unreadable.append((message, read))
            else:
                group.refused.append((message, read))
        return group

    def _commit_and_answer(self, group: _Group) -> None:
        now_ms = wall_ms()
        recent = [pair for pair in group.deliveries if pair[1].batch.events[0].time >= now_ms - OLD_MS]
        old = [pair for pair in group.deliveries if pair[1].batch.events[0].time < now_ms - OLD_MS]
        for deliveries, unreadable in ((recent, group.unreadable), (old, [])):
            if deliveries or unreadable:
                self._commit_events(deliveries, unreadable, now_ms)
        # Each once, also if a later one fails and the group is tried again: sessions would seem to come back.
        while group.refused:
            self._alone(self._refuse, *group.refused[0], now_ms)
            del group.refused[0]
        while group.statuses:
            self._alone(self._take_status, group.statuses[0], now_ms)
            del group.statuses[0]
        while group.replies:
            self._alone(self._take_reply, group.replies[0], now_ms)
            del group.replies[0]

    def _alone(self, take: Callable[..., None], message: Message, *rest: object) -> None:
        """What the database refuses for its content costs this message alone."""
        try:
            take(message, *rest)
        except _CONTENT as error:
            self._metrics.messages_discarded.labels(reason="content").inc()
            log.error("a message of %s cannot be kept: %s", message.device, str(error).strip())  # noqa: TRY400 - its own

    def _commit_events(
        self, deliveries: list[tuple[Message, Delivery]], unreadable: list[tuple[Message, Unreadable]], now_ms: int
    ) -> None:
        with self._metrics.commit_seconds.time():
            outcome = commit(self._ledger, [d for _, d in deliveries], [u for _, u in unreadable], now_ms)
        done = wall_ms()
        ragged = {id(part) for part in (*outcome.ragged, *outcome.ragged_events)}
        spoken = [
            Spoken(message, stream_of(d), d.batch.nonce, d.batch.events[0].seq, d.batch.events[-1].seq)
            for message, d in deliveries
            if id(d) not in ragged
        ]
        spoken += [Spoken(message, u.key, u.nonce, u.seq, u.seq) for message, u in unreadable if id(u) not in ragged]
        refused = [
            (message, Refusal(sha256=codec.sha256_hex(message.data), reason=TOO_RAGGED))
            for message, part in (*deliveries, *unreadable)
            if id(part) in ragged
        ]
        for answer in receipts(spoken, refused, outcome.accounts, done):
            self._answer(answer)
        self._count(outcome, done)
        self._report(outcome, done)

    def _refuse(self, message: Message, read: Refused, now_ms: int) -> None:
        self._metrics.batches_refused.labels(reason=read.refusal.reason).inc()
        log.warning("a message of %s is refused: %s", read.device, read.refusal.reason)
        if read.alone is not None:
            self._ledger.keep_unnumbered(read, now_ms)
        self._answer(Answer(message, Receipt(hub_time=now_ms, refused=[read.refusal])))

    def _let_barred_go(self, group: _Group) -> None:
        """What comes from a revoked device ends here, without an answer. Staff are told if it goes on coming."""
        self._barred.refresh()
        if not self._barred:
            return
        now_ms = wall_ms()
        for message in group.without(self._barred):
            self._metrics.messages_discarded.labels(reason="revoked").inc()
            if self._barred.is_to_be_told(message.device, now_ms):
                self._ledger.raise_incident("revoked_device", message.device, {"broker": message.broker}, now_ms)
                log.error("%s is revoked, and broker %s lets it in", message.device, message.broker)

    # -- status ----------------------------------------------------------------------------------------------

    def _take_status(self, message: Message, now_ms: int) -> None:
        try:
            status = codec.decode_status(message.data, message.content_type)
        except ContractError as error:
            self._metrics.batches_refused.labels(reason=error.reason).inc()
            log.warning("a status message of %s is ignored: %s", message.device, error)
            return
        takes_turns = not isinstance(status, Goodbye) and self._clones.hear(message.device, status.session, now_ms)
        # Asked in any case: it books the status. Of all workers it says so to one.
        if self._presence.heard(message.device, status, message.broker, now_ms) and takes_turns:
            detail = {"session": status.session}
            self._ledger.raise_incident("cloned_device", message.device, detail, now_ms)
        if isinstance(status, Hello):
            self._hear_opening(message, status, now_ms)
            if status.opening is not None or status.streams:  # else it is a doctor's, who looks and sets nothing
                self._fleet.hello(message.device, status.config, now_ms)
            self._answer(Answer(message, self._answer_hello(message.device, status, now_ms)))

    def _hear_opening(self, message: Message, hello: Hello, now_ms: int) -> None:
        opening = hello.opening
        if opening is None:
            return
        verdict = self._openings.heard(message.device, hello.session, opening, message.heard_ms or now_ms)
        if verdict == "put_back" or (verdict == "new" and self._is_short(message.device, hello)):
            detail = {"outbox": opening.outbox, "opening": opening.number, "session": hello.session}
            self._ledger.raise_incident("restored_image", message.device, detail, now_ms)

    def _is_short(self, device: str, hello: Hello) -> bool:
        """Whether a stream ends before what was stored of it: an image of a running machine, put back as the next run.

        The last stream is being appended to, so more of it may have come meanwhile. Of a full outbox the end of a
        stream may have gone first.
        """
        ends = ((held.high, self._ledger.account(StreamKey(device, held.stream))) for held in hello.streams[:-1])
        return not hello.queue.full and any(
            account.committed and account.committed.spans()[-1][1] > high for high, account in ends
        )

    def _take_reply(self, message: Message, now_ms: int) -> None:
        try:
            reply = codec.decode_reply(message.data, message.content_type)
        except ContractError as error:
            self._metrics.batches_refused.labels(reason=error.reason).inc()
            log.warning("a reply of %s is ignored: %s", message.device, error)
            return
        refusal = self._fleet.answered(message.device, reply, now_ms)
        if refusal is not None:
            detail = {"revision": reply.config, "reason": refusal}
            self._ledger.raise_incident("config_refused", message.device, detail, now_ms)

    def _answer_hello(self, device: str, hello: Hello, now_ms: int) -> Receipt:
        streams = []
        gone: dict[str, object] = {}
        room = MAX_RECEIPT_RANGES
        for held in hello.streams:
            key = StreamKey(device, held.stream)
            account = self._ledger.account(key)
            missing = account.missing_below(held.low)
            if missing:
                gone[held.stream] = missing.spans()[:100]
            answer = covered(key, account, held.low, max(held.low, held.high), max(room, 2))
            room -= len(answer.committed) + len(answer.lost)
            streams.append(answer)
        if gone:
            told = dict(list(gone.items())[:ROLLBACKS_TOLD])
            self._ledger.raise_incident("hub_rollback", device, {"count": len(gone), "streams": told}, now_ms)
        return Receipt(nonce=hello.nonce, hub_time=now_ms, hello=True, streams=streams)

    # -- answers and counts ----------------------------------------------------------------------------------

    @staticmethod
    def _answer(answer: Answer) -> None:
        payload = codec.encode_receipt(answer.receipt)
        answer.message.answer(answer.message.device, payload.data, payload.content_type)

    def _count(self, outcome: Outcome, now_ms: int) -> None:
        for delivery in outcome.committed:
            newest = delivery.batch.events[-1]
            if delivery.batch.live:
                self._metrics.event_delay_seconds.observe(max(0, now_ms - newest.time) / 1000)
        for kind, count in self._ledger.take_stored().items():
            self._metrics.events_stored.labels(kind=kind).inc(count)
        self._metrics.events_duplicate.inc(self._ledger.duplicates - self._duplicates)
        self._duplicates = self._ledger.duplicates

    def _report(self, outcome: Outcome, now_ms: int) -> None:
        for key in [*map(stream_of, outcome.ragged), *(event.key for event in outcome.ragged_events)]:
            self._metrics.batches_refused.labels(reason=TOO_RAGGED).inc()
            self._ledger.raise_incident("stream_too_ragged", key.device, {"stream": key.stream}, now_ms)
        for event in outcome.rejected:
            self._metrics.batches_refused.labels(reason="rejected").inc()
            detail: dict[str, object] = {"stream": event.key.stream, "seq": event.seq, "reason": event.reason[:200]}
            self._ledger.raise_incident("rejected_event", event.key.device, detail, now_ms)
