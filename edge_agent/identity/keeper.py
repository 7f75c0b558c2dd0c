"""Renews the certificate by itself while the agent runs. Ticked by the agent's thread, which it never keeps waiting.

The work is a process (`renewal`); the keeper starts it, looks whether it has ended, and tells of what came of it. It
also sees when somebody else (`ttdn-agent enrol --again`) has put another identity in place.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from edge_agent.draft import Draft
from edge_agent.errors import AgentError, AgentFailed
from edge_agent.identity import renewal, renewal_plan
from edge_agent.identity.renewal import Outcome
from edge_agent.identity.store import Identity, IdentityStore
from edge_agent.lifecycle import lifecycle
from edge_agent.observation import Trouble
from edge_agent.tls import Moment

LOOK_MS: Final = 60_000
BLIND_MS: Final = 3_600_000
"""So long without a broker and without the time, and the certificate may have expired: brokers say only no."""
AFTER_BLIND_MS: Final = 24 * BLIND_MS
"""Before such a renewal is tried once more: it may be the broker that is down."""
log = logging.getLogger(__name__)


class CertificateStatus(Struct, frozen=True, kw_only=True):
    """What `ttdn-agent status` tells of it."""

    device: str
    not_before_ms: int
    not_after_ms: int
    renew_from_ms: int
    last_error: str
    """Why the last attempt to renew failed; empty if none did since the last success."""


class Keeper:
    """Of one agent's identity. `changed` is called, in the agent's thread, when a new generation is to be used."""

    def __init__(
        self,
        state_folder: Path,
        identity: Identity,
        moment: Callable[[int], Moment],
        changed: Callable[[], None],
        *,
        tls_moment: Callable[[int], Moment] | None = None,
    ) -> None:
        """`tls_moment` is the time that the renewal's own connection goes by, where it is not `moment`."""
        self._state, self._identity, self._moment, self._changed = state_folder, identity, moment, changed
        self._tls_moment = tls_moment or moment
        self._store = IdentityStore(state_folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._began_ms = self._look_due_ms = self._try_due_ms = 0
        self._reached_ms: int | None = None
        self._failures = 0
        self._outcome = Outcome()
        self._served = ""
        self._settled = ""

    def served(self, generation: str) -> None:
        """A broker has let us in with that generation. May be called from any thread."""
        self._served = generation

    def status(self) -> CertificateStatus:
        """Of the present certificate."""
        hub = self._identity.hub
        return CertificateStatus(
            device=hub.device,
            not_before_ms=hub.not_before_ms,
            not_after_ms=hub.not_after_ms,
            renew_from_ms=renewal_plan.due_ms(hub),
            last_error=self._outcome.error,
        )

    def tick(self, now_ms: int, *, connected: bool) -> list[Draft]:
        """About once a second; `connected` to a broker.

        AgentFailed if the device is another one now, and everything has to begin anew.
        """
        if connected or self._reached_ms is None:
            self._reached_ms = now_ms
        if self._process is not None:
            self._watch(self._process, now_ms)
        elif self._served != self._settled:
            self._settle(self._served)
        elif now_ms >= self._look_due_ms:
            self._look_due_ms = now_ms + LOOK_MS
            return self._look(now_ms)
        return []

    def troubles(self) -> list[Trouble]:
        """All that is wrong with it now."""
        found = []
        hub = self._identity.hub
        if (late := renewal_plan.trouble(hub, self._now(), self._outcome.error)) is not None:
            found.append(late)
        if self._outcome.code == "renewal_refused":
            found.append(Trouble(code="certificate_refused", reason=self._outcome.error))
        if self._served and self._served != self._identity.name:
            reason = (
                f"no broker takes the certificate until {renewal_plan.day(hub.not_after_ms)}; the one before serves"
            )
            found.append(Trouble(code="certificate_unusable", reason=reason))
        return found

    def stop(self) -> None:
        """End what runs; the next start goes on with it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _now(self) -> Moment:
        return self._moment(self._identity.floor_ms)

    def _look(self, now_ms: int) -> list[Draft]:
        try:
            newest = self._store.current()
            under_way = self._under_way()
        except (AgentError, OSError) as error:
            self._fail(Outcome(error=str(error)), now_ms)
            return []
        if newest is not None and newest.name != self._identity.name:
            return self._take(newest, now_ms)
        if now_ms >= self._try_due_ms and (under_way or self._is_due(now_ms)):
            self._start(now_ms)
        return []

    def _under_way(self) -> bool:
        try:
            return self._store.pending() is not None
        except AgentError:  # what cannot be read is not gone on with; a renewal that is due takes its place
            return False

    def _is_due(self, now_ms: int) -> bool:
        """By the time; without the time, also if no broker has let us in for long: the hub tells what time it is."""
        now = self._now()
        blind = not now.certain and self._reached_ms is not None and now_ms - self._reached_ms >= BLIND_MS
        return blind or renewal_plan.is_due(self._identity.hub, now)

    def _take(self, newest: Identity, now_ms: int) -> list[Draft]:
        if newest.hub.device != self._identity.hub.device:
            raise AgentFailed(f"this device was enrolled anew as {newest.hub.device}; the agent starts again as that")
        self._identity, self._outcome, self._failures = newest, Outcome(), 0
        self._served = self._settled = ""  # what served so far says nothing of this one
        until = renewal_plan.day(newest.hub.not_after_ms)
        log.info("the certificate was renewed until %s", until)
        self._changed()
        return [lifecycle("config", now_ms, f"certificate renewed until {until}")]

    def _start(self, now_ms: int) -> None:
        log.info("renewing the certificate")
        try:
            self._process = subprocess.Popen(
                renewal.command(self._state, self._tls_moment(self._identity.floor_ms)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self._began_ms = now_ms
        except OSError as error:
            self._fail(Outcome(error=f"cannot start a process: {error.strerror}"), now_ms)

    def _watch(self, process: subprocess.Popen[bytes], now_ms: int) -> None:
        if process.poll() is None:
            if now_ms - self._began_ms > renewal.TIMEOUT_S * 1000:
                self.stop()
                self._fail(Outcome(error=f"the renewal did not end within {int(renewal.TIMEOUT_S)} s"), now_ms)
            return
        self._process = None
        outcome = renewal.read_outcome(*process.communicate())
        if outcome.error:
            self._fail(outcome, now_ms)
        else:
            self._look_due_ms = 0  # to find what it has put in place
            self._try_due_ms = now_ms + AFTER_BLIND_MS

    def _fail(self, outcome: Outcome, now_ms: int) -> None:
        self._failures += 1
        self._outcome = outcome
        refused = outcome.code == "renewal_refused"
        pause_s = renewal_plan.pause_s(self._failures, refused=refused, asked_s=outcome.retry_after_s)
        self._try_due_ms = now_ms + int(pause_s * 1000)
        log.warning("the certificate is not renewed: %s; again in %d s", outcome.error, pause_s)

    def _settle(self, generation: str) -> None:
        """The newest one has served: those before it are not needed any more."""
        self._settled = generation
        if generation != self._identity.name:
            return
        try:
            with self._store.making(wait_s=0):
                self._store.keep_only(generation)
        except AgentError as error:
            log.warning("earlier certificates stay for now: %s", error)
