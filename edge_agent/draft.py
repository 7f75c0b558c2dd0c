"""An event that happened, before it has its wall time.

Playlog, sessions and fault latch know moments of CLOCK_BOOTTIME only. The agent stamps their drafts as it appends them
to the outbox, so that nothing pure ever asks for the time.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from contract.events import AnyEvent
from edge_agent.clock import Stamp

UNSTAMPED: Final = 0
"""`time` of an event inside a draft."""


class Draft(Struct, frozen=True):
    """`event` with `time` UNSTAMPED and `seq` UNNUMBERED, and when it happened: `at_ms` of CLOCK_BOOTTIME."""

    at_ms: int
    event: AnyEvent


def stamped(draft: Draft, stamp: Stamp) -> AnyEvent:
    """The draft's event at the wall time `stamp`; its `seq` is still the outbox's to give."""
    return msgspec.structs.replace(draft.event, time=stamp.time_ms, clock=stamp.clock)
