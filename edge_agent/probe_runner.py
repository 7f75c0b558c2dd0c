"""One thread a probe: reads, hands over what was seen, waits. A probe that raises or hangs is alone in it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from edge_agent.observation import Reading, Trouble
from edge_agent.probes.base import Probe, ProbeError

HUNG_AFTER_S: Final = 30.0
log = logging.getLogger(__name__)


class ProbeRunner(threading.Thread):
    """Reads `probe` until stopped. `see(name, readings)` must be thread-safe and return at once."""

    def __init__(
        self, probe: Probe, see: Callable[[str, Sequence[Reading], float], None], now_ms: Callable[[], int]
    ) -> None:
        super().__init__(name=f"probe {probe.name}", daemon=True)
        self.probe = probe
        self._see, self._now_ms = see, now_ms
        self._stopping = threading.Event()
        self._reading_since_ms: int | None = None
        self.last_error = ""

    def run(self) -> None:
        """Ends only by `stop`: whatever a probe raises becomes a trouble, and the probe is read again."""
        while not self._stopping.is_set():
            self._read_once()
            self.probe.wait(self.probe.interval_s)

    def stop(self) -> None:
        """Ask the thread to end; a probe that hangs is left behind."""
        self._stopping.set()
        self.probe.close()

    def hung_s(self) -> float:
        """For how long the present read has been under way, once that is longer than any should take; else 0."""
        since = self._reading_since_ms
        seconds = 0.0 if since is None else (self._now_ms() - since) / 1000
        return seconds if seconds >= HUNG_AFTER_S else 0.0

    def _read_once(self) -> None:
        self._reading_since_ms = self._now_ms()
        try:
            readings = self.probe.read()
            self.last_error = ""
        except ProbeError as error:
            readings = self._failed(str(error))
        except Exception as error:  # a bug in one probe must not blind the others: it is told as a fault
            if self._stopping.is_set():
                return
            log.exception("probe %s has a bug", self.probe.name)
            readings = self._failed(f"{type(error).__name__}: {error}")
        finally:
            self._reading_since_ms = None
        self._see(self.probe.name, readings, self.probe.interval_s)

    def _failed(self, reason: str) -> list[Reading]:
        if reason != self.last_error:
            log.warning("probe %s cannot look: %s", self.probe.name, reason)
        self.last_error = reason
        return [Trouble(code="probe_failed", reason=reason)]
