"""Sets of moments as few, sorted, closed-open intervals that never touch. Immutable; moments are whole ms."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Interval(NamedTuple):
    """From `begin_ms`, included, to `end_ms`, not included."""

    begin_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        """How long it is; never negative."""
        return max(self.end_ms - self.begin_ms, 0)


@dataclass(frozen=True, slots=True)
class Intervals:
    """A set of moments. Made by `Intervals.of`; equal where the moments are."""

    spans: tuple[Interval, ...] = ()
    """Rising, disjoint, none empty, no two that touch."""

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int]]) -> Intervals:
        """The moments of all `spans`, in any order, overlapping or not; a span that ends before it begins is empty."""
        joined: list[Interval] = []
        for begin_ms, end_ms in sorted(span for span in spans if span[0] < span[1]):
            if joined and begin_ms <= joined[-1].end_ms:
                joined[-1] = Interval(joined[-1].begin_ms, max(joined[-1].end_ms, end_ms))
            else:
                joined.append(Interval(begin_ms, end_ms))
        return cls(tuple(joined))

    @classmethod
    def between(cls, begin_ms: int, end_ms: int) -> Intervals:
        """One interval, or none where it would be empty."""
        return cls.of([(begin_ms, end_ms)])

    @property
    def length_ms(self) -> int:
        """How much time is in, ms."""
        return sum(span.length_ms for span in self.spans)

    def union(self, other: Intervals) -> Intervals:
        """What is in either."""
        return Intervals.of([*self.spans, *other.spans])

    def minus(self, other: Intervals) -> Intervals:
        """What is here and not in `other`."""
        return _swept(self, other, lambda here, there: here and not there)

    def common(self, other: Intervals) -> Intervals:
        """What is in both."""
        return _swept(self, other, lambda here, there: here and there)

    def within(self, begin_ms: int, end_ms: int) -> Intervals:
        """What is here from `begin_ms` to `end_ms`; costs follow what is found, not what is here."""
        start = bisect_right(self.spans, begin_ms, key=_end)
        stop = bisect_left(self.spans, end_ms, key=_begin)
        return Intervals.of((max(span[0], begin_ms), min(span[1], end_ms)) for span in self.spans[start:stop])

    def touches(self, begin_ms: int, end_ms: int) -> bool:
        """Whether anything here overlaps or borders on the span, which may be empty: a moment."""
        start = bisect_left(self.spans, begin_ms, key=_end)
        return start < len(self.spans) and self.spans[start].begin_ms <= end_ms

    def __contains__(self, moment_ms: int) -> bool:
        start = bisect_right(self.spans, moment_ms, key=_end)
        return start < len(self.spans) and self.spans[start].begin_ms <= moment_ms

    def __iter__(self) -> Iterator[Interval]:
        return iter(self.spans)

    def __len__(self) -> int:
        """How many intervals there are."""
        return len(self.spans)


def _begin(span: Interval) -> int:
    return span.begin_ms


def _end(span: Interval) -> int:
    return span.end_ms


def _swept(left: Intervals, right: Intervals, keep: Callable[[bool, bool], bool]) -> Intervals:
    """The moments that `keep` wants, told whether they are in `left` and in `right`."""
    edges = sorted([*_edges(left, 0), *_edges(right, 1)])
    inside = [False, False]
    kept: list[tuple[int, int]] = []
    since_ms: int | None = None
    for moment_ms, side in edges:
        inside[side] = not inside[side]
        wanted = keep(inside[0], inside[1])
        if wanted and since_ms is None:
            since_ms = moment_ms
        elif not wanted and since_ms is not None:
            kept.append((since_ms, moment_ms))
            since_ms = None
    return Intervals.of(kept)


def _edges(spans: Intervals, side: int) -> Iterator[tuple[int, int]]:
    return ((moment_ms, side) for span in spans for moment_ms in span)
