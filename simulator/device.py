"""One simulated device: the real agent, with a story in place of its player, and visitors if it is a kiosk."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from contract.errors import ContractError
from edge_agent.agent import Agent
from edge_agent.bridge_rules import BridgeSettings, NotAccepted
from edge_agent.clock import boottime_ms, wall_ms
from edge_agent.draft import Draft
from edge_agent.errors import AgentError
from edge_agent.outbox.errors import OutboxError
from edge_agent.probes.base import Probe
from edge_agent.reception import Reception
from simulator.border import Device
from simulator.journal import Journal
from simulator.journaled_agent import JournaledAgent
from simulator.place import Place
from simulator.player import SimulatedPlayer, SimulatedSystem
from simulator.scenes import Scene, scenes
from simulator.truth import Stranger, note
from simulator.visits import Act, visits

_IDLE_S: Final = 20
_TICK_S: Final = 1.0
log = logging.getLogger(__name__)


class SimulatedDevice:
    """An agent in threads of its own. `seed` names the story; `truth` is where unapproved contents are noted."""

    def __init__(self, device: Device, place: Place, broker_port: int, seed: str, truth: Path) -> None:
        self.device, self.place, self._truth = device, place, truth
        self.settings = place.settings(broker_port)
        self.offline = False
        player = SimulatedPlayer(device, scenes(device, seed), begun=self._note)
        probes: list[Probe] = [player, SimulatedSystem(device, seed)]
        self.agent = JournaledAgent(self.settings, Journal(place.journal, device.name), probes=probes)
        self._thread = threading.Thread(target=self._run, name=f"agent {device.name}", daemon=True)
        self._visitors = Visitors(self.agent, visits(device, seed)) if device.kind == "kiosk" else None
        self.failure = ""

    def start(self) -> None:
        """Begin to see and to report."""
        self._thread.start()
        if self._visitors is not None:
            self._visitors.start()

    def set_offline(self, *, offline: bool) -> None:
        """Take the device off the network, or let it back; the journal tells of it in time."""
        self.offline = offline
        if offline:
            self.agent.journal.link(online=False)
        self.agent.courier.set_offline(offline)
        if not offline:
            self.agent.journal.link(online=True)

    def send_visitors_away(self) -> None:
        """The kiosk is closed to visitors; who is there leaves. Returns once that is recorded."""
        if self._visitors is not None:
            self._visitors.stop()
            self._visitors.join()

    def stop(self) -> None:
        """Ask the agent to end."""
        self.agent.journal.link(online=False)
        self.agent.stop()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def waiting(self) -> int:
        """Events in the outbox that the hub does not have; 0 once the agent has ended."""
        try:
            return self.agent.courier.queue().events
        except sqlite3.ProgrammingError:  # closed: the agent ends, or has failed, which `failure` tells
            return 0

    def _run(self) -> None:
        try:
            self.agent.run()
        except AgentError as error:
            self.failure = str(error)
            log.error("%s ends: %s", self.device.name, error)  # noqa: TRY400 - the text says it all

    def _note(self, scene: Scene, at_ms: int) -> None:
        if scene.unapproved is not None and scene.content is not None:
            at_wall_ms = wall_ms() - boottime_ms() + at_ms
            note(self._truth, Stranger(self.device.name, scene.content, scene.unapproved, at_wall_ms))


class Visitors(threading.Thread):
    """Touches a kiosk as `story` says, through the sessions of the real agent."""

    def __init__(self, agent: Agent, story: Iterator[Act]) -> None:
        super().__init__(name="visitors", daemon=True)
        self._agent, self._story = agent, story
        settings = BridgeSettings(idle_s=_IDLE_S)
        self._reception = Reception(settings, accept=self._accept, show=lambda _showing: None, now_ms=boottime_ms)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Act by act, until stopped."""
        for act in self._story:
            if not self._wait(act.wait_ms / 1000):
                break
            self._say(partial(self._reception.take, act.messages))
        self._say(self._reception.close)

    def stop(self) -> None:
        """No more visitors; who is there leaves."""
        self._stopping.set()

    def _wait(self, seconds: float) -> bool:
        """Let time pass, and sessions with it; False once there are to be no more visitors."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._stopping.wait(min(left, _TICK_S)):
                return False
            self._reception.tick()
        return not self._stopping.is_set()

    def _say(self, what: Callable[[], object]) -> None:
        try:
            what()
        except NotAccepted as error:
            log.warning("a visitor's act was not accepted: %s", error)

    def _accept(self, drafts: Sequence[Draft]) -> None:
        try:
            self._agent.recorder.append(drafts)
        except (OutboxError, ContractError) as error:
            raise NotAccepted(str(error)) from error
