"""Time on a machine without a battery-backed clock.

Intervals are CLOCK_BOOTTIME, which no step of the wall clock touches and which counts through suspend. Wall time is
*synced* once the kernel says that its clock is disciplined or a receipt has told the hub's time; until then it is
*estimated*. Identity and order never depend on it.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

from contract.ids import ClockState
from contract.limits import MAX_TIME_MS

_TIME_ERROR: Final = 5
"""adjtimex(2): the clock is not synchronised."""
_MS_PER_MS_OF_RTT: Final = 5_000
"""A free-running clock goes wrong by up to 100 ppm; after so long it is as wrong as 1 ms of round trip can make it."""


class Stamp(NamedTuple):
    """A moment as an event carries it: Unix ms, and how far that is known to be right."""

    time_ms: int
    clock: ClockState


def boottime_ms() -> int:
    """CLOCK_BOOTTIME in ms."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def wall_ms() -> int:
    """The system's wall clock in Unix ms, right or wrong."""
    return time.time_ns() // 1_000_000


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def kernel_synchronised() -> bool:
    """Whether the kernel says that something (NTP, PTP) keeps its clock right."""
    # struct timex with modes = 0 only reads; 256 bytes hold it on every Linux ABI.
    state = _libc().adjtimex(ctypes.create_string_buffer(256))
    return isinstance(state, int) and 0 <= state < _TIME_ERROR


class Clock:
    """Stamps moments of CLOCK_BOOTTIME with wall time. Safe to use from every thread."""

    def __init__(
        self,
        *,
        boottime: Callable[[], int] = boottime_ms,
        wall: Callable[[], int] = wall_ms,
        synchronised: Callable[[], bool] = kernel_synchronised,
    ) -> None:
        self._boottime, self._wall, self._synchronised = boottime, wall, synchronised
        self._lock = threading.Lock()
        self._hub_offset_ms: int | None = None
        self._hub_rtt_ms: int | None = None
        self._learned_ms = 0

    def now_ms(self) -> int:
        """CLOCK_BOOTTIME now, ms."""
        return self._boottime()

    def stamp(self, at_ms: int) -> Stamp:
        """Wall time of the moment `at_ms` of CLOCK_BOOTTIME."""
        if self._synchronised():
            return Stamp(_bounded(self._wall() - self._boottime() + at_ms), "synced")
        with self._lock:
            offset = self._hub_offset_ms
        if offset is not None:
            return Stamp(_bounded(at_ms + offset), "synced")
        return Stamp(_bounded(self._wall() - self._boottime() + at_ms), "estimated")

    def learn(self, hub_time_ms: int, sent_at_ms: int, received_at_ms: int) -> None:
        """Take the hub's time out of an exchange; a shorter way counts more, and the older the last one, the less."""
        rtt = received_at_ms - sent_at_ms
        with self._lock:
            age_ms = received_at_ms - self._learned_ms
            if self._hub_rtt_ms is None or rtt <= self._hub_rtt_ms + 50 + age_ms // _MS_PER_MS_OF_RTT:
                self._hub_rtt_ms, self._learned_ms = rtt, received_at_ms
                self._hub_offset_ms = hub_time_ms - (sent_at_ms + rtt // 2)

    def rtt_ms(self) -> int | None:
        """Round trip of the exchange that the time was learned from, ms."""
        with self._lock:
            return self._hub_rtt_ms

    def offset_ms(self) -> int | None:
        """By how much the system's wall clock is behind the hub's, ms."""
        with self._lock:
            hub = self._hub_offset_ms
        return None if hub is None else hub - (self._wall() - self._boottime())


def _bounded(time_ms: int) -> int:
    return min(max(time_ms, 0), MAX_TIME_MS)
