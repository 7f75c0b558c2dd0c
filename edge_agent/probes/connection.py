"""What a probe does that looks over one connection, open for as long as the player lives.

What the player tells by itself ends `wait` early. A player that is frozen keeps its connection, for it may go on; one
that is gone or talks nonsense loses it, and the next read connects anew.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from edge_agent.observation import Reading
from edge_agent.probes.base import ProbeError

MIN_GAP_S: Final = 0.1
"""However much a player tells, it is looked at no more often than this."""


class LostError(Exception):
    """There is no talking with the player. `code` is the trouble to report; the next read tries again."""

    code: str


class GoneError(LostError):
    """No player listens, or the one that did has gone. Connect anew."""


class FrozenError(LostError):
    """The player is there and does not answer. The connection, if there was one, stays good."""


class Connection(Protocol):
    """Used by one thread; `close` may come from any."""

    def close(self) -> None:
        """End it; whoever listens on it in another thread gets a GoneError."""


AnyConnection = TypeVar("AnyConnection", bound=Connection)


class ConnectedProbe(ABC, Generic[AnyConnection]):
    """Keeps the connection; what is asked over it, and what a look at it means, is the business of each probe."""

    def __init__(self, name: str, interval_s: float, now_ms: Callable[[], int]) -> None:
        self.name, self.interval_s = name, interval_s
        self._now_ms = now_ms
        self._connection: AnyConnection | None = None
        self._problem: ProbeError | None = None
        """What came up while nobody could be told: in `wait`."""
        self._read_at_s = 0.0
        self._closing = threading.Event()

    def read(self) -> Sequence[Reading]:
        """What is on screen, and what is wrong. Raises ProbeError."""
        at_ms = self._now_ms()
        try:
            return self._look(self._connected(), at_ms)
        except LostError as lost:
            readings = self._without(lost, at_ms)
            if isinstance(lost, GoneError):
                self._disconnect()
            return readings
        except ProbeError:
            self._disconnect()
            raise
        finally:
            self._read_at_s = time.monotonic()

    def wait(self, timeout_s: float) -> None:
        """Return when the player tells of a change, at the earliest 0.1 s after the last read."""
        now_s = time.monotonic()
        end_s, earliest_s = now_s + timeout_s, min(self._read_at_s + MIN_GAP_S, now_s + timeout_s)
        connection = self._connection
        if connection is None:
            self._closing.wait(timeout_s)
            return
        woken = False
        while (left_s := (earliest_s if woken else end_s) - time.monotonic()) > 0 and not self._closing.is_set():
            try:
                woken = self._hear(connection, left_s) or woken
            except GoneError:
                return
            except ProbeError as problem:
                self._problem = problem
                return

    def close(self) -> None:
        """Let go of the player."""
        self._closing.set()
        self._disconnect()

    @abstractmethod
    def _connect(self) -> AnyConnection:
        """A new connection. Raises LostError, ProbeError."""

    @abstractmethod
    def _begin(self, connection: AnyConnection) -> None:
        """Say what comes first over a new connection, which is kept by now. Raises LostError, ProbeError."""

    @abstractmethod
    def _look(self, connection: AnyConnection, at_ms: int) -> Sequence[Reading]:
        """What the player shows, and what is wrong; `at_ms` is when the read began. Raises LostError, ProbeError."""

    @abstractmethod
    def _without(self, lost: LostError, at_ms: int) -> Sequence[Reading]:
        """What there is to say of a player that cannot be talked with."""

    @abstractmethod
    def _hear(self, connection: AnyConnection, timeout_s: float) -> bool:
        """Take what the player tells next; whether it is worth a look. Raises GoneError, ProbeError."""

    def _connected(self) -> AnyConnection:
        problem, self._problem = self._problem, None
        if problem is not None:
            raise problem
        if self._connection is None:
            self._connection = connection = self._connect()
            self._begin(connection)
            return connection
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
