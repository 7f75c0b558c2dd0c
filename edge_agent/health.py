"""The `health` event: what the system probe sees of the machine, and what the agent knows of itself. Pure."""

from __future__ import annotations

from typing import NamedTuple

from contract.events import UNNUMBERED, Health
from contract.limits import MAX_INT32
from contract.status import Queue
from edge_agent.draft import UNSTAMPED, Draft
from edge_agent.observation import Vitals


class Self(NamedTuple):
    """The agent's own condition; None is what it does not know yet."""

    queue: Queue
    rtt_ms: int | None
    clock_offset_ms: int | None
    bytes_sent: int
    bytes_received: int


def health(vitals: Vitals, own: Self) -> Draft:
    """One `health` event from both."""
    return Draft(
        vitals.at_ms,
        Health(
            seq=UNNUMBERED,
            time=UNSTAMPED,
            temperature_c=vitals.temperature_c,
            undervoltage=vitals.undervoltage,
            storage_errors=vitals.storage_errors,
            disk_free_bytes=vitals.disk_free_bytes,
            memory_available_bytes=vitals.memory_available_bytes,
            uptime_s=vitals.uptime_s,
            signal_dbm=vitals.signal_dbm,
            queue_events=own.queue.events,
            queue_oldest_s=own.queue.oldest_s,
            rtt_ms=None if own.rtt_ms is None else min(max(own.rtt_ms, 0), MAX_INT32),
            clock_offset_ms=own.clock_offset_ms,
            bytes_sent=own.bytes_sent,
            bytes_received=own.bytes_received,
        ),
    )
