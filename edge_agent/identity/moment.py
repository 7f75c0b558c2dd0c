"""What time it is, as far as this machine can know."""

from __future__ import annotations

from edge_agent.clock import Clock
from edge_agent.tls import Moment


def known_moment(clock: Clock, floor_ms: int) -> Moment:
    """The clock's time if it is known to be right; else only that it is not before `floor_ms`."""
    stamp = clock.stamp(clock.now_ms())
    return Moment(stamp.time_ms, certain=True) if stamp.clock == "synced" else Moment(floor_ms, certain=False)
