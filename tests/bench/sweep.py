"""`ingest --sweep`: hubs of one and two processes, batches of 1, 10 and 50 events, 10 to 10,000 devices.

In each cell every device is heard once before the clock runs, as it is after a hub's first minutes, then the cell's
events are sent as fast as they are taken; medians over the rounds. `flatness` is how much more processor time an event
costs where it costs most than where it costs least, over the numbers of devices, batches of 50, hub by its defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from tests.bench.arena import Arena, arena
from tests.bench.report import say
from tests.bench.road import PATIENCE_S, Road, messages, road
from tests.bench.workload import Workload, make_workload

PROCESSES: Final = (1, 2)


class Extent(NamedTuple):
    """What is gone through."""

    devices: tuple[int, ...]
    events: dict[int, int]
    """By events a batch: how many in all, at least; every device sends one batch."""
    rounds: int


FULL: Final = Extent((10, 100, 1_000, 10_000), {1: 20_000, 10: 100_000, 50: 500_000}, 3)
QUICK: Final = Extent((5, 10), {1: 20, 50: 500}, 1)
_OF_THE_HUB: Final = ("hub", "postgresql", "broker")


class Cell(NamedTuple):
    """One combination and what was measured."""

    processes: int
    batch_events: int
    devices: int
    events_per_s: int
    cpu_us_per_event: float
    """Of hub, PostgreSQL and broker together."""


def run(folder: Path, *, quick: bool) -> dict[str, Any]:
    """All cells."""
    extent = QUICK if quick else FULL
    cells: list[Cell] = []
    for devices in extent.devices:
        (place_folder := folder / f"sweep-{devices}").mkdir()
        with arena(place_folder) as place:
            workloads = [_workload(devices, size, events) for size, events in extent.events.items()]
            for workload in workloads:
                place.register(workload)
            for processes in PROCESSES:
                with road(place, place_folder, processes=processes) as way:
                    for size, workload in zip(extent.events, workloads, strict=True):
                        cells.append(_cell(way, workload, processes, size, extent.rounds))
                        say(str(cells[-1]))
    flat = [cell.cpu_us_per_event for cell in cells if cell[:2] == (PROCESSES[-1], max(extent.events))]
    return {"sweep": [cell._asdict() for cell in cells], "flatness": flatness(flat)}


def flatness(costs: Sequence[float]) -> float | None:
    """How much more the dearest costs than the cheapest; None if one was too short for the kernel's clock of 10 ms."""
    return round(max(costs) / min(costs) - 1, 3) if min(costs) > 0 else None


def _workload(devices: int, size: int, events: int) -> Workload:
    batches = max(1, events // (devices * size))
    say(f"making {devices} x {batches} batches of {size}")
    return make_workload(devices, batches, size, seed=size, heard_before=True)


def _cell(way: Road, workload: Workload, processes: int, size: int, rounds: int) -> Cell:
    rates, costs = zip(*(_measure(way, workload) for _ in range(rounds)), strict=True)
    return Cell(processes, size, len(workload.devices), round(median(rates)), round(median(costs), 2))


def _measure(way: Road, workload: Workload) -> tuple[float, float]:
    """Events/s, and us of processor time an event."""
    place: Arena = way.arena
    devices = len(workload.devices)
    place.clear()
    way.publish(messages(workload, workload.batches[:devices]))
    place.wait_until_booked(devices, PATIENCE_S)
    before, events = way.cpu_s(), workload.events() - devices
    published = way.publish(messages(workload, workload.batches[devices:]))
    place.wait_until_booked(workload.events(), PATIENCE_S)
    used_s = sum(way.cpu_s()[name] - before[name] for name in _OF_THE_HUB)
    place.check_stored(workload.events())
    return events / (place.last_commit_s() - published.began_s), used_s * 1e6 / events
