"""Brings out what agents that have stopped still hold, by the real courier and without a new event."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge_agent.clock import Clock
from edge_agent.config import AgentSettings
from edge_agent.courier import Courier
from edge_agent.lifecycle import boot_id
from edge_agent.outbox.outbox import Outbox
from edge_agent.way import find_way

_POLL_S: Final = 0.05


def drain(agents: Sequence[AgentSettings], timeout_s: float) -> int:
    """Connect for each agent until the hub has everything; how many events are left after `timeout_s`.

    The agents must have ended. Nothing is appended, so no stream is begun. OutboxError if an outbox cannot be used.
    """
    deadline = time.monotonic() + timeout_s
    carriers = [_Carrier(settings) for settings in agents]
    try:
        for carrier in carriers:
            carrier.courier.start()
        while any(carrier.left() for carrier in carriers) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        return sum(carrier.left() for carrier in carriers)
    finally:
        for carrier in carriers:
            carrier.courier.stop()
        for carrier in carriers:
            carrier.close()


class _Carrier:
    """The outbox and the courier of one agent, without the agent."""

    def __init__(self, settings: AgentSettings) -> None:
        clock = Clock()
        self._outbox = Outbox(Path(settings.state_folder), max_bytes=settings.outbox.max_bytes, boot=boot_id())
        way = find_way(settings, clock.moment)
        self.courier = Courier(way.device, way.brokers, self._outbox, clock, version="drain")

    def left(self) -> int:
        """Events that the hub is not known to have."""
        return self.courier.queue().events

    def close(self) -> None:
        self.courier.join()
        self._outbox.close()
