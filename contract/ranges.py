"""Sets of event numbers as few, sorted, closed ranges. Both ends of the wire reckon with them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class RangeSet:
    """A mutable set of integers, kept as disjoint ranges that never touch; costs follow the ranges, not the numbers."""

    __slots__ = ("_first", "_last")

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        for first, last in spans:
            self.add(first, last)

    @classmethod
    def of(cls, numbers: Iterable[int]) -> RangeSet:
        """The set of single numbers."""
        return cls((number, number) for number in numbers)

    def add(self, first: int, last: int) -> None:
        """Put every number from `first` to `last` in."""
        if first > last:
            raise ValueError(f"a range from {first} to {last} is empty")
        start = bisect_left(self._last, first - 1)
        stop = bisect_right(self._first, last + 1)
        if start < stop:
            first = min(first, self._first[start])
            last = max(last, self._last[stop - 1])
        self._first[start:stop] = [first]
        self._last[start:stop] = [last]

    def update(self, other: RangeSet) -> None:
        """Put all of `other` in."""
        for first, last in other:
            self.add(first, last)

    def remove(self, first: int, last: int) -> None:
        """Take every number from `first` to `last` out."""
        start = bisect_left(self._last, first)
        stop = bisect_right(self._first, last)
        if start >= stop:
            return
        head = (self._first[start], first - 1)
        tail = (last + 1, self._last[stop - 1])
        kept = [span for span in (head, tail) if span[0] <= span[1]]
        self._first[start:stop] = [span[0] for span in kept]
        self._last[start:stop] = [span[1] for span in kept]

    def minus(self, other: RangeSet) -> RangeSet:
        """What is here and not in `other`."""
        result = self.copy()
        for first, last in other:
            result.remove(first, last)
        return result

    def common(self, other: RangeSet) -> RangeSet:
        """What is in both."""
        return self.minus(self.minus(other))

    def head(self, count: int) -> RangeSet:
        """The lowest `count` numbers."""
        taken = RangeSet()
        for first, last in self:
            if count <= 0:
                break
            taken.add(first, min(last, first + count - 1))
            count -= last - first + 1
        return taken

    def within(self, low: int, high: int) -> RangeSet:
        """What is here between `low` and `high`, both included; nothing if `high` is below `low`."""
        result = RangeSet()
        if high < low:
            return result
        start = bisect_left(self._last, low)
        stop = bisect_right(self._first, high)
        for first, last in zip(self._first[start:stop], self._last[start:stop], strict=True):
            result.add(max(first, low), min(last, high))
        return result

    def copy(self) -> RangeSet:
        """An independent set of the same numbers."""
        twin = RangeSet()
        twin._first, twin._last = self._first[:], self._last[:]
        return twin

    def spans(self) -> list[tuple[int, int]]:
        """The ranges, rising: what the wire carries."""
        return list(self)

    def count(self) -> int:
        """How many numbers are in."""
        return sum(self._last) - sum(self._first) + len(self._first)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(list(zip(self._first, self._last, strict=True)))

    def __len__(self) -> int:
        """How many ranges there are."""
        return len(self._first)

    def __bool__(self) -> bool:
        return bool(self._first)

    def __contains__(self, number: int) -> bool:
        at = bisect_left(self._last, number)
        return at < len(self._first) and self._first[at] <= number

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RangeSet):
            return NotImplemented
        return self._first == other._first and self._last == other._last

    def __repr__(self) -> str:
        return f"RangeSet({self.spans()})"
