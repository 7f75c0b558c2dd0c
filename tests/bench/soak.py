"""`ingest --soak`: ten minutes at 10,000 events/s, and whether the hub's memory is flat.

Events are made while others are sent, so the machine is not the hub's alone. Checkpoints and autovacuum are on. The
first minute is warming up; `rss_growth` is how much more memory all processes of the hub have in the last minute than
in the second one, `freshness_ms_p99` from handing a batch to its socket until a reader sees its rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from simulator import processes
from tests.bench.arena import arena
from tests.bench.child import Child, child
from tests.bench.freshness import delays_ms, watch
from tests.bench.proc import memory_mb
from tests.bench.report import percentiles, say
from tests.bench.road import PATIENCE_S, Road, messages, road
from tests.bench.workload import Ids, Source

EVENTS_PER_S: Final = 10_000
SETTINGS: Final = {"autovacuum": "on", "checkpoint_timeout": "5min", "shared_buffers": "512MB"}


class Extent(NamedTuple):
    """How much is sent."""

    devices: int
    batch_events: int
    parts: int
    part_batches: int
    """A device and part."""


FULL: Final = Extent(200, 50, 20, 30)
QUICK: Final = Extent(20, 10, 4, 4)


class Part(NamedTuple):
    """What was measured of half a minute."""

    rss_mb: float
    delays_ms: list[float]


def run(folder: Path, *, quick: bool) -> dict[str, Any]:
    """The whole soak."""
    extent = QUICK if quick else FULL
    (place_folder := folder / "soak").mkdir()
    source = Source(extent.devices, extent.batch_events, gap_ms=1000 * extent.devices // EVENTS_PER_S)
    with arena(place_folder, settings=SETTINGS) as place:
        ids = place.register(source.workload([]))
        place.clear()
        with road(place, place_folder) as way, child(watch, place.dsn) as reader:
            reader.answer()
            began_s = time.monotonic()
            parts = list(_parts(way, reader, source, ids, extent))
            took_s = time.monotonic() - began_s
            events = extent.devices * extent.batch_events * extent.parts * extent.part_batches
            way.wait_until_stored(events)
    return {"soak": _figures(parts, events, took_s)}


def _parts(way: Road, reader: Child, source: Source, ids: Ids, extent: Extent) -> Iterator[Part]:
    following = source.next(extent.part_batches)
    for number in range(extent.parts):
        workload = following
        way.prepare(messages(workload, workload.batches, every_s=extent.batch_events / EVENTS_PER_S))
        reader.tell("look")
        way.publisher.tell("go")
        if number + 1 < extent.parts:
            following = source.next(extent.part_batches)
        published = way.publisher.answer()
        last = workload.batches[-1]
        way.arena.wait_until_booked((last.first + len(last.events) - 1) * extent.devices, PATIENCE_S)
        time.sleep(0.2)
        reader.tell("that is all")
        delays = delays_ms(workload.batches, ids, published.sent_s, reader.answer())
        part = Part(_rss_mb(way.hub), delays)
        fresh = f"freshness p99 {percentiles(delays)[98]:.0f} ms"
        say(f"part {number + 1} of {extent.parts}: rss {part.rss_mb:.1f} MB, {fresh}")
        yield part


def _rss_mb(hub: int) -> float:
    return sum(memory_mb(pid)["VmRSS"] for pid in (hub, *processes.children(hub)))


def _figures(parts: list[Part], events: int, took_s: float) -> dict[str, Any]:
    cuts = percentiles([delay for part in parts for delay in part.delays_ms])
    tenth = max(1, len(parts) // 10)
    early, late = (median(part.rss_mb for part in some) for some in (parts[tenth : 2 * tenth], parts[-tenth:]))
    return {
        "events": events,
        "events_per_s": round(events / took_s),
        "took_s": round(took_s),
        "rss_mb_second_minute": round(early, 1),
        "rss_mb_last_minute": round(late, 1),
        "rss_growth": round(late / early - 1, 4),
        "freshness_ms_p50": round(cuts[49], 1),
        "freshness_ms_p99": round(cuts[98], 1),
    }
