"""Watching a probe until it says what is expected, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from edge_agent.observation import Reading, Showing, Trouble
from edge_agent.probes.base import Probe

DEADLINE_S: Final = 40.0


class View:
    """The readings of one look at one player."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        (self.showing,) = (reading for reading in readings if isinstance(reading, Showing))
        self.troubles = {reading.code: reading.reason for reading in readings if isinstance(reading, Trouble)}

    @property
    def ref(self) -> str | None:
        """What is shown."""
        return self.showing.content.ref if self.showing.content else None

    @property
    def sha256(self) -> str | None:
        """The hash of what is shown."""
        return self.showing.content.sha256 if self.showing.content else None

    def __repr__(self) -> str:
        return f"{self.showing} {self.troubles}"


def look(probe: Probe) -> View:
    """One look."""
    return View(probe.read())


def watch(probe: Probe, expected: Callable[[View], bool]) -> View:
    """Look until it is as expected. Fails with what was seen last."""
    deadline = time.monotonic() + DEADLINE_S
    while not expected(seen := look(probe)):
        assert time.monotonic() < deadline, f"not as expected: {seen}"
        probe.wait(0.3)
    return seen
