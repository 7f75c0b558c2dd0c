"""Parts of the hub that live in one process: started together, stopped together, and none may die unnoticed."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Final, Protocol

_LOOK_S: Final = 0.25
log = logging.getLogger(__name__)


class Service(Protocol):
    """Something that runs in threads of its own."""

    def start(self) -> None:
        """Return when it works; HubError if it cannot."""

    def stop(self) -> None:
        """End in order and wait for it; may be called after a failure."""

    def failure(self) -> str | None:
        """Why it stopped by itself; None while it works."""


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


def run_until(asked: threading.Event, services: Sequence[Service]) -> str | None:
    """Start the services in order, stop them in reverse once `asked` is set or one fails; why it failed, or None."""
    with ExitStack() as stops:
        for service in services:
            stops.callback(service.stop)
            service.start()
        log.info("running")
        while not asked.wait(_LOOK_S):
            for service in services:
                reason = service.failure()
                if reason is not None:
                    log.error("stopping: %s", reason)
                    return reason
        log.info("stopping: asked to")
    return None
