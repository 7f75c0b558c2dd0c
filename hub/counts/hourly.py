"""The hourly counts: for each kind of event which sums are kept, and of what.

A further count is one more entry here, a table and a view `recount_` of it in a migration, and its statements in
`hub/store/queries`. An event belongs to the UTC hour of its time. A `group` is what an hour's sums are kept apart by;
it depends on an event's recurring fields only, so that it is found once for all events that are alike.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contract.events import AnyEvent, Kind
from hub.grade import grade

HOUR_MS: Final = 3_600_000
UNKNOWN_GRADE: Final = "unknown"
_single: Final = struct.Struct("f")
Group = tuple[Any, ...]
Sums = tuple[int, ...]


@dataclass(frozen=True)
class HourlyCount:
    """One table of sums, by placement and hour."""

    kind: Kind
    table: str
    group: tuple[str, ...]
    """Columns that a group consists of; `content` is named by the two parts of its identity, reference and SHA-256."""
    sums: tuple[str, ...]
    group_of: Callable[[Any], Group]
    sums_of: Callable[[Sequence[Any]], Sums]


def _known(events: Sequence[Any], field: str) -> list[Any]:
    values = [getattr(event, field) for event in events]
    return [value for value in values if value is not None]


def _plays(events: Sequence[Any]) -> Sums:
    status = [event.status for event in events]
    return (
        [event.slice for event in events].count(0),
        len(events),
        sum([event.duration_ms for event in events]),
        status.count("hardware_failure") + status.count("content_failure"),
        len(status) - status.count("running"),
    )


def _interactions(events: Sequence[Any]) -> Sums:
    ratings = _known(events, "rating")
    return len(events), sum(_known(events, "duration_ms")), len(ratings), sum(ratings)


def _health(events: Sequence[Any]) -> Sums:
    temperatures = [_tenths(value) for value in _known(events, "temperature_c")]
    rtts, signals = _known(events, "rtt_ms"), _known(events, "signal_dbm")
    return (
        len(events),
        len(temperatures),
        sum(temperatures),
        sum(event.undervoltage is True for event in events),
        sum(_known(events, "queue_events")),
        sum(_known(events, "queue_oldest_s")),
        len(rtts),
        sum(rtts),
        len(signals),
        sum(signals),
    )


def _tenths(value: float) -> int:
    """Of the value as its column keeps it, in single precision, so that a recount from rows says the same."""
    kept: float = _single.unpack(_single.pack(value))[0]
    return math.floor(kept * 10 + 0.5)


def _faults(events: Sequence[Any]) -> Sums:
    return (len(events),)


HOURLY: Final = (
    HourlyCount(
        kind="play",
        table="play_hour",
        group=("content", "grade"),
        sums=("plays", "slices", "shown_ms", "failed", "ended"),
        group_of=lambda event: ((event.content_ref, event.content_sha256), grade(event.facts) or UNKNOWN_GRADE),
        sums_of=_plays,
    ),
    HourlyCount(
        kind="interaction",
        table="interaction_hour",
        group=("action", "target", "language"),
        sums=("interactions", "duration_ms", "ratings", "rating_sum"),
        group_of=lambda event: (event.action, event.target or "", event.language or ""),
        sums_of=_interactions,
    ),
    HourlyCount(
        kind="health",
        table="health_hour",
        group=(),
        sums=(
            "samples",
            "temperatures",
            "temperature_sum_dc",
            "undervoltage",
            "queue_sum",
            "queue_oldest_sum_s",
            "rtts",
            "rtt_sum_ms",
            "signals",
            "signal_sum_dbm",
        ),
        group_of=lambda _event: (),
        sums_of=_health,
    ),
    HourlyCount(
        kind="fault",
        table="fault_hour",
        group=("code", "component"),
        sums=("faults",),
        group_of=lambda event: (event.code, event.component or ""),
        sums_of=_faults,
    ),
)
"""In the order in which every transaction raises them; `event_hour`, which counts all kinds, follows."""
HOURLY_OF: Final = {count.kind: count for count in HOURLY}


def no_group(_event: AnyEvent) -> Group:
    """The group of kinds that only `event_hour` counts."""
    return ()
