"""Feeds systemd's watchdog, but only while everything goes on that a restart could mend.

Fed from the main loop, so that its own progress is proven by the feeding itself. On top of that two things are asked:

- an event that has waited long for its commit: the writer hangs, or something holds the outbox;
- a courier that has worked long without going back to wait: a resolver or a handshake without an end.

Not asked: whether there is a connection (a broker that is down is no better after a restart, and the outbox keeps what
is recorded), and whether probes hang (each becomes a fault that says so; a frozen player freezes the next agent, too).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from edge_agent.sd_notify import Manager

_FEEDINGS: Final = 4
"""Feedings in the manager's time; it advises two."""
log = logging.getLogger(__name__)


class Patience(Struct, frozen=True):
    """From when on something is stuck."""

    commit_s: float = 60.0
    """Longer than any pause of a poor SD card that ever ended; many were seen of several seconds, some of thirty."""
    courier_s: float = 300.0
    """Longer than all time limits of one connect in a row: resolver (servers, tries, families), TCP, TLS, goodbye."""


class Watchdog:
    """`turn` is called by the main loop, at least every second or so."""

    def __init__(
        self,
        manager: Manager,
        *,
        commit_waits_s: Callable[[], float],
        courier_busy_s: Callable[[], float],
        patience: Patience | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now` and the durations leave out time in suspend, as the manager's own clock does."""
        self._manager, self._now = manager, now
        self._commit_waits_s, self._courier_busy_s = commit_waits_s, courier_busy_s
        self._patience = Patience() if patience is None else patience
        self._fed: float | None = None
        self._stuck = ""

    @property
    def stuck(self) -> str:
        """What does not go on; empty if all does."""
        return self._stuck

    def turn(self) -> None:
        """Feed, if it is time and all goes on."""
        now = self._now()
        if self._fed is not None and now - self._fed < self._manager.watchdog_s / _FEEDINGS:
            return
        stuck = self._look()
        if stuck and stuck != self._stuck:
            log.critical("%s; systemd's watchdog is not fed any more and will restart the agent", stuck)
        elif self._stuck and not stuck:
            log.warning("it goes on again: %s", self._stuck)
        self._stuck = stuck
        if stuck:
            return
        self._fed = now
        if self._manager.watchdog_s:
            self._manager.alive()

    def _look(self) -> str:
        if self._commit_waits_s() > self._patience.commit_s:
            return f"an event has waited more than {self._patience.commit_s:g} s for its commit"
        if self._courier_busy_s() > self._patience.courier_s:
            return f"the courier has hung for more than {self._patience.courier_s:g} s"
        return ""
