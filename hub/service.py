"""Parts of the hub that live in one process: started together, stopped together, and none may die unnoticed."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Final, Protocol

from hub.service_manager import ServiceManager

_LOOK_S: Final = 0.25
SILENT_S: Final = 120.0
"""A part that is silent for longer is not spoken for: the service manager then ends the process and starts it anew."""
log = logging.getLogger(__name__)


class Service(Protocol):
    """Something that runs in threads of its own."""

    def start(self) -> None:
        """Return when it works; HubError if it cannot."""

    def stop(self) -> None:
        """End in order and wait for it; may be called after a failure."""

    def failure(self) -> str | None:
        """Why it stopped by itself; None while it works."""

    def silent_s(self) -> float:
        """For how long it has shown no progress that a restart could bring back, s; 0 while all is well."""


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set. A second signal ends the process at once. Main thread only."""
    asked = threading.Event()
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in signals}

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        for other in signals:
            signal.signal(other, signal.SIG_DFL)

    for number in signals:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_until(asked: threading.Event, services: Sequence[Service], manager: ServiceManager | None = None) -> str | None:
    """Start the services in order, stop them in reverse once `asked` is set or one fails; why it failed, or None.

    `manager` hears when all have started, and, while none is silent for longer than SILENT_S, that they live.
    """
    manager = manager or ServiceManager({})
    with ExitStack() as stops:
        for service in services:
            stops.callback(service.stop)
            service.start()
        stops.callback(manager.say, "STOPPING=1")
        manager.say("READY=1")
        log.info("running")
        fed_at = time.monotonic()
        while not asked.wait(_LOOK_S):
            for service in services:
                reason = service.failure()
                if reason is not None:
                    log.error("stopping: %s", reason)
                    return reason
            if manager.watchdog_s and time.monotonic() - fed_at >= manager.watchdog_s / 4:
                fed_at = time.monotonic()
                _feed(manager, services)
        log.info("stopping: asked to")
    return None


def _feed(manager: ServiceManager, services: Sequence[Service]) -> None:
    silent = [service for service in services if service.silent_s() > SILENT_S]
    for service in silent:
        log.error("%s shows no progress for %.0f s", type(service).__name__, service.silent_s())
    if not silent:
        manager.say("WATCHDOG=1")
