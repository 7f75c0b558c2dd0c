"""What the agent can do to a player that it else only looks at: one hand a player, over a connection of its own."""

from __future__ import annotations

from typing import Final, Protocol

from contract.command import Picture

IDENTIFY_S: Final = 20
"""So long the device's name stands on its screen."""


class HandError(Exception):
    """The player did not do it. The text says what, why, and what a technician does about it."""


class Hand(Protocol):
    """Each call returns within some ten seconds, or raises HandError."""

    name: str
    """The player's, as in plays and faults."""

    def identify(self, lines: list[str]) -> None:
        """Show these lines large over whatever is shown, for IDENTIFY_S."""

    def snapshot(self) -> Picture:
        """What is on screen, small."""

    def restart(self) -> None:
        """Ask the player to end; whoever supervises it starts it again."""
