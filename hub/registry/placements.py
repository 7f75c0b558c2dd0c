"""Where a device stood at a moment: the number that its rows and counts carry."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


class Placements:
    """Placements of one device in the order of their beginnings; the first holds from the beginning of time."""

    __slots__ = ("_ids", "_since_ms")

    def __init__(self, since_ms: Sequence[int], ids: Sequence[int]) -> None:
        """`since_ms`: rising Unix ms, the first of them not above 0."""
        if not ids or len(ids) != len(since_ms) or since_ms[0] > 0 or list(since_ms) != sorted(set(since_ms)):
            raise ValueError(f"placements {list(ids)} since {list(since_ms)} do not cover all times once")
        self._since_ms, self._ids = list(since_ms), list(ids)

    @property
    def only(self) -> int | None:
        """The placement of all times, if the device has never moved."""
        return self._ids[0] if len(self._ids) == 1 else None

    def at(self, time_ms: int) -> int:
        """The placement that held at this moment, Unix ms, not negative."""
        return self._ids[bisect_right(self._since_ms, time_ms) - 1]
