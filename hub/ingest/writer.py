"""One writer: takes groups of messages from its inbox, commits them, and answers.

While the database cannot be used it keeps its group and tries to connect again; after `commit_timeout_s` it counts the
group as discarded (the agents still have it) and reports itself stalled, so that its service leaves the brokers and
other workers of the shared subscription get the messages.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import psycopg

from contract import codec
from contract.errors import ContractError
from contract.limits import MAX_RECEIPT_RANGES
from contract.receipt import Receipt, Refusal
from contract.status import Goodbye, Hello
from hub.ingest.answers import Answer, Spoken, receipts
from hub.ingest.clones import Clones
from hub.ingest.committer import Outcome, commit
from hub.ingest.inbox import Inbox, Message
from hub.ledger.reading import Refused, Unreadable, covered, read_message
from hub.ledger.rules import Delivery, StreamKey, stream_of
from hub.metrics import HubMetrics
from hub.store.connection import connect
from hub.store.ledger_store import LedgerStore
from hub.store.presence_store import PresenceStore

OLD_MS: Final = 2 * 24 * 3600 * 1000
"""Batches with older events are committed apart: they may touch compressed chunks, which takes longer."""
RETRY_S: Final = 0.5
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
        group_messages: int,
        commit_timeout_s: float,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._inbox, self._dsn, self._metrics = inbox, dsn, metrics
        self._linger_s, self._group_messages, self._timeout_s = linger_s, group_messages, commit_timeout_s
        self._stopping = threading.Event()
        self.stalled = threading.Event()
        """Set while this writer has been unable to commit for longer than it may."""
        self.failure: BaseException | None = None
        self._connection: psycopg.Connection | None = None
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
            messages = self._inbox.take(self._linger_s, self._group_messages, RETRY_S)
            if messages:
                self._process(messages)

    # -- the database's comings and goings -------------------------------------------------------------------

    def _connect(self) -> bool:
        try:
            self._connection = connect(self._dsn(), self.name, autocommit=True)
        except psycopg.Error as error:
            log.warning("%s cannot reach the database: %s", self.name, str(error).strip())
            return False
        self._ledger, self._presence = LedgerStore(self._connection), PresenceStore(self._connection)
        self._duplicates = 0
        if self.stalled.is_set():
            log.warning("%s commits again", self.name)
        self.stalled.clear()
        return True

    def _wait_for_database(self) -> None:
        """Called while there is no connection and nothing in hand."""
        if len(self._inbox):
            self._stall(0)
        if self._stopping.wait(RETRY_S):
            self._inbox.clear()

    def _stall(self, in_hand: int) -> None:
        discarded = in_hand + self._inbox.clear()
        self._metrics.messages_discarded.labels(reason="database").inc(discarded)
        if not self.stalled.is_set():
            log.error("%s cannot commit; %d messages are left to their agents", self.name, discarded)
        self.stalled.set()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # -- a group ---------------------------------------------------------------------------------------------

    def _process(self, messages: Sequence[Message]) -> None:
        deadline = time.monotonic() + self._timeout_s
        group = self._sort(messages)
        while True:
            try:
                self._commit_and_answer(group)
                return
            except psycopg.Error as error:
                self._metrics.commit_failures.labels(sqlstate_class=(error.sqlstate or "??")[:2]).inc()
                log.warning("%s: %s: %s", self.name, type(error).__name__, str(error).strip())
                self._disconnect()
            while self._connection is None and not self._connect():
                if time.monotonic() > deadline or self._stopping.wait(RETRY_S):
                    self._stall(len(messages))
                    return
            if time.monotonic() > deadline:
                self._stall(len(messages))
                return

    def _sort(self, messages: Sequence[Message]) -> _Group:
        group = _Group()
        for message in messages:
            if message.channel == "status":
                group.statuses.append(message)
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
        self._refuse(group.refused, now_ms)
        while group.statuses:  # each once: repeated after an error, sessions would seem to come back
            self._take_status(group.statuses[0], now_ms)
            del group.statuses[0]

    def _commit_events(
        self, deliveries: list[tuple[Message, Delivery]], unreadable: list[tuple[Message, Unreadable]], now_ms: int
    ) -> None:
        with self._metrics.commit_seconds.time():
            outcome = commit(self._ledger, [d for _, d in deliveries], [u for _, u in unreadable], now_ms)
        done = wall_ms()
        ragged = {id(delivery) for delivery in outcome.ragged}
        spoken = [
            Spoken(
                message,
                stream_of(d),
                d.batch.nonce,
                d.batch.events[0].seq,
                d.batch.events[-1].seq,
            )
            for message, d in deliveries
            if id(d) not in ragged
        ]
        spoken += [Spoken(message, u.key, u.nonce, u.seq, u.seq) for message, u in unreadable]
        refused = [
            (message, Refusal(sha256=codec.sha256_hex(message.data), reason="ragged"))
            for message, d in deliveries
            if id(d) in ragged
        ]
        for answer in receipts(spoken, refused, outcome.accounts, done):
            self._answer(answer)
        self._count(outcome, done)
        self._report(outcome, done)

    def _refuse(self, refused: Sequence[tuple[Message, Refused]], now_ms: int) -> None:
        for message, read in refused:
            self._metrics.batches_refused.labels(reason=read.refusal.reason).inc()
            log.warning("a message of %s is refused: %s", read.device, read.refusal.reason)
            if read.alone is not None:
                self._ledger.keep_unnumbered(read, now_ms)
            self._answer(Answer(message, Receipt(hub_time=now_ms, refused=[read.refusal])))

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
            self._answer(Answer(message, self._answer_hello(message.device, status, now_ms)))

    def _answer_hello(self, device: str, hello: Hello, now_ms: int) -> Receipt:
        streams = []
        room = MAX_RECEIPT_RANGES
        for held in hello.streams:
            key = StreamKey(device, held.stream)
            account = self._ledger.account(key)
            missing = account.missing_below(held.low)
            if missing:
                detail = {held.stream: missing.spans()[:100]}
                self._ledger.raise_incident("hub_rollback", device, detail, now_ms)
            answer = covered(key, account, held.low, max(held.low, held.high), max(room, 2))
            room -= len(answer.committed) + len(answer.lost)
            streams.append(answer)
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
        for delivery in outcome.ragged:
            self._metrics.batches_refused.labels(reason="ragged").inc()
            named = {"stream": delivery.batch.stream}
            self._ledger.raise_incident("stream_too_ragged", delivery.device, named, now_ms)
        for event in outcome.rejected:
            self._metrics.batches_refused.labels(reason="rejected").inc()
            detail: dict[str, object] = {"stream": event.key.stream, "seq": event.seq, "reason": event.reason[:200]}
            self._ledger.raise_incident("rejected_event", event.key.device, detail, now_ms)
