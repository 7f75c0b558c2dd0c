"""What the hub is believed to hold of one stream, and since when: pure reckoning, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from contract.ranges import RangeSet

SINCE_STEP_MS: Final = 3_600_000
"""Times are cut down to this: what comes in one by one stays a few parts an hour, in memory and on the SD card."""


class Since(NamedTuple):
    """A closed range of numbers, and the hub time, Unix ms, cut down to the hour, when they were first covered."""

    first: int
    last: int
    since_ms: int


class Change(NamedTuple):
    """What differs from what was last saved: parts to delete, and parts to insert after that."""

    gone: list[Since]
    new: list[Since]


class Coverage:
    """The believed coverage of one stream."""

    def __init__(self, saved: Iterable[Since] = ()) -> None:
        self._since: list[Since] = sorted(saved)
        self._saved = frozenset(self._since)
        self.numbers = RangeSet((part.first, part.last) for part in self._since)

    def extend(self, numbers: RangeSet, hub_time_ms: int) -> None:
        """Believe that `numbers` are covered as well; those already believed keep their time."""
        fresh = numbers.minus(self.numbers)
        if fresh:
            since_ms = hub_time_ms // SINCE_STEP_MS * SINCE_STEP_MS
            self._since = list(_merged([*self._since, *(Since(first, last, since_ms) for first, last in fresh)]))
            self.numbers.update(fresh)

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

    def older_than(self, since_ms: int) -> RangeSet:
        """Numbers that have been covered since before `since_ms`."""
        return RangeSet((part.first, part.last) for part in self._since if part.since_ms < since_ms)

    def change(self) -> Change:
        """What is to be saved."""
        now = frozenset(self._since)
        return Change(gone=sorted(self._saved - now), new=sorted(now - self._saved))

    def saved(self) -> None:
        """All of it has been saved."""
        self._saved = frozenset(self._since)

    def found_saved(self, parts: Iterable[Since]) -> None:
        """After a write of which nobody knows how far it came: this is what is on disk. What is believed, stays."""
        self._saved = frozenset(parts)


def _merged(parts: list[Since]) -> Iterator[Since]:
    """The same, rising, with neighbours of one time as one."""
    parts.sort()
    open_part = parts[0]
    for part in parts[1:]:
        if part.first == open_part.last + 1 and part.since_ms == open_part.since_ms:
            open_part = Since(open_part.first, part.last, part.since_ms)
        else:
            yield open_part
            open_part = part
    yield open_part


def _without(part: Since, numbers: RangeSet) -> list[Since]:
    if not numbers.within(part.first, part.last):
        return [part]
    kept = RangeSet([(part.first, part.last)]).minus(numbers.within(part.first, part.last))
    return [Since(first, last, part.since_ms) for first, last in kept]
