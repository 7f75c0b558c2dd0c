"""Sums over many events: what a transaction adds to the hourly counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contract.events import AnyEvent, Kind
from hub.counts.hourly import HOUR_MS, HOURLY_OF, Group, Sums

Key = tuple[int, int, Group]
"""Placement, hour since 1970, group."""


class Cell(NamedTuple):
    """Events of one kind, one placement and one hour, each with its group."""

    kind: Kind
    placement: int
    hour: int
    events: Sequence[AnyEvent]
    groups: Sequence[Group]


class Tally:
    """Exact sums of all events of some cells."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self.sums: dict[Kind, dict[Key, Sums]] = defaultdict(dict)
        self.events: Counter[tuple[int, int, Kind]] = Counter()
        """By placement, hour and kind."""
        # Sums are made of as many events at once as there are.
        alike: dict[tuple[int, int, Kind], dict[Group, list[AnyEvent]]] = defaultdict(lambda: defaultdict(list))
        for kind, placement, hour, events, groups in cells:
            place = (placement, hour, kind)
            self.events[place] += len(events)
            if kind in HOURLY_OF:
                mine = alike[place]
                for event, group in zip(events, groups, strict=True):
                    mine[group].append(event)
        for (placement, hour, kind), by_group in alike.items():
            sums, sums_of = self.sums[kind], HOURLY_OF[kind].sums_of
            for group, these in by_group.items():
                sums[placement, hour, group] = sums_of(these)

    def by_kind(self) -> Counter[Kind]:
        """How many events there are of each kind."""
        found: Counter[Kind] = Counter()
        for (_, _, kind), events in self.events.items():
            found[kind] += events
        return found


def hour_of(time_ms: int) -> int:
    """The UTC hour of a moment, counted from 1970."""
    return time_ms // HOUR_MS
