"""What may be told of a play whose facts change faster than anybody can use.

Each change of facts costs two events. Past a limit a minute the facts are told at their weakest: the play may then be
told as less than it was, never as more, and the fault `flapping` says that this is so.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from contract.events import Facts, Frame, Panel

MINUTE_MS: Final = 60_000
CALM_CUTS: Final = 3
"""With no more changes than this in a minute a play has calmed down."""

_PANEL: Final[tuple[Panel, ...]] = ("off", "unknown", "on")
_FRAME: Final[tuple[Frame, ...]] = ("mismatch", "unknown", "match")
_SEEN: Final = (False, None, True)


def weakest(one: Facts, other: Facts) -> Facts:
    """Field by field what speaks least for the content having been seen.

    False before None before True, `off` before `unknown` before `on`, `mismatch` before `unknown` before `match`: of
    two looks the one against the content wins, since a panel known to be off outweighs whatever else was seen, and no
    knowledge is still better than that.
    """
    return Facts(
        listed=_weaker(one.listed, other.listed),
        reported=_weaker(one.reported, other.reported),
        rendering=_weaker(one.rendering, other.rendering),
        panel=min(one.panel, other.panel, key=_PANEL.index),
        frame=min(one.frame, other.frame, key=_FRAME.index),
    )


def _weaker(one: bool | None, other: bool | None) -> bool | None:  # noqa: FBT001 (values, not switches)
    return min(one, other, key=_SEEN.index)


class FlapGuard:
    """Counts the changes of one play's facts and says what may be told of them."""

    def __init__(self, cuts_per_minute: int) -> None:
        self._changes: deque[int] = deque(maxlen=cuts_per_minute + 1)
        self._floor: Facts | None = None
        self._was_blind = False

    @property
    def flapping(self) -> bool:
        """Whether facts are told at their weakest."""
        return self._floor is not None

    def note(self, at_ms: int) -> None:
        """The facts changed at `at_ms`."""
        self._changes.append(at_ms)

    def allowed(self, at_ms: int, facts: Facts, told: Facts, *, blind: bool) -> Facts:
        """What to tell from `at_ms` on, where `facts` hold now and `told` was told until now.

        `blind`: nobody looks at the player. While it flaps, its fields then stay unknown until it has calmed down:
        a time that nobody saw is not told as "not shown" either.
        """
        if self._floor is None and self._too_many(at_ms):
            self._floor = told
        elif self._floor is not None and self._calm(at_ms):
            self._floor, self._was_blind = None, False
        if self._floor is None:
            return facts
        self._was_blind = self._was_blind or blind
        self._floor = weakest(self._floor, facts)
        if self._was_blind:
            self._floor = msgspec.structs.replace(self._floor, listed=None, reported=None, rendering=None)
        return self._floor

    def _too_many(self, at_ms: int) -> bool:
        return len(self._changes) == self._changes.maxlen and at_ms - self._changes[0] < MINUTE_MS

    def _calm(self, at_ms: int) -> bool:
        return sum(at_ms - change < MINUTE_MS for change in self._changes) <= CALM_CUTS
