"""When what is killed in a demo with `--kill`: seeded, without clock or I/O."""

from __future__ import annotations

import random
from math import ceil
from typing import Final, Literal, NamedTuple

Target = Literal["broker", "hub", "database", "agents"]
_SERVERS: Final[tuple[tuple[Target, float], ...]] = (("broker", 0.30), ("hub", 0.48), ("database", 0.66))
_AGENTS: Final = (0.18, 0.42, 0.62, 0.80)
"""Parts of the run at which agents are killed: before, between and after the servers."""
_SPREAD: Final = 0.04


class Kill(NamedTuple):
    """SIGKILL at `at_s` of the run, and a start again after `down_s`. `process` is the fleet's, for `agents`."""

    at_s: float
    target: Target
    down_s: float
    process: int = 0


def kills(seconds: float, processes: int, chance: random.Random) -> list[Kill]:
    """Each server once, and a third of the agents' processes (at least one) several times; in order of time."""

    def when(part: float) -> float:
        return seconds * (part + chance.uniform(-_SPREAD, _SPREAD))

    plan = [Kill(when(part), target, chance.uniform(0.3, 2.0)) for target, part in _SERVERS]
    doomed = chance.sample(range(processes), ceil(processes / 3))
    plan += [Kill(when(part), "agents", chance.uniform(0.1, 1.0), process) for process in doomed for part in _AGENTS]
    return sorted(plan)
