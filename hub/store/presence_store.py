"""Who is there: intervals of presence, the session that speaks for a device, and two agents that share one name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import psycopg

from contract.status import AnyStatus, Goodbye, Hello, Queue
from hub.store.identities import Identities
from hub.store.moment import moment
from hub.store.named import named

_RETURNS_OF_A_CLONE: Final = 2
_RETURN_WINDOW: Final = timedelta(minutes=30)
"""A session that comes back once is a message that was late; twice within this time it is a second agent."""


class PresenceStore:
    """One connection's hand on presence; the connection is in autocommit mode."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._identities = Identities()

    def check_writable(self) -> None:
        """psycopg.Error if the database can be reached and not written to."""
        self._execute("writable")

    def set_silence(self, alive_timeout_s: float, link_timeout_s: float) -> None:
        """Tell readers' views after how long a silent device is offline, and a silent worker gone."""
        self._execute("silence", alive_s=alive_timeout_s, link_s=link_timeout_s)

    def heard(self, name: str, status: AnyStatus, broker: str, now_ms: int) -> bool:
        """Book a status message. True if it shows that two agents use this name at once."""
        now = moment(now_ms)
        with self._connection.transaction():
            device = self._identities.device(self._connection, name)
            if isinstance(status, Goodbye):
                self._execute("gone", device=device, nonce=status.nonce, reason=status.reason, now=now)
                return False
            self._execute("seen", device=device, nonce=status.nonce, broker=broker, now=now)
            if isinstance(status, Hello):
                self._execute("replaced", device=device, nonce=status.nonce, now=now)
            cloned = self._session(device, status.session, now)
            self._queue(device, status.queue, status.version if isinstance(status, Hello) else None)
            return cloned

    def listening(self, worker: str, broker: str, since_ms: int, now_ms: int, timeout_s: float) -> None:
        """This worker has listened on `broker` since then: whoever was silent for `timeout_s` of it is gone."""
        since, now = moment(since_ms), moment(now_ms)
        with self._connection.transaction():
            self._execute("link_open", worker=worker, broker=broker, since=since, now=now)
            self._execute("silent", broker=broker, listening_since=since, now=now, timeout_s=timeout_s)

    def deaf(self, worker: str, broker: str, now_ms: int) -> None:
        """This worker does not listen on `broker` any more: what it heard there last is unknown from now on."""
        self._execute("link_closed", worker=worker, broker=broker, now=moment(now_ms))

    def _session(self, device: int, session: str, now: datetime) -> bool:
        row = self._execute("now", device=device).fetchone()
        current, returns, returned_at = row or (None, 0, None)
        if current == session:
            return False
        is_new = self._execute("note_session", device=device, session=session, now=now).fetchone() is not None
        if is_new:
            returns_now, when = returns, returned_at
        else:
            recent = returned_at is not None and now - returned_at < _RETURN_WINDOW
            returns_now, when = (returns + 1 if recent else 1), now
        self._execute("set_session", device=device, session=session, returns=returns_now, returned_at=when)
        return not is_new and returns_now >= _RETURNS_OF_A_CLONE

    def _queue(self, device: int, queue: Queue, version: str | None) -> None:
        self._execute(
            "set_queue",
            device=device,
            events=queue.events,
            oldest_s=queue.oldest_s,
            full=queue.full,
            refused=queue.refused,
            version=version,
        )

    def _execute(self, name: str, **values: object) -> psycopg.Cursor:
        return self._connection.execute(named("presence_write")[name], values)
