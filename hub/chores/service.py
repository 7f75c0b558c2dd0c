"""Does the chores, each lane in a thread and with a connection of its own, if no other process of a database does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

from hub.chores.chore import Chore
from hub.config import HubSettings
from hub.metrics import HubMetrics
from hub.store import chores as store
from hub.store.connection import connect

LOOK_EVERY_S: Final = 1.0
CONNECT_EVERY_S: Final = 5.0
AGAIN_AFTER: Final = timedelta(minutes=10)
_HUNG_S: Final = 12 * 3600.0
LOCK_S: Final = 3.0
"""A chore that waits longer for a lock steps back and is tried again: what it holds meanwhile the ingest waits for.
Upkeep by hand does the same, but for trying again."""
log = logging.getLogger(__name__)


class ChoreService:
    """A service of the hub.

    A chore that fails is told, counted, and tried again after ten minutes, or after its period if that is shorter.
    """

    def __init__(self, settings: HubSettings, metrics: HubMetrics, chores: Sequence[Chore]) -> None:
        self._stopping = threading.Event()
        self._lanes = [
            _Lane(lane, [chore for chore in chores if chore.lane == lane], settings, metrics, self._stopping)
            for lane in dict.fromkeys(chore.lane for chore in chores)
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        for lane in self._lanes:
            lane.thread.start()

    def stop(self) -> None:
        """End after the part of a chore, or the step of a long one, that each lane has in hand."""
        self._stopping.set()
        for lane in self._lanes:
            if lane.thread.is_alive():
                lane.thread.join()

    def failure(self) -> str | None:
        """Why it stopped by itself; None while all lanes work."""
        errors = ((lane.name, lane.unexpected) for lane in self._lanes)
        return next((f"{name} ended: {type(error).__name__}: {error}" for name, error in errors if error), None)

    def silent_s(self) -> float:
        """Chores may take hours (a rebuild of years): only one that takes half a day is taken for hung."""
        return max(0.0, *(lane.busy_s() - _HUNG_S for lane in self._lanes))


class _Lane:
    """Chores that are done one after the other."""

    def __init__(
        self, name: str, chores: Sequence[Chore], settings: HubSettings, metrics: HubMetrics, stopping: threading.Event
    ) -> None:
        self.name = name if name == store.MAIN else f"{store.MAIN} {name}"
        self.thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self.unexpected: BaseException | None = None
        self._settings, self._metrics, self._chores = settings, metrics, chores
        self._stopping = stopping
        self._busy_since: float | None = None
        self._done_at: dict[str, datetime] = {}
        self._failed_at: dict[str, datetime] = {}

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    dsn = self._settings.database.conninfo()
                    with connect(dsn, self.name, lock_timeout_s=LOCK_S, autocommit=True) as connection:
                        self._work(connection)
                except psycopg.OperationalError as error:
                    log.warning("%s wait for the database: %s", self.name, str(error).strip())
                    self._stopping.wait(CONNECT_EVERY_S)
        except BaseException as error:
            self.unexpected = error
            log.exception("%s end", self.name)
            raise

    def _work(self, connection: psycopg.Connection[Any]) -> None:
        """Until this is to stop; psycopg.OperationalError when the database is gone."""
        alone = False
        while not self._stopping.wait(0 if alone else LOOK_EVERY_S):
            alone = alone or store.alone(connection, self.name)
            if alone:
                busy = [self._look_after(connection, chore) for chore in self._chores]
                if not any(busy) and self._stopping.wait(LOOK_EVERY_S):
                    return

    def _goes_on(self) -> bool:
        return not self._stopping.is_set()

    def _look_after(self, connection: psycopg.Connection[Any], chore: Chore) -> bool:
        """Do one chore if it is due; whether there is more of it to do at once."""
        now = datetime.now(UTC)
        failed_at = self._failed_at.get(chore.name)
        if failed_at is not None and now - failed_at < min(chore.every, AGAIN_AFTER):
            return False
        done_at = self._done_at.get(chore.name) or store.done_at(connection, chore.name)
        if not chore.is_due(done_at, now):
            return False
        more = False
        self._busy_since = time.monotonic()
        try:
            more = chore.part(connection, self._settings, now, self._goes_on)
            if not more:
                store.done(connection, chore.name, now)
                self._done_at[chore.name] = now
            self._failed_at.pop(chore.name, None)
        except Exception:
            if connection.broken:
                raise
            self._metrics.chore_failures.labels(chore=chore.name).inc()
            log.exception("chore %s", chore.name)
            self._failed_at[chore.name] = now
            return False
        finally:
            self._busy_since = None
        return more

    def busy_s(self) -> float:
        """For how long the chore in hand has been in hand; 0 between two."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since
