"""Time on a machine without a battery-backed clock.

Intervals are CLOCK_BOOTTIME, which no step of the wall clock touches and which counts through suspend. Wall time is an
*anchor*: at that moment of CLOCK_BOOTTIME it was so much later. Anchors come from the kernel while it says that its
clock is kept right, and from exchanges with the hub. The one in force is `certain` until the machine's oscillator may
have run away from it too far; without one a stamp is provisional (`estimated`), and is repaired from the anchors before
and after it. Identity and order never depend on any of it.

Who is believed: the kernel, unless the hub's word contradicts it grossly. NTP is not authenticated, the hub is. Nobody
who says that it is earlier than what release and certificate attest.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

from contract.ids import ClockState
from contract.limits import MAX_TIME_MS
from edge_agent.clock_floor import Floor
from edge_agent.tls import Moment

_TIME_ERROR: Final = 5
"""adjtimex(2): the clock is not synchronised."""
_MS_PER_MS_OF_DRIFT: Final = 5_000
"""An oscillator that nothing keeps right goes wrong by up to 200 ppm: a millisecond in so many."""
_MS_PER_MS_OF_RTT: Final = _MS_PER_MS_OF_DRIFT // 2
"""After so long an anchor is as wrong as 1 ms of round trip, of which half counts, can make it."""
MAX_DRIFT_MS: Final = 5_000
"""An anchor is certain for as long as nothing can have run away from it by more than this: 7 hours."""
GROSS_MS: Final = 10_000
"""Kernel and hub that differ by more, beyond what the exchange leaves open, contradict each other."""
KERNEL_ALONE_MS: Final = 3_600_000
"""So long after a start without the hub's word, the kernel's is no reason any more to refuse a server for its dates."""
STEP_MS: Final = 500
"""A smaller step of the wall clock is not worth an event; several that add up to it are."""
_READING_MS: Final = 2
_READINGS: Final = 5
log = logging.getLogger(__name__)


class Stamp(NamedTuple):
    """A moment as an event carries it: Unix ms, and how far that is known to be right."""

    time_ms: int
    clock: ClockState

    @property
    def final(self) -> bool:
        """It will not be repaired: what carries it can be sealed."""
        return self.clock != "estimated"


class Anchor(NamedTuple):
    """At `at_ms` of CLOCK_BOOTTIME it was `at_ms + offset_ms` in Unix ms, give or take `error_ms`."""

    at_ms: int
    offset_ms: int
    error_ms: int

    def drift_ms(self, at_ms: int) -> int:
        """By how much the oscillator may have run away from this anchor at another moment."""
        return abs(at_ms - self.at_ms) // _MS_PER_MS_OF_DRIFT


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
    """Whether the kernel says that something (NTP, PTP) keeps its clock right. A date set by hand makes it say no."""
    # struct timex with modes = 0 only reads; 256 bytes hold it on every Linux ABI.
    state = _libc().adjtimex(ctypes.create_string_buffer(256))
    return isinstance(state, int) and 0 <= state < _TIME_ERROR


def offset_at(at_ms: int, before: Anchor | None, after: Anchor) -> int:
    """The offset at a moment between two anchors: the oscillator is taken to have run evenly from one to the other."""
    if at_ms >= after.at_ms or before is None:
        return after.offset_ms
    if at_ms <= before.at_ms:
        return before.offset_ms
    ran_ms = after.offset_ms - before.offset_ms
    return before.offset_ms + ran_ms * (at_ms - before.at_ms) // (after.at_ms - before.at_ms)


class Clock:
    """Stamps moments of CLOCK_BOOTTIME with wall time. Safe to use from every thread."""

    def __init__(
        self,
        *,
        floor: Floor | None = None,
        boottime: Callable[[], int] = boottime_ms,
        wall: Callable[[], int] = wall_ms,
        synchronised: Callable[[], bool] = kernel_synchronised,
    ) -> None:
        self._boottime, self._wall, self._synchronised = boottime, wall, synchronised
        self._lock = threading.Lock()
        self._floor = floor if floor is not None else Floor()
        self._began_ms = boottime()
        self._hub: Anchor | None = None
        self._hub_rtt_ms: int | None = None
        self._kernel: Anchor | None = None
        self._contradicted = False
        self._impossible = False
        self._last: Anchor | None = None
        """The anchor in force when time was last certain."""
        self._before: Anchor | None = None
        self._after: Anchor | None = None
        """The two around the latest stretch of uncertainty that has ended."""
        self._certain = False
        self._wall_offset_ms = self._system_offset_ms()

    def now_ms(self) -> int:
        """CLOCK_BOOTTIME now, ms."""
        return self._boottime()

    def stamp(self, at_ms: int) -> Stamp:
        """Wall time of the moment `at_ms` of CLOCK_BOOTTIME; provisional where it is `estimated`."""
        anchor = self._look()
        if anchor is not None:
            return Stamp(_bounded(at_ms + anchor.offset_ms), "synced")
        with self._lock:
            last = self._last
        offset_ms = self._system_offset_ms() if last is None else last.offset_ms
        return Stamp(_bounded(max(at_ms + offset_ms, self._floor_ms(at_ms))), "estimated")

    def certain(self) -> bool:
        """Whether it is known what time it is."""
        return self._look() is not None

    def repaired_ms(self, at_ms: int) -> int:
        """Unix ms of a moment of this boot that had only a provisional stamp. Only while the time is certain."""
        anchor = self._look()
        with self._lock:
            after = self._after or anchor
            if after is None:
                raise RuntimeError("nothing can be repaired while the time is not known")
            return _bounded(at_ms + offset_at(at_ms, self._before, after))

    def moment(self, floor_ms: int = 0) -> Moment:
        """What plans may take the time to be; `floor_ms`: when a certificate begins or a code was issued."""
        now_ms = self._boottime()
        stamp = self.stamp(now_ms)
        return Moment(stamp.time_ms, certain=True) if stamp.final else self._past(now_ms, floor_ms)

    def tls_moment(self, floor_ms: int = 0) -> Moment:
        """What TLS may take the time to be: where the hub has said nothing for an hour, the kernel locks nobody out.

        Where NTP told a wrong time, no broker could be reached for ever, and so nobody who knows the right one.
        """
        now_ms = self._boottime()
        with self._lock:
            alone = self._possible(self._hub) is None and now_ms - self._began_ms >= KERNEL_ALONE_MS
        return self._past(now_ms, floor_ms) if alone else self.moment(floor_ms)

    def _past(self, now_ms: int, floor_ms: int) -> Moment:
        return Moment(max(floor_ms, self._floor.for_certificates(now_ms - self._began_ms)), certain=False)

    # -- the hub's word ------------------------------------------------------------------------------------------

    def learn(self, hub_time_ms: int, sent_at_ms: int, received_at_ms: int) -> None:
        """Take the hub's time out of an exchange; a shorter way counts more, and the older the last one, the less."""
        rtt = received_at_ms - sent_at_ms
        with self._lock:
            age_ms = received_at_ms - self._hub.at_ms if self._hub is not None else 0
            if self._hub_rtt_ms is None or rtt <= self._hub_rtt_ms + 50 + age_ms // _MS_PER_MS_OF_RTT:
                self._hub_rtt_ms = rtt
                self._hub = Anchor(received_at_ms, hub_time_ms - (sent_at_ms + rtt // 2), rtt - rtt // 2)
        self._look()

    def rtt_ms(self) -> int | None:
        """Round trip of the exchange that the time was learned from, ms."""
        with self._lock:
            return self._hub_rtt_ms

    def offset_ms(self) -> int | None:
        """By how much the system's wall clock is behind the hub's, ms."""
        with self._lock:
            hub = self._hub
        return None if hub is None else hub.offset_ms - self._system_offset_ms()

    # -- the system's clock --------------------------------------------------------------------------------------

    def take_step_ms(self) -> int | None:
        """By how much the system's wall clock was set forward (or back, < 0) since the last call; None if it was not.

        Wall clock and CLOCK_BOOTTIME run at one rate, whatever NTP does to it: what moves them apart is a step.
        """
        offset_ms = self._system_offset_ms()
        with self._lock:
            step_ms = offset_ms - self._wall_offset_ms
            if abs(step_ms) < STEP_MS:
                return None
            self._wall_offset_ms = offset_ms
        return step_ms

    def _system_offset_ms(self) -> int:
        """Wall clock minus CLOCK_BOOTTIME, read close enough to each other."""
        for _ in range(_READINGS):
            before_ms = self._boottime()
            offset_ms = self._wall() - before_ms
            if self._boottime() - before_ms <= _READING_MS:
                break
        return offset_ms

    # -- which anchor is in force --------------------------------------------------------------------------------

    def _look(self) -> Anchor | None:
        """The anchor in force now; None while the time is not known."""
        synchronised = self._synchronised()
        offset_ms = self._system_offset_ms() if synchronised else 0
        now_ms = self._boottime()
        with self._lock:
            if synchronised:
                self._kernel = Anchor(now_ms, offset_ms, 0)
            anchor = self._choose()
            certain = anchor is not None and anchor.drift_ms(now_ms) <= MAX_DRIFT_MS
            self._note(anchor, certain=certain)
            return anchor if certain else None

    def _choose(self) -> Anchor | None:
        kernel, hub = self._possible(self._kernel), self._possible(self._hub)
        self._tell_impossible(kernel is not self._kernel or hub is not self._hub)
        if kernel is None or hub is None:
            return kernel or hub
        apart_ms = abs(kernel.offset_ms - hub.offset_ms)
        contradicted = apart_ms > GROSS_MS + hub.error_ms + hub.drift_ms(kernel.at_ms)
        if contradicted and not self._contradicted:
            log.warning("the system's clock and the hub's are %d s apart; the hub's counts", apart_ms // 1000)
        self._contradicted = contradicted
        if contradicted:
            return hub
        return kernel if kernel.at_ms >= hub.at_ms else hub

    def _possible(self, anchor: Anchor | None) -> Anchor | None:
        """None if it is earlier than what is attested, which cannot be."""
        if anchor is None:
            return None
        floor_ms = self._floor.attested(anchor.at_ms - self._began_ms)
        return None if anchor.at_ms + anchor.offset_ms + anchor.error_ms + GROSS_MS < floor_ms else anchor

    def _tell_impossible(self, impossible: bool) -> None:  # noqa: FBT001 - told when it begins
        if impossible and not self._impossible:
            log.warning("a clock (system or hub) is before this release and this certificate; it is not believed")
        self._impossible = impossible

    def _note(self, anchor: Anchor | None, *, certain: bool) -> None:
        """Remember the anchors around what is not certain."""
        if certain and not self._certain:
            self._before, self._after = self._last, anchor
        if certain:
            self._last = anchor
        self._certain = certain

    def _floor_ms(self, at_ms: int) -> int:
        return self._floor.for_stamps(max(at_ms, self._began_ms) - self._began_ms)


def _bounded(time_ms: int) -> int:
    return min(max(time_ms, 0), MAX_TIME_MS)
