"""The documented list of fault codes: what a technician finds in the hub, and what to do about each.

Every `Trouble` and every `fault` event carries one of these. A test keeps the list and its uses together.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

CODES: Final = MappingProxyType(
    {
        "probe_failed": "A probe cannot look; its reason says at what. Nothing is known of what it watches until it can.",
        "probe_hung": "A probe has not come back from looking. Restart the player it watches, then the agent.",
        "flapping": "What speaks for a play changes many times a minute; it is recorded at its weakest.",
    }
)
