"""Further processes of one ingest. They share the brokers' messages, so that more than one core decodes and packs.

A colleague takes events only. Status messages reach every subscriber, so the first process alone books presence and
answers hellos. A colleague that dies ends the ingest, whose service manager starts it anew; a colleague whose ingest is
gone, even by SIGKILL, ends by itself.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import Final

from hub.config import HubSettings
from hub.ingest.service import IngestService
from hub.log import set_up_log
from hub.metrics import HubMetrics
from hub.service import run_until

_STOP_S: Final = 30.0
"""More than a writer's last commit may take."""
log = logging.getLogger(__name__)


class Colleague:
    """One further process, as a service of the first."""

    def __init__(self, settings: HubSettings, number: int) -> None:
        self.name = f"ingest process {number}"
        mqtt = settings.mqtt.model_copy(update={"worker_name": f"{settings.mqtt.worker_name}.{number}"})
        # Started afresh, not forked: this process has threads and connections that a copy must not hold.
        spawning = multiprocessing.get_context("spawn")
        self._lifeline, self._held = spawning.Pipe(duplex=False)
        self._process = spawning.Process(
            target=_work, args=(settings.model_copy(update={"mqtt": mqtt}), self._lifeline), name=self.name
        )

    def start(self) -> None:
        """Returns at once; it listens as soon as it can."""
        self._process.start()
        self._lifeline.close()

    def stop(self) -> None:
        """Let it commit what it has in hand, and wait for it."""
        self._held.close()
        if self._process.pid is None:
            return
        self._process.join(_STOP_S)
        if self._process.is_alive():
            log.error("%s does not end and is killed; the agents keep what it had", self.name)
            self._process.kill()
            self._process.join()

    def failure(self) -> str | None:
        """How it ended; None while it works."""
        code = self._process.exitcode
        return None if code is None else f"{self.name} ended with exit code {code}"

    def silent_s(self) -> float:
        """It looks after itself: one that hangs says so in its log, and its share of messages goes to the others."""
        return 0.0


def _work(settings: HubSettings, lifeline: Connection) -> None:
    """The process: an ingest of events alone, for as long as the first process holds the other end of `lifeline`."""
    set_up_log(settings.log.level, settings.log.format)
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to the whole group; the first process says when to stop
        signal.signal(number, signal.SIG_IGN)
    let_go = threading.Event()
    threading.Thread(target=_watch, args=(lifeline, let_go), name="lifeline", daemon=True).start()
    reason = run_until(let_go, (IngestService(settings, HubMetrics(), keeps_presence=False),))
    if reason is not None:
        sys.exit(reason)


def _watch(lifeline: Connection, let_go: threading.Event) -> None:
    lifeline.poll(None)  # nothing is ever sent: it returns when the other end is closed
    let_go.set()
