"""From what probes see to drafts of events: playlog, fault latch and health under one roof. Pure but for its inputs.

Used by one thread. A probe that hangs says nothing; what it watched is then unknown, and `hung` tells why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge_agent.draft import Draft
from edge_agent.fault_latch import FaultLatch
from edge_agent.health import Self, health
from edge_agent.observation import Reading, ScreenPower, Showing, Trouble, Vitals
from edge_agent.playlog import NowShown, Playlog, PlaylogSettings, play_ids


class Observer:
    """Everything that remembers between two looks."""

    def __init__(self, settings: PlaylogSettings, own: Callable[[], Self]) -> None:
        self._playlog = Playlog(play_ids(), settings)
        self._latch = FaultLatch()
        self._own = own
        self._present: dict[str, tuple[str, ...]] = {}

    def see(self, component: str, readings: Sequence[Reading], at_ms: int, look_s: float) -> list[Draft]:
        """One completed read of a probe."""
        drafts: list[Draft] = []
        for reading in readings:
            if isinstance(reading, Showing | ScreenPower):
                drafts += self._playlog.see(reading, look_s=look_s)
            elif isinstance(reading, Vitals):
                drafts.append(health(reading, self._own()))
        troubles = [reading for reading in readings if isinstance(reading, Trouble)]
        return drafts + self.note(component, troubles, at_ms)

    def hung(self, component: str, for_s: float, at_ms: int) -> list[Draft]:
        """A probe has not come back from a read."""
        trouble = Trouble(code="probe_hung", reason=f"no answer for {int(for_s)} s")
        return self.note(component, [trouble], at_ms)

    def tick(self, now_ms: int) -> list[Draft]:
        """About once a second."""
        return list(self._playlog.tick(now_ms))

    def stop(self, now_ms: int) -> list[Draft]:
        """The agent stops: what runs ends as interrupted."""
        return list(self._playlog.stop(now_ms))

    def shown(self) -> list[NowShown]:
        """What every player shows, as of the last look."""
        return self._playlog.shown()

    def faults(self) -> list[str]:
        """Codes of what does not work right now."""
        return sorted({code for codes in list(self._present.values()) for code in codes})

    def note(self, component: str, troubles: Sequence[Trouble], at_ms: int) -> list[Draft]:
        """All that is the matter with a component now."""
        self._present[component] = tuple(trouble.code for trouble in troubles)
        return self._latch.see(component, troubles, at_ms)
