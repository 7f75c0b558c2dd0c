"""The agent put together: probes see, the observer makes events, the recorder keeps them, the courier brings them.

    probe threads -> queue -> this thread: observer -> recorder -> outbox -> courier -> broker
    bridge threads -----------------------------------^

Everything that the observer does happens in the thread that calls `run`.
"""

from __future__ import annotations

import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from contract.config import DeviceConfig
from contract.errors import ContractError
from contract.events import UNNUMBERED, Fault
from contract.version import VERSION
from edge_agent import status_file
from edge_agent.bridge import Bridge
from edge_agent.bridge_rules import BridgeError, NotAccepted
from edge_agent.clock import Clock
from edge_agent.clock_floor import FloorFile
from edge_agent.config import AgentSettings
from edge_agent.courier import LAST_BATCHES_S, Courier
from edge_agent.draft import UNSTAMPED, Draft
from edge_agent.errors import AgentError, AgentFailed
from edge_agent.footprint import STARTED_MS, hand_back
from edge_agent.health import Self
from edge_agent.identity.keeper import Keeper
from edge_agent.identity.moment import clock_of
from edge_agent.identity.store import Identity, read_identity
from edge_agent.lifecycle import boot_id, is_new_boot, lifecycle, remember_boot
from edge_agent.observation import Reading, Showing
from edge_agent.observer import Observer
from edge_agent.outbox.errors import OutboxError
from edge_agent.outbox.outbox import Outbox
from edge_agent.probe_runner import ProbeRunner
from edge_agent.probes.base import Probe
from edge_agent.probes.registry import PROBES
from edge_agent.reception import Reception
from edge_agent.recorder import Recorder
from edge_agent.remote.configuration import merged
from edge_agent.remote.hands import hands
from edge_agent.remote.remote import Remote
from edge_agent.sd_notify import Manager
from edge_agent.update.updates import Updates
from edge_agent.watchdog import Patience, Watchdog
from edge_agent.way import find_way

TICK_MS: Final = 1_000
COURIER_ENDS_S: Final = LAST_BATCHES_S + 2.0
"""How long a stopping agent waits for its courier, which may hang in a connect or in the resolver."""
log = logging.getLogger(__name__)


class _Seen(NamedTuple):
    component: str
    readings: Sequence[Reading]
    look_s: float


