"""Turns of a player: how often it began a content, and how the content before ended. Pure."""

from __future__ import annotations

from collections.abc import Hashable

from contract.events import PlayStatus


class Turns:
    """Follows what one player shows, look by look.

    `number` rises whenever something is shown that was not shown at the look before. `ended` tells how what came before
    ended: at the look that saw the change, and for as long as nothing is shown after it.
    """

    def __init__(self) -> None:
        self.number = 0
        self.ended: PlayStatus | None = None
        self._shown: Hashable | None = None

    def see(self, shown: Hashable | None, ending: PlayStatus) -> None:
        """At this look `shown` is on (None: nothing); if it took the place of something else, that ended so."""
        if shown == self._shown:
            self.ended = self.ended if shown is None else None
            return
        self.ended = self.ended if self._shown is None else ending
        self.number += shown is not None
        self._shown = shown
