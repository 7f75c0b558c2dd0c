"""Sends devices what is wanted of them: looks every second what is due on the brokers that this worker listens on.

Of several workers one takes each message (`FOR UPDATE SKIP LOCKED`); one that dies with it in hand is no loss, because
a configuration is sent again at the next hello that tells another revision, and a command until it is answered.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import psycopg

from contract import codec
from contract.command import Command
from hub.ingest.broker_link import BrokerLink
from hub.store.connection import connect
from hub.store.fleet_traffic import Due, FleetTraffic
from hub.store.ledger_store import LedgerStore
from hub.store.moment import now_ms as wall_ms

EVERY_S: Final = 1.0
PATIENCE_S: Final = 5.0
log = logging.getLogger(__name__)


class Dispatcher:
    """Start it, stop it, ask it whether it has failed; one thread and one database connection."""

    def __init__(self, dsn: Callable[[], str], links: Sequence[BrokerLink]) -> None:
        self._dsn = dsn
        self._links: Mapping[str, BrokerLink] = {link.broker.name: link for link in links}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        self._connection: psycopg.Connection | None = None
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is in hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.wait(EVERY_S):
                self._look()
        except BaseException as error:
            self.failure = error
            log.exception("the dispatcher ends")
            raise
        finally:
            self._disconnect()

    def _look(self) -> None:
        brokers = [name for name, link in self._links.items() if link.connected]
        if not brokers:
            return
        try:
            connection = self._connected()
            for due in FleetTraffic(connection).due(brokers, wall_ms()):
                self._send(connection, due)
        except psycopg.Error as error:
            log.warning("nothing can be sent to devices now: %s", str(error).strip())
            self._disconnect()

    def _send(self, connection: psycopg.Connection, due: Due) -> None:
        link = self._links[due.broker]
        if isinstance(due.message, Command):
            link.publish(due.device, "command", codec.encode_command(due.message))
        else:
            link.publish(due.device, "config", codec.encode_config(due.message))
            if due.is_stale:
                detail = {"revision": due.message.revision}
                LedgerStore(connection).raise_incident("config_stale", due.device, detail, wall_ms())

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = connect(
                self._dsn(), "dispatcher", autocommit=True, lock_timeout_s=PATIENCE_S, statement_timeout_s=PATIENCE_S
            )
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
