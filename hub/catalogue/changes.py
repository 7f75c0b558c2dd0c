"""What a change of the catalogue makes of the past: where two timelines of one content differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from hub.compliance.verdict import Finding, Stretch


class Change(NamedTuple):
    """Days from `first` to `last`, both included, that had one finding and have another."""

    first: date
    last: date
    before: Finding
    after: Finding


def changes(before: Sequence[Stretch], after: Sequence[Stretch]) -> tuple[Change, ...]:
    """Where they differ: rising, disjoint, as few as can be. Both are whole, as `timeline` makes them."""
    found: list[Change] = []
    touching = False
    for piece in _pieces(before, after):
        if piece.before == piece.after:
            touching = False
        elif touching and found[-1][2:] == piece[2:]:
            found[-1] = found[-1]._replace(last=piece.last)
        else:
            found.append(piece)
            touching = True
    return tuple(found)


def _pieces(before: Sequence[Stretch], after: Sequence[Stretch]) -> Iterator[Change]:
    """Every stretch of days on which neither changes."""
    old, new = 0, 0
    while old < len(before) and new < len(after):
        was, its = before[old], after[new]
        yield Change(max(was.first, its.first), min(was.last, its.last), was.finding, its.finding)
        old, new = old + (was.last <= its.last), new + (its.last <= was.last)
