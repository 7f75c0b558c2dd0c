"""What time it is, as far as this machine can know."""

from __future__ import annotations

from pathlib import Path

from edge_agent.clock import Clock
from edge_agent.clock_floor import BUILT_MS, Floor, FloorFile
from edge_agent.identity.store import Identity


def clock_of(state_folder: Path, identity: Identity | None = None) -> Clock:
    """This machine's clock, with the floor that release, certificate and the last certain time give it."""
    begins_ms = identity.hub.not_before_ms if identity is not None else 0
    return Clock(floor=Floor(attested_ms=max(BUILT_MS, begins_ms), stored_ms=FloorFile(state_folder).read()))
