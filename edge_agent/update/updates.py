"""Updates as the running agent sees them: it takes the hub's order, has it fetched, and tells what came of it.

Ticked by the agent's thread, which it never keeps waiting. An order outlives power cuts; a refused or failed one, and
every result of root's part, becomes one lifecycle event `update`, which the hub counts on.
"""

from __future__ import annotations

import logging
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from contract.release import Fate, Offer, PackageError, Told, number
from contract.version import VERSION
from edge_agent.draft import Draft
from edge_agent.lifecycle import lifecycle
from edge_agent.tls import Moment
from edge_agent.update.fetched import Fetched
from edge_agent.update.fitness import here
from edge_agent.update.journal import read_results
from edge_agent.update.orders import Order, Orders
from edge_agent.update.places import INBOX, READY, Places

LOOK_MS: Final = 10_000
FIRST_PAUSE_MS: Final = 30_000
MAX_PAUSE_MS: Final = 3_600_000
log = logging.getLogger(__name__)


class Updates:
    """Of one agent. `may_fetch`: whether the month's data allows it now."""

    def __init__(
        self,
        state_folder: Path,
        moment: Callable[[], Moment],
        *,
        may_fetch: Callable[[], bool] = lambda: True,
        places: Places | None = None,
    ) -> None:
        self._state, self._moment, self._may_fetch = state_folder, moment, may_fetch
        self._places = places or Places()
        self._orders = Orders(state_folder / INBOX)
        self._process: subprocess.Popen[bytes] | None = None
        self._look_due_ms = self._try_due_ms = 0
        self._failures = 0
        self._told = self._orders.told()
        self.fetched_bytes = 0
        """That packages took on the line since the start."""

    def take(self, version: str, offers: Sequence[Offer]) -> str:
        """The hub's order; why not, or nothing. OSError: it could not be noted. May be called from any thread."""
        try:
            if number(version) == number(VERSION):
                return f"version {VERSION} is installed already"
        except PackageError as error:
            return str(error)
        machine = here()
        fitting = [one for one in offers if one.arch in ("any", machine.arch) and machine.python in one.python]
        if not fitting:
            return f"there is no package of {version} for {machine.arch} with Python {machine.python}"
        self._orders.give(Order(version=version, sha256=fitting[0].sha256, bytes=fitting[0].bytes))
        return ""

    def tick(self, now_ms: int) -> list[Draft]:
        """About once a second: what came of updates."""
        if self._process is not None:
            return self._watch(self._process, now_ms)
        if now_ms < self._look_due_ms:
            return []
        self._look_due_ms = now_ms + LOOK_MS
        drafts = self._results(now_ms)
        ready = (self._state / INBOX / READY).exists()
        if not ready and now_ms >= self._try_due_ms and self._orders.read() is not None and self._may_fetch():
            self._start()
        return drafts

    def stop(self) -> None:
        """End what runs; what has come stays."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _results(self, now_ms: int) -> list[Draft]:
        new = [result for result in read_results(self._places.state) if result.number > self._told]
        if not new:
            return []
        self._told = new[-1].number
        try:
            self._orders.note_told(self._told)
        except OSError as error:
            log.warning("what was told of updates cannot be noted, and is told again: %s", error.strerror)
        order = self._orders.read()
        if order is not None and any(result.told.version == order.version for result in new):
            self._orders.done()  # a power cut came between the handing over and this
        return [lifecycle("update", now_ms, result.told.detail()) for result in new]

    def _start(self) -> None:
        now = self._moment()
        command = [sys.executable, "-m", "edge_agent.update.fetching", str(self._state), str(self._places.key)]
        command += [str(now.time_ms), "certain" if now.certain else "floor"]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            log.warning("a package cannot be fetched now: %s", error.strerror)

    def _watch(self, process: subprocess.Popen[bytes], now_ms: int) -> list[Draft]:
        if process.poll() is None:
            return []
        self._process = None
        out, err = process.communicate()
        try:
            fetched = msgspec.json.decode(out, type=Fetched)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            lines = err.decode(errors="replace").strip().splitlines()
            fetched = Fetched("again", lines[-1] if lines else "it ended without a word")
        return self._after(fetched, now_ms)

    def _after(self, fetched: Fetched, now_ms: int) -> list[Draft]:
        self.fetched_bytes += fetched.bytes
        if fetched.state == "again":
            self._failures = 0 if fetched.bytes else self._failures + 1
            pause_ms = min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** min(self._failures, 8))
            self._try_due_ms = now_ms + int(pause_ms * random.uniform(0.5, 1))  # noqa: S311 - jitter
            log.info("the package is not here yet: %s", fetched.reason)
            return []
        order = self._orders.read()
        self._orders.done()
        self._failures = 0
        if fetched.state == "ready":
            log.info("a package is here and waits for its installation")
            return []
        fate: Fate = "refused" if fetched.state == "refused" else "failed"
        told = Told(fate, order.version if order is not None else "0.0.0", VERSION, fetched.reason)
        return [lifecycle("update", now_ms, told.detail())]
