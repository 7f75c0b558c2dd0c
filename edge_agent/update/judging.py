"""How the agent of one side is: what the doctor finds well, whether it runs, and which outbox it writes."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from edge_agent.update.places import Places, Side
from edge_agent.update.running import Ran, run

_DOCTOR_S: Final = 180.0
_STATUS_S: Final = 60.0
OUTBOX_S: Final = 600.0
"""An outbox of half a gigabyte on a slow card."""
_OK: Final = "ok"
_WARN: Final = "warn"
_ROAD: Final = frozenset({"modem", "network", "dns", "tls", "broker", "receipt", "clock"})
"""Checks that depend on what is between kiosk and hub, too. A clock without a chip of its own is one of them."""
_AGENTS_WORD: Final = frozenset({"receipt", "clock"})
"""Of these, what the doctor takes from the running agent; without one it finds out by itself."""
_MAY_WARN: Final = frozenset({"outbox"})
"""Long waiting events are a warning, and the link's doing; one that is full or cannot be read fails."""
log = logging.getLogger(__name__)


class _Check(Struct, frozen=True):
    id: str
    outcome: str


class _Report(Struct, frozen=True):
    """What of `ttdn-agent doctor --json` matters here; it is the same in every version."""

    checks: list[_Check]


class _Runs(Struct, frozen=True):
    version: str


class _Status(Struct, frozen=True):
    """The same of `ttdn-agent status --json`."""

    running: bool
    status: _Runs | None = None


def is_road(check: str) -> bool:
    """Whether it may be the link's doing that a check is not well."""
    return check.partition(".")[0] in _ROAD


def is_agents_word(check: str) -> bool:
    """Whether the doctor has it from the running agent."""
    return check.partition(".")[0] in _AGENTS_WORD


class OutboxWay(Struct, frozen=True):
    """What `ttdn-agent outbox-schema` says: the schema that this version writes, and the oldest it can lead back to."""

    schema: int
    back_to: int


class Judge:
    """Asks the agent of a side, with the agent's own rights."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def greens(self, side: Side) -> frozenset[str] | None:
        """Ids of what is well; None if the doctor does not answer."""
        ran = self._ask(side, ["doctor", "--json"], _DOCTOR_S)
        try:
            report = msgspec.json.decode(ran.out, type=_Report)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            log.warning("the doctor of side %s does not answer: %s", side, ran.said)
            return None
        return frozenset(check.id for check in report.checks if _is_well(check))

    def steady_greens(self, side: Side, looks: int, pause_s: float) -> frozenset[str]:
        """Ids of what is well in each of several looks: what is so by chance at one moment is not asked for later."""
        steady: frozenset[str] | None = None
        for look in range(looks):
            if look:
                time.sleep(pause_s)
            greens = self.greens(side)
            if greens is not None:
                steady = greens if steady is None else steady & greens
        return steady or frozenset()

    def runs(self, side: Side, version: str) -> bool:
        """Whether the agent runs now, and is of this version."""
        ran = self._ask(side, ["status", "--json"], _STATUS_S)
        try:
            status = msgspec.json.decode(ran.out, type=_Status)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return False
        return status.running and status.status is not None and status.status.version == version

    def outbox(self, side: Side) -> OutboxWay | None:
        """What it writes; None if it does not say."""
        ran = self._ask(side, ["outbox-schema"], _STATUS_S)
        try:
            return msgspec.json.decode(ran.out, type=OutboxWay)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            log.warning("side %s does not say which outbox it writes: %s", side, ran.said)
            return None

    def take_outbox_back(self, side: Side, schema: int) -> str:
        """Make the outbox readable for a version that knows `schema`; why not, or nothing. No agent may run."""
        ran = self._ask(side, ["outbox-schema", "--back-to", str(schema)], OUTBOX_S)
        return "" if ran.code == 0 else ran.said

    def _ask(self, side: Side, arguments: list[str | Path], timeout_s: float) -> Ran:
        command: list[str | Path] = [self._places.side(side) / "bin" / "ttdn-agent", "--config", self._places.config]
        return run([*command, *arguments], timeout_s=timeout_s, owner_of=self._places.agent_state)


def _is_well(check: _Check) -> bool:
    return check.outcome == _OK or (check.outcome == _WARN and check.id in _MAY_WARN)
