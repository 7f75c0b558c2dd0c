"""PostgreSQL's int8multirange as text, both ways."""

from __future__ import annotations

import re

from contract.ranges import RangeSet

_RANGE = re.compile(r"\[(\d+),(\d+)\)")


def to_sql(numbers: RangeSet) -> str:
    """A literal such as `{[1,51),[60,61)}`; PostgreSQL keeps the upper bound excluded."""
    return "{" + ",".join(f"[{first},{last + 1})" for first, last in numbers) + "}"


def from_sql(text: str) -> RangeSet:
    """What `to_sql` made, or PostgreSQL printed."""
    return RangeSet((int(first), int(after) - 1) for first, after in _RANGE.findall(text))
