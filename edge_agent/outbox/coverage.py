"""What the hub is believed to hold of one stream, and since when: pure reckoning, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from contract.ranges import RangeSet


class Since(NamedTuple):
    """A closed range of numbers and the hub time, Unix ms, at which it was first known to be covered."""

    first: int
    last: int
    since_ms: int


class Coverage:
    """The believed coverage of one stream. `dirty` says that it differs from what was last saved."""

    def __init__(self, saved: Iterable[Since] = ()) -> None:
        self._since: list[Since] = sorted(saved)
        self.numbers = RangeSet((part.first, part.last) for part in self._since)
        self.dirty = False

    def extend(self, numbers: RangeSet, hub_time_ms: int) -> None:
        """Believe that `numbers` are covered as well; those already believed keep their time."""
        fresh = numbers.minus(self.numbers)
        if fresh:
            self._since = sorted([*self._since, *(Since(first, last, hub_time_ms) for first, last in fresh)])
            self.numbers.update(fresh)
            self.dirty = True

    def replace(self, low: int, high: int, numbers: RangeSet, hub_time_ms: int) -> None:
        """Between `low` and `high` believe `numbers` and nothing else: the answer to a hello."""
        gone = self.numbers.within(low, high).minus(numbers)
        self.forget(gone)
        self.extend(numbers.within(low, high), hub_time_ms)

    def forget(self, numbers: RangeSet) -> None:
        """Believe nothing of `numbers` any more."""
        if not numbers:
            return
        self._since = [piece for part in self._since for piece in _without(part, numbers)]
        self.numbers = self.numbers.minus(numbers)
        self.dirty = True

    def older_than(self, since_ms: int) -> RangeSet:
        """Numbers that have been covered since before `since_ms`."""
        return RangeSet((part.first, part.last) for part in self._since if part.since_ms < since_ms)

    def parts(self) -> list[Since]:
        """What to save."""
        return list(self._since)


def _without(part: Since, numbers: RangeSet) -> list[Since]:
    kept = RangeSet([(part.first, part.last)]).minus(numbers)
    return [Since(first, last, part.since_ms) for first, last in kept]
