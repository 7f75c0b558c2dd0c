"""When devices lose their network for a while, and get it back: seeded, without clock or I/O."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable
from typing import Final

_BETWEEN_S: Final = (20.0, 180.0)
_LASTS_S: Final = (5.0, 25.0)


class Spells:
    """Offline spells of some devices. Times are seconds of any clock; the first `due` is their beginning."""

    def __init__(self, devices: Iterable[str], chance: random.Random) -> None:
        self._devices, self._chance = list(devices), chance
        self._changes: list[tuple[float, str, bool]] = []
        self._began = False

    def due(self, now_s: float) -> list[tuple[str, bool]]:
        """Devices that go offline (True) or come back (False) by now."""
        if not self._began:
            self._began = True
            self._changes = [(now_s + self._chance.uniform(*_BETWEEN_S), name, True) for name in self._devices]
            heapq.heapify(self._changes)
        changes = []
        while self._changes and self._changes[0][0] <= now_s:
            at_s, name, offline = heapq.heappop(self._changes)
            changes.append((name, offline))
            next_s = at_s + self._chance.uniform(*(_LASTS_S if offline else _BETWEEN_S))
            heapq.heappush(self._changes, (next_s, name, not offline))
        return changes
