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
    """Reads `probe` until stopped. `see(name, readings, interval_s)` must be thread-safe and return at once."""

    def __init__(
        self,
        probe: Probe,
        see: Callable[[str, Sequence[Reading], float], None],
        now_ms: Callable[[], int],
        *,
        hung_after_s: float = HUNG_AFTER_S,
    ) -> None:
        super().__init__(name=f"probe {probe.name}", daemon=True)
        self.probe = probe
        self._see, self._now_ms, self._hung_after_s = see, now_ms, hung_after_s
        self._stopping = threading.Event()
        self._back_by_ms: int | None = None
        """When the call of the probe that is under way should have returned, without any allowance."""
        self.last_error = ""

    def run(self) -> None:
        """Ends only by `stop`: whatever a probe raises becomes a trouble, and the probe is read again."""
        while not self._stopping.is_set():
            self._read_once()
            self._wait_once()

    def stop(self) -> None:
        """Ask the thread to end; a probe that hangs is left behind."""
        self._stopping.set()
        try:
            self.probe.close()
        except Exception:  # a bug in one probe must not keep the agent from ending in good order
            log.exception("probe %s cannot be closed", self.probe.name)

    def hung_s(self) -> float:
        """For how long the call under way is late, once that is longer than any should be; else 0."""
        back_by_ms = self._back_by_ms
        seconds = 0.0 if back_by_ms is None else (self._now_ms() - back_by_ms) / 1000
        return seconds if seconds >= self._hung_after_s else 0.0

    def _wait_once(self) -> None:
        self._back_by_ms = self._now_ms() + round(self.probe.interval_s * 1000)
        try:
            self.probe.wait(self.probe.interval_s)
        except Exception:  # as in _read_once; a probe that cannot wait is read at its interval
            if not self._stopping.is_set():
                log.exception("probe %s has a bug in wait", self.probe.name)
            self._stopping.wait(self.probe.interval_s)
        finally:
            self._back_by_ms = None

    def _read_once(self) -> None:
        self._back_by_ms = self._now_ms()
        try:
            readings = list(self.probe.read())
            self.last_error = ""
        except ProbeError as error:
            readings = self._failed(str(error))
        except Exception as error:  # a bug in one probe must not blind the others: it is told as a fault
            if self._stopping.is_set():
                return
            log.exception("probe %s has a bug", self.probe.name)
            readings = self._failed(f"{type(error).__name__}: {error}")
        finally:
            self._back_by_ms = None
        self._see(self.probe.name, readings, self.probe.interval_s)

    def _failed(self, reason: str) -> list[Reading]:
        if reason != self.last_error:
            log.warning("probe %s cannot look: %s", self.probe.name, reason)
        self.last_error = reason
        return [Trouble(code="probe_failed", reason=reason)]
