"""The ingest of one process: brokers on one side, writers on the other, and a look now and then at how they are."""

from __future__ import annotations

import gc
import logging
import threading
import time
from typing import Final

import psycopg

from hub.config import HubSettings
from hub.ingest.broker_link import Broker, BrokerLink
from hub.ingest.dispatcher import Dispatcher
from hub.ingest.inbox import GroupLimit, Inbox, Message, writer_of
from hub.ingest.writer import Writer, wall_ms
from hub.metrics import HubMetrics
from hub.store.connection import connect
from hub.store.presence_store import PresenceStore

LOOK_EVERY_S: Final = 1.0
PRESENCE_EVERY_S: Final = 5.0
log = logging.getLogger(__name__)


class IngestService:
    """Start it, stop it, ask it whether it has failed. All of it runs in threads of its own."""

    def __init__(self, settings: HubSettings, metrics: HubMetrics, *, keeps_presence: bool = True) -> None:
        self._settings, self.metrics, self._keeps_presence = settings, metrics, keeps_presence
        ingest = settings.ingest
        self._inboxes = [Inbox(max(1, ingest.queue_messages // ingest.writers)) for _ in range(ingest.writers)]
        self._writers = [
            Writer(
                inbox,
                settings.database.conninfo,
                metrics,
                name=f"writer {number}",
                linger_s=ingest.linger_ms / 1000,
                most=GroupLimit(ingest.group_messages, ingest.group_bytes),
                commit_timeout_s=ingest.commit_timeout_s,
            )
            for number, inbox in enumerate(self._inboxes, start=1)
        ]
        self._links = [
            BrokerLink(broker, settings.mqtt.worker_name, self._deliver, metrics, hears_status=keeps_presence)
            for broker in _brokers(settings)
        ]
        self._dispatcher = Dispatcher(settings.database.conninfo, self._links)
        self._listening_since: dict[str, int] = {}
        self._looked_at = time.monotonic()
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="ingest keeper", daemon=True)
        self._presence: PresenceStore | None = None
        self._connection: psycopg.Connection | None = None
        self._unexpected: BaseException | None = None

    def start(self) -> None:
        """Begin to listen and to commit."""
        _spare_collections()
        for writer in self._writers:
            writer.start()
        for link in self._links:
            link.open()
        self._keeper.start()
        if self._keeps_presence:
            self._dispatcher.start()

    def stop(self) -> None:
        """Leave the brokers, commit what is in hand, end the threads."""
        self._stopping.set()
        self._keeper.join()
        self._dispatcher.stop()
        for link in self._links:
            link.close()
        for writer in self._writers:
            writer.stop()
        for writer in self._writers:
            writer.join(2 * self._settings.ingest.commit_timeout_s + 5)
            if writer.is_alive():
                log.error("%s is left behind: the database does not answer; the agents keep what it had", writer.name)

    def failure(self) -> str | None:
        """Why this process had better be started again; None while all is well."""
        for part, error in [
            *((w.name, w.failure) for w in self._writers),
            ("keeper", self._unexpected),
            ("dispatcher", self._dispatcher.failure),
        ]:
            if error is not None:
                return f"{part} ended: {type(error).__name__}: {error}"
        return None

    def silent_s(self) -> float:
        """A database or broker that is away is waited for; a keeper or a group that hangs is not."""
        return max(time.monotonic() - self._looked_at, *(writer.busy_s() for writer in self._writers))

    def brokers(self) -> dict[str, bool]:
        """Each broker and whether we listen on it."""
        return {link.broker.name: link.connected for link in self._links}

    # -- between brokers and writers -------------------------------------------------------------------------

    def _deliver(self, message: Message) -> None:
        if not self._inboxes[writer_of(message.device, len(self._inboxes))].put(message):
            self.metrics.messages_discarded.labels(reason="full").inc()

    # -- the keeper ------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        try:
            presence_due, booked = 0.0, dict[str, bool]()
            while not self._stopping.wait(LOOK_EVERY_S):
                self._looked_at = time.monotonic()
                self._look()
                if self._keeps_presence and (time.monotonic() >= presence_due or booked != self.brokers()):
                    booked = self.brokers()
                    presence_due = time.monotonic() + PRESENCE_EVERY_S
                    self._book_links()
            self._book_stop()
        except BaseException as error:
            self._unexpected = error
            log.exception("the ingest keeper ends")
            raise
        finally:
            if self._connection is not None:
                self._connection.close()

    def _look(self) -> None:
        """Leave the brokers while a writer cannot commit, so that other workers get its messages; come back after."""
        patience_s = self._settings.ingest.commit_timeout_s + LOOK_EVERY_S
        stalled = any(writer.stalled.is_set() or writer.busy_s() > patience_s for writer in self._writers)
        for link in self._links:
            if stalled:
                link.close()
            else:
                link.open()
        self.metrics.brokers_connected.set(sum(link.connected for link in self._links))
        self.metrics.queue_messages.set(sum(len(inbox) for inbox in self._inboxes))

    def _book_links(self) -> None:
        try:
            store = self._store()
            for link in self._links:
                self._book_link(store, link)
        except psycopg.Error as error:
            log.warning("presence cannot be kept now: %s", str(error).strip())
            if self._connection is not None:
                self._connection.close()
            self._connection = self._presence = None

    def _book_link(self, store: PresenceStore, link: BrokerLink) -> None:
        name, worker, now_ms = link.broker.name, self._settings.mqtt.worker_name, wall_ms()
        if link.connected:
            since = self._listening_since.setdefault(name, now_ms)
            store.listening(worker, name, since, now_ms, self._settings.ingest.alive_timeout_s)
        elif self._listening_since.pop(name, None) is not None:
            store.deaf(worker, name, now_ms)

    def _book_stop(self) -> None:
        try:
            for name in self._listening_since:
                self._store().deaf(self._settings.mqtt.worker_name, name, wall_ms())
        except psycopg.Error as error:
            log.warning("the end of this worker cannot be booked: %s", str(error).strip())

    def _store(self) -> PresenceStore:
        if self._connection is None or self._presence is None:
            self._connection = connect(self._settings.database.conninfo(), "presence", autocommit=True)
            self._presence = PresenceStore(self._connection)
            self._presence.set_silence(self._settings.ingest.alive_timeout_s, self._settings.ingest.link_timeout_s)
        return self._presence


def _spare_collections() -> None:
    """Let the garbage collector run about once a group instead of thousands of times.

    What a group is made of has no cycles and goes by itself; looking through it took a fifth of the ingest's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def _brokers(settings: HubSettings) -> list[Broker]:
    mqtt = settings.mqtt
    password = mqtt.secret()
    return [Broker(broker.host, broker.port, mqtt.username, password, broker.ssl_context()) for broker in mqtt.brokers]
