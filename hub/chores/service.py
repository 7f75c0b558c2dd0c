"""Does the chores in a thread and with a connection of its own, if no other process of this database does them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from hub.chores.chore import Chore
from hub.config import HubSettings
from hub.metrics import HubMetrics
from hub.store import chores as store
from hub.store.connection import connect

LOOK_EVERY_S: Final = 1.0
CONNECT_EVERY_S: Final = 5.0
LOCK_S: Final = 3.0
"""A chore that waits longer for a lock steps back and is tried again: what it holds meanwhile the ingest waits for.
Upkeep by hand does the same, but for trying again."""
log = logging.getLogger(__name__)


class ChoreService:
    """A service of the hub. A chore that fails is told, counted, and tried again when it is due the next time."""

    def __init__(self, settings: HubSettings, metrics: HubMetrics, chores: Sequence[Chore]) -> None:
        self._settings, self._metrics, self._chores = settings, metrics, chores
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chores", daemon=True)
        self._unexpected: BaseException | None = None
        self._tried_at: dict[str, datetime] = {}

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the part of a chore that is in hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def failure(self) -> str | None:
        """Why it stopped by itself; None while it works."""
        error = self._unexpected
        return None if error is None else f"chores ended: {type(error).__name__}: {error}"

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    dsn = self._settings.database.conninfo()
                    with connect(dsn, "chores", lock_timeout_s=LOCK_S, autocommit=True) as connection:
                        self._work(connection)
                except psycopg.OperationalError as error:
                    log.warning("chores wait for the database: %s", str(error).strip())
                    self._stopping.wait(CONNECT_EVERY_S)
        except BaseException as error:
            self._unexpected = error
            log.exception("chores end")
            raise

    def _work(self, connection: psycopg.Connection[Any]) -> None:
        """Until this is to stop; psycopg.OperationalError when the database is gone."""
        alone = False
        while not self._stopping.wait(0 if alone else LOOK_EVERY_S):
            alone = alone or store.alone(connection)
            if alone:
                busy = [self._look_after(connection, chore) for chore in self._chores]
                if not any(busy) and self._stopping.wait(LOOK_EVERY_S):
                    return

    def _look_after(self, connection: psycopg.Connection[Any], chore: Chore) -> bool:
        """Do one chore if it is due; whether there is more of it to do at once."""
        now = datetime.now(UTC)
        done_at = self._tried_at.get(chore.name) or store.done_at(connection, chore.name)
        if not chore.is_due(done_at, now):
            return False
        more = False
        try:
            more = chore.do(connection, self._settings, now)
            if not more:
                store.done(connection, chore.name, now)
        except Exception:
            if connection.broken:
                raise
            self._metrics.chore_failures.labels(chore=chore.name).inc()
            log.exception("chore %s", chore.name)
        if not more:
            self._tried_at[chore.name] = now
        return more
