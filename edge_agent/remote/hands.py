"""Which players can be handled: one line a kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from edge_agent.remote.chromium_hand import ChromiumHand
from edge_agent.remote.hand import Hand
from edge_agent.remote.mpv_hand import MpvHand

if TYPE_CHECKING:
    from edge_agent.config import AgentSettings

_HANDS: Final[dict[str, Callable[[Any], Hand]]] = {"chromium": ChromiumHand, "mpv": MpvHand}


def hands(settings: AgentSettings) -> list[Hand]:
    """One of each player that is looked at."""
    return [_HANDS[name](table) for name, table in settings.probe_settings() if name in _HANDS]
