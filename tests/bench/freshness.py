"""When what was published can be seen: a reader of its own asks the ledger again and again, as a dashboard would.

Rows and the ledger's ranges are of one transaction, so a number that is seen in the ledger is a row that can be read.
Commit time stamps are taken before the WAL is flushed and are not used here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Final

from hub.store.connection import connect
from tests.bench.child import child
from tests.bench.report import say
from tests.bench.road import Road, messages
from tests.bench.workload import Batch, Ids, Workload

LOOK_EVERY_S: Final = 0.02
_SEEN: Final = "SELECT id, upper(committed) - 1 FROM stream WHERE NOT isempty(committed)"
Sighting = tuple[float, int, int]
"""When (Unix s) which stream was first seen to reach a number."""


def watch(dsn: str, orders: Connection) -> None:
    """The process: looks from its first order to its second, then answers with what it has seen."""
    with connect(dsn, "bench", autocommit=True) as reader:
        orders.send("ready")
        while _order(orders):
            highest: dict[int, int] = {}
            seen: list[Sighting] = []
            while not orders.poll(LOOK_EVERY_S):
                rows = reader.execute(_SEEN).fetchall()
                now_s = time.time()
                for stream, high in rows:
                    if highest.get(stream, 0) < high:
                        highest[stream] = high
                        seen.append((now_s, stream, high))
            orders.recv()
            orders.send(seen)


def _order(orders: Connection) -> bool:
    try:
        orders.recv()
    except EOFError:
        return False
    return True


def freshness_ms(
    road: Road, workload: Workload, ids: Ids, batches: Sequence[Batch], events_per_s: float
) -> list[float]:
    """Of each batch: from being handed to its socket until a reader sees its rows, ms. The tables are empty before."""
    road.arena.clear()
    size = len(batches[0].events)
    with child(watch, road.arena.dsn) as reader:
        reader.answer()
        road.prepare(messages(workload, batches, every_s=size / events_per_s))
        reader.tell("look")
        published = road.go()
        road.wait_until_stored(sum(len(batch.events) for batch in batches))
        time.sleep(10 * LOOK_EVERY_S)
        reader.tell("that is all")
        seen: list[Sighting] = reader.answer()
    delays = delays_ms(batches, ids, published.sent_s, seen)
    say(f"at {events_per_s:.0f} events/s: {len(delays)} batches seen by a reader, the last after {delays[-1]:.0f} ms")
    return delays


def delays_ms(batches: Sequence[Batch], ids: Ids, sent_s: Sequence[float], seen: Sequence[Sighting]) -> list[float]:
    """From sending to sighting, ms, of batches in the order of their numbers."""
    by_stream: dict[int, list[tuple[float, int]]] = {}
    for seen_s, stream, high in seen:
        by_stream.setdefault(stream, []).append((seen_s, high))
    at = dict.fromkeys(by_stream, 0)
    delays = []
    for batch, sent in zip(batches, sent_s, strict=True):
        stream = ids.streams[batch.device]
        sightings = by_stream[stream]
        while sightings[at[stream]][1] < batch.first + len(batch.events) - 1:
            at[stream] += 1
        delays.append((sightings[at[stream]][0] - sent) * 1000)
    return delays
