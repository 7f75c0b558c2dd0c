"""What time it is, as far as this machine can know."""

from __future__ import annotations

from edge_agent.clock import Clock
from edge_agent.tls import Moment


def known_moment(clock: Clock, floor_ms: int) -> Moment:
    """The clock's time if it is known to be right; else only that it is not before its floor, nor before `floor_ms`."""
    moment = clock.moment()
    return moment if moment.certain else Moment(max(moment.time_ms, floor_ms), certain=False)
