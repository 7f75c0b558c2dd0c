"""How an attempt to fetch ended: what `fetching` says to the agent, which must not load it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Fetched(Struct, frozen=True, omit_defaults=True):
    """How the attempt ended. `again`: the rest may come later; `refused` and `failed` end the order."""

    state: Literal["ready", "again", "refused", "failed"]
    reason: str = ""
    bytes: int = 0
    """That went over the line in this attempt, without headers."""