class Agent:
    """One agent with its own outbox. `run` returns after `stop`, or raises AgentError when it cannot go on."""

    def __init__(
        self,
        settings: AgentSettings,
        *,
        probes: Sequence[Probe] | None = None,
        recorder: Callable[[Outbox, Clock], Recorder] = Recorder,
        manager: Manager | None = None,
        patience: Patience | None = None,
    ) -> None:
        """`probes` replaces those of the settings: the simulator's players are probes, too; its recorder tells more.

        `manager` is told how we are, and fed as long as everything goes on within `patience`.
        """
        self._own_settings = settings
        self._state, self._runtime = Path(settings.state_folder), Path(settings.runtime_folder)
        for folder in (self._state, self._runtime):
            _make(folder)
        self._floor = FloorFile(self._state)
        self._clock = clock_of(self._state, read_identity(self._state))
        self._remote = Remote(self._state, settings.remote, self._clock, apply=self._apply, record=self._record)
        self._settings = settings = merged(settings, self._remote.configuration)
        self._started_ms = self._clock.now_ms()
        self._hand_back_due_ms: int | None = self._started_ms + STARTED_MS
        self._version = VERSION
        self._boot = boot_id()
        way = find_way(settings, self._clock.tls_moment)
        self._device = way.device
        self._keeper = self._make_keeper(way.identity) if way.identity else None
        probes = make_probes(settings) if probes is None else probes
        self.outbox = _open_outbox(settings, self._state, self._boot)
        self.recorder = recorder(self.outbox, self._clock)
        self._observer = Observer(settings.playlog, self._own)
        self.courier = Courier(
            way.device,
            way.brokers,
            self.outbox,
            self._clock,
            version=self._version,
            faults=self._observer.faults,
            served=lambda broker: self._keeper.served(broker.generation) if self._keeper is not None else None,
            config=self._remote.revision,
            on_word=self._remote.hear,
        )
        self.outbox.on_commit = self.courier.wake
        self._seen: queue.SimpleQueue[_Seen | None] = queue.SimpleQueue()
        self._runners = [ProbeRunner(probe, self._put, self._clock.now_ms) for probe in probes]
        self._bridge = self._make_bridge()
        self.updates = Updates(self._state, self._clock.tls_moment, may_fetch=lambda: self._remote.has_plenty)
        self._stopping = threading.Event()
        self._manager = Manager() if manager is None else manager
        self._watchdog = Watchdog(
            self._manager,
            commit_waits_s=self.outbox.waits_s,
            courier_busy_s=self.courier.busy_s,
            patience=patience,
        )

    @property
    def bridge_url(self) -> str | None:
        """Where the kiosk's pages find the bridge; None if it is off."""
        return self._bridge.url if self._bridge is not None else None

    def stop(self) -> None:
        """Make `run` return. May be called from a signal handler or any thread."""
        self._stopping.set()
        self._seen.put(None)

    def run(self) -> None:
        """See, keep and bring until stopped. AgentError if the outbox cannot be used any more, or a thread ended."""
        self._begin()
        try:
            tick_due_ms = status_due_ms = self._clock.now_ms()
            while not self._stopping.is_set():
                now_ms = self._clock.now_ms()
                if now_ms >= tick_due_ms:
                    tick_due_ms = now_ms + TICK_MS
                    self._tick(now_ms)
                if now_ms >= status_due_ms:
                    status_due_ms = now_ms + int(status_file.EVERY_S * 1000)
                    status_file.write(self._runtime, self.status())
                    self._manager.status(self._in_a_line())
                self._watchdog.turn()
                self.recorder.record(self._look((tick_due_ms - now_ms) / 1000))
        except sqlite3.Error as error:  # status and health ask the outbox
            self.outbox.suspect(error)
            raise self._unusable(error) from error
        finally:
            self._end()
        if (failure := self._failure()) is not None:
            raise self._unusable(failure)

    def status(self) -> status_file.AgentStatus:
        """The agent's condition now."""
        now_ms, remote = self._clock.now_ms(), self._remote.status()
        return status_file.AgentStatus(
            device=self._device,
            version=self._version,
            pid=os.getpid(),
            at_ms=now_ms,
            started_ms=self._started_ms,
            connected=self.courier.connected,
            last_error=self.courier.last_error,
            clock=self._clock.stamp(now_ms).clock,
            queue=self.courier.queue(),
            dropped=self.recorder.dropped,
            faults=self._observer.faults(),
            probes={runner.probe.name: runner.last_error for runner in self._runners},
            bridge=self._bridge.counts() if self._bridge is not None else {},
            certificate=self._keeper.status() if self._keeper is not None else None,
            config=remote.revision,
            is_open=remote.is_open,
            month_bytes=remote.month_bytes,
            budget_bytes=remote.budget_bytes,
            data=remote.data,
            on_screen=[
                status_file.OnScreen(
                    screen=shown.screen,
                    player=shown.player,
                    content=shown.content.ref if shown.content is not None else None,
                    facts=shown.facts,
                    since_ms=shown.since_ms,
                )
                for shown in self._observer.shown()
            ],
            online=self.courier.answered,
            since_ms=self.courier.since_ms,
            receipt_ms=self.courier.receipt_ms,
            rtt_ms=self._clock.rtt_ms(),
            clock_offset_ms=self._clock.offset_ms(),
        )

    def _in_a_line(self) -> str:
        """For `systemctl status`, which technicians look at."""
        if self._watchdog.stuck:
            return f"BỊ TREO, sắp tự khởi động lại (stuck): {self._watchdog.stuck}"
        waiting = f"{self.courier.queue().events} sự kiện chờ gửi (waiting)"
        if self.courier.connected:
            return f"đã kết nối (connected), {waiting}"
        return f"mất kết nối (not connected): {self.courier.last_error or 'chưa thử (none tried yet)'}; {waiting}"

    # -- begin and end ---------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._tell_beginning(self._clock.now_ms())
        self._note_time()
        self._manager.ready()
        self._remote.begin(self.courier, self._device, hands(self._settings), self._is_visited, self.updates)
        self.courier.start()
        for runner in self._runners:
            runner.start()
        if self._bridge is not None:
            self._bridge.start()

    def _tell_beginning(self, now_ms: int) -> None:
        """In one commit: an agent that has just been started does not wait for a second one."""
        new_boot = is_new_boot(self._state, self._boot)
        drafts = [lifecycle("boot", now_ms)] if new_boot else []
        drafts.append(lifecycle("start", now_ms, self._version))
        if self.outbox.set_aside is not None:
            drafts.append(_damaged(self.outbox.set_aside, now_ms))
        if self.outbox.newer_set_aside is not None:
            drafts.append(_newer(self.outbox.newer_set_aside, now_ms))
        if self._remote.kept_problem:
            drafts.append(
                lifecycle("config", now_ms, f"what the hub had set is lost: {self._remote.kept_problem}"[:512])
            )
        dropped = self.recorder.dropped
        self.recorder.record(drafts)
        if new_boot and self.recorder.dropped == dropped:
            remember_boot(self._state, self._boot)

    def _unusable(self, failure: BaseException) -> AgentFailed:
        if isinstance(failure, (OutboxError, sqlite3.Error)):
            return AgentFailed(f"the outbox in {self._state} cannot be used any more: {failure}")
        who = "the courier" if failure is self.courier.failure else "the writer of the outbox"
        what = f"{type(failure).__name__}: {failure}"
        return AgentFailed(f"{who} ended by a bug: {what}; restart the agent and report the log")

    def _failure(self) -> BaseException | None:
        return self.courier.failure or self.outbox.failure

    def _end(self) -> None:
        self._manager.stopping()
        for runner in self._runners:
            runner.stop()
        if self._bridge is not None:
            self._bridge.close()
        drafts = self._last_look()
        now_ms = self._clock.now_ms()
        self.recorder.record([*drafts, *self._observer.stop(now_ms), lifecycle("stop", now_ms)])
        if self._keeper is not None:
            self._keeper.stop()
        self._remote.end()
        self.updates.stop()
        self.courier.stop()
        self.courier.join(COURIER_ENDS_S)
        if self.courier.is_alive():
            log.warning("the courier hangs in a connection and is left behind; what it did not bring stays")
            self.courier.leave()
        self.outbox.close()
        self._note_time(at_once=True)
        status_file.remove(self._runtime)

    def _last_look(self) -> list[Draft]:
        """What was seen and not told yet; with a dead outbox that is nothing any more, and the rest still ends well."""
        try:
            return self._look(0)
        except sqlite3.Error as error:  # health asks the outbox
            log.warning("what was seen last is not told: %s", error)
            return []

    # -- seeing ------------------------------------------------------------------------------------------------------

    def _put(self, component: str, readings: Sequence[Reading], look_s: float) -> None:
        self._seen.put(_Seen(component, readings, look_s))

    def _show(self, showing: Showing) -> None:
        self._put("web", [showing], 2.0)

    def _look(self, wait_s: float) -> list[Draft]:
        """Events of all that was seen; waits for the first of it."""
        drafts: list[Draft] = []
        try:
            item = self._seen.get(timeout=max(wait_s, 0.001))
            while True:
                if item is not None:
                    drafts += self._observer.see(item.component, item.readings, self._clock.now_ms(), item.look_s)
                item = self._seen.get_nowait()
        except queue.Empty:
            return drafts

    def _tick(self, now_ms: int) -> None:
        drafts = self._observer.tick(now_ms)
        if (step_ms := self._clock.take_step_ms()) is not None:
            log.warning("the system's clock was set by %d s; nothing that is recorded follows it", step_ms // 1000)
            drafts.append(lifecycle("clock_step", now_ms, step_ms=step_ms))
        for runner in self._runners:
            if hung_s := runner.hung_s():
                drafts += self._observer.hung(runner.probe.name, hung_s, now_ms)
        if self._keeper is not None:
            drafts += self._keeper.tick(now_ms, connected=self.courier.connected)
            drafts += self._observer.see("identity", self._keeper.troubles(), now_ms, TICK_MS / 1000)
        drafts += self._observer.note("link", self._remote.tick(now_ms), now_ms)
        drafts += self.updates.tick(now_ms)
        self.recorder.record(drafts)
        self._note_time()
        if self._hand_back_due_ms is not None and now_ms >= self._hand_back_due_ms:
            self._hand_back_due_ms = None
            hand_back()
        if self._bridge is not None:
            self._bridge.tick()
        if self._failure() is not None:
            self._stopping.set()

    def _note_time(self, *, at_once: bool = False) -> None:
        """What the next start begins with at least. Only a certain time is noted, be it earlier than the last one."""
        now_ms = self._clock.now_ms()
        stamp = self._clock.stamp(now_ms)
        if stamp.final:
            self._floor.note(stamp.time_ms, now_ms, at_once=at_once)

    def _own(self) -> Self:
        sent, received = self.courier.traffic()
        return Self(self.courier.queue(), self._clock.rtt_ms(), self._clock.offset_ms(), sent, received)

    # -- identity ----------------------------------------------------------------------------------------------------

    def _make_keeper(self, identity: Identity) -> Keeper:
        clock = self._clock
        return Keeper(self._state, identity, clock.moment, self._show_new_certificate, tls_moment=clock.tls_moment)

    def _show_new_certificate(self) -> None:
        self.courier.use(find_way(self._settings, self._clock.tls_moment).brokers)

    # -- what the hub sets ---------------------------------------------------------------------------------------------

    def _apply(self, config: DeviceConfig) -> None:
        """What holds at once; the rest holds when the next agent starts with it."""
        settings = merged(self._own_settings, config)
        self.outbox.set_limit(settings.outbox.max_bytes)
        kinds = {registered.probe: registered.name for registered in PROBES}
        intervals = {name: table.interval_s for name, table in settings.probe_settings()}  # type: ignore[attr-defined]
        for runner in self._runners:
            kind = kinds.get(type(runner.probe), "")
            runner.probe.interval_s = intervals.get(kind, runner.probe.interval_s)

    def _record(self, drafts: list[Draft]) -> None:
        self.recorder.record(drafts)

    def _is_visited(self) -> bool:
        return self._bridge is not None and self._bridge.is_visited

    # -- visitors ----------------------------------------------------------------------------------------------------

    def _make_bridge(self) -> Bridge | None:
        if not self._settings.bridge.enabled:
            return None
        reception = Reception(self._settings.bridge, accept=self._accept, show=self._show, now_ms=self._clock.now_ms)
        try:
            return Bridge(self._settings.bridge, reception)
        except BridgeError as error:
            self.outbox.close()
            raise AgentError(str(error)) from error

    def _accept(self, drafts: list[Draft]) -> None:
        try:
            self.recorder.append(drafts)
        except (OutboxError, ContractError) as error:
            raise NotAccepted(str(error)) from error


def make_probes(settings: AgentSettings) -> list[Probe]:
    """The probes that are switched on."""
    kinds = {registered.name: registered.probe for registered in PROBES}
    return [kinds[name](table) for name, table in settings.probe_settings()]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise AgentError(f"cannot make {folder}: {error.strerror}; make it, owned by the agent's user") from error


def _open_outbox(settings: AgentSettings, folder: Path, boot: str) -> Outbox:
    try:
        return Outbox(
            folder,
            max_bytes=settings.outbox.max_bytes,
            commit_interval_s=settings.outbox.commit_interval_s,
            boot=boot,
        )
    except OutboxError as error:
        raise AgentError(str(error)) from error


def _damaged(set_aside: Path, at_ms: int) -> Draft:
    reason = f"the outbox could not be read and was set aside as {set_aside.name}; what it held is not known"
    return Draft(at_ms, Fault(seq=UNNUMBERED, time=UNSTAMPED, code="outbox_damaged", reason=reason, component="outbox"))


def _newer(set_aside: Path, at_ms: int) -> Draft:
    reason = f"the outbox is of a later version and was set aside as {set_aside.name}; its events wait in there"
    return Draft(at_ms, Fault(seq=UNNUMBERED, time=UNSTAMPED, code="outbox_newer", reason=reason, component="outbox"))
