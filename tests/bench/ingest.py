"""`python -m tests.bench ingest`: the hub from broker to commit, beside bare COPY and beside a naive bridge.

Rounds in turn, medians over the rounds. In each round every contender is given the same events, into the same tables
and indexes, emptied before and checkpointed, in one PostgreSQL with fsync on:

- hub: `ttdn-hub ingest` as it is configured by default, a process of its own. From the moment the first batch of 50 is
  handed to a socket, through real Mosquitto, until the commit of the last one: receive, inflate, decode, check, ledger,
  rows, current state, receipts (which the publisher takes back). Publisher and broker run on the same cores meanwhile.
- copy: the better of one and of two connections; `bare_copy.py` says what they do and do not do. `ratio_copy` is to
  COPY that finds its tuples ready made, `ratio_copy_from_events` to COPY that makes them from decoded events.
- naive: `naive.py`, with fewer events, by its own commits of the last one.

After each of them the rows are counted: all of them, each once, or the bench fails. `delay_ms_p99` is from handing a
batch to its socket to the commit's time stamp (pg_xact_commit_timestamp: taken just before the WAL is flushed), at
`LOAD` of the hub's own events/s, batches evenly spread; the median over the rounds. `freshness_ms_p99` is until a
reader sees the rows, at 10,000 events/s.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from tests.bench import bare_copy, naive
from tests.bench import soak as soaking
from tests.bench import sweep as sweeping
from tests.bench.arena import Arena, arena
from tests.bench.bare_copy import Span, Start
from tests.bench.child import Child, child
from tests.bench.freshness import freshness_ms
from tests.bench.report import percentiles, say
from tests.bench.road import PATIENCE_S, Road, messages, road
from tests.bench.workload import Batch, Ids, Workload, kinds_of, make_workload

LOAD: Final = 0.6
"""Of the hub's maximum, while delays are measured."""
BATCH_EVENTS: Final = 50
FRESH_EVENTS_PER_S: Final = 10_000
FRESH_S: Final = 30
_STARTS: Final[tuple[Start, ...]] = ("rows", "events")
_WAYS: Final[tuple[tuple[Start, int], ...]] = (("rows", 1), ("rows", 2), ("events", 1), ("events", 2))
"""What COPY starts from, and by how many connections."""


class Size(NamedTuple):
    """How much is measured."""

    devices: int
    batches: int
    """A device and round."""
    rounds: int
    naive_share: float
    """The part of the batches that the naive bridge is given."""


FULL: Final = Size(devices=200, batches=30, rounds=5, naive_share=0.1)
QUICK: Final = Size(devices=20, batches=2, rounds=1, naive_share=0.5)


@dataclass
class Figures:
    """What each round gave."""

    hub: list[float] = field(default_factory=list)
    copy: dict[tuple[Start, int], list[float]] = field(default_factory=lambda: {way: [] for way in _WAYS})
    naive: list[float] = field(default_factory=list)
    cpu: list[dict[str, float]] = field(default_factory=list)
    delays_p50: list[float] = field(default_factory=list)
    delays_p99: list[float] = field(default_factory=list)
    freshness_ms: list[float] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """Medians and their ratios."""
        hub_rate, naive_rate = median(self.hub), median(self.naive)
        copies = {f"{start}_by_{connections}": median(rates) for (start, connections), rates in self.copy.items()}
        best: dict[Start, float] = {start: max(copies[f"{start}_by_1"], copies[f"{start}_by_2"]) for start in _STARTS}
        return {
            "hub_events_per_s": round(hub_rate),
            "copy_events_per_s": round(best["rows"]),
            "copy_from_events_per_s": round(best["events"]),
            "naive_events_per_s": round(naive_rate),
            "ratio_copy": round(hub_rate / best["rows"], 3),
            "ratio_copy_from_events": round(hub_rate / best["events"], 3),
            "ratio_naive": round(hub_rate / naive_rate, 2),
            "delay_ms_p50": round(median(self.delays_p50), 1),
            "delay_ms_p99": round(median(self.delays_p99), 1),
            "freshness_ms_p50": round(percentiles(self.freshness_ms)[49], 1),
            "freshness_ms_p99": round(percentiles(self.freshness_ms)[98], 1),
            "cpu_us_per_event": {name: round(median(each[name] for each in self.cpu), 2) for name in self.cpu[0]},
            "delay_load_of_maximum": LOAD,
            "rounds": {"hub": _rounded(self.hub), "naive": _rounded(self.naive)}
            | {f"copy_{start}_by_{number}": _rounded(rates) for (start, number), rates in self.copy.items()},
        }


def options(parser: argparse.ArgumentParser) -> None:
    """What this bench can be asked besides."""
    parser.add_argument(
        "--sweep", action="store_true", help="also one and two processes, batches and devices few to many"
    )
    parser.add_argument("--soak", action="store_true", help="also ten minutes at 10,000 events/s: is memory flat?")


def run(folder: Path, *, quick: bool, sweep: bool = False, soak: bool = False) -> dict[str, Any]:
    """The whole bench; raises what a failed contender raises."""
    result = _contests(folder, quick=quick)
    if sweep:
        result |= sweeping.run(folder, quick=quick)
    if soak:
        result |= soaking.run(folder, quick=quick)
    return result


def _contests(folder: Path, *, quick: bool) -> dict[str, Any]:
    size = QUICK if quick else FULL
    say(f"making {size.devices * size.batches * BATCH_EVENTS} events of {size.devices} devices")
    workload = make_workload(size.devices, size.batches, BATCH_EVENTS)
    with _contest(folder, workload) as contest:
        figures = Figures()
        for number in range(size.rounds):
            _round(contest, figures, size, number)
        for _ in range(min(3, size.rounds)):
            _measure_delay(contest, figures)
        _measure_freshness(contest, figures)
        version = contest.arena.database.info.parameter_status("server_version")
    result = figures.result()
    result["workload"] = {"devices": size.devices, "batch_events": BATCH_EVENTS, "events": workload.events()}
    result["workload"] |= {"kinds": kinds_of(workload), "rounds": size.rounds}
    result["postgresql"] = version
    return result


class _Contest(NamedTuple):
    road: Road
    workload: Workload
    ids: Ids
    copies: dict[int, list[Child]]

    @property
    def arena(self) -> Arena:
        """Where it happens."""
        return self.road.arena


@contextmanager
def _contest(folder: Path, workload: Workload) -> Iterator[_Contest]:
    with ExitStack() as stack:
        place = stack.enter_context(arena(folder))
        ids = place.register(workload)
        way = stack.enter_context(road(place, folder))
        copies = {}
        for connections in (1, 2):
            copies[connections] = [
                stack.enter_context(child(bare_copy.serve, place.dsn, _part(workload, number, connections), ids))
                for number in range(connections)
            ]
        for each in (*copies[1], *copies[2]):
            each.answer()
        yield _Contest(way, workload, ids, copies)


def _part(workload: Workload, number: int, of: int) -> list[Batch]:
    return [batch for batch in workload.batches if batch.device % of == number]


def _round(contest: _Contest, figures: Figures, size: Size, number: int) -> None:
    """Every contender once; who begins changes from round to round."""
    runs = [
        partial(_hub_rate, contest, figures),
        *(partial(_copy_rate, contest, figures, *way) for way in _WAYS),
        partial(_naive_rate, contest, figures, size.naive_share),
    ]
    random.Random(number).shuffle(runs)
    for measure in runs:
        contest.arena.clear()
        say(f"round {number + 1} of {size.rounds}: {measure()}")


def _hub_rate(contest: _Contest, figures: Figures) -> str:
    before, events = contest.road.cpu_s(), contest.workload.events()
    published = contest.road.publish(messages(contest.workload, contest.workload.batches))
    contest.arena.wait_until_booked(events, PATIENCE_S)
    used = {name: (seconds - before[name]) * 1e6 / events for name, seconds in contest.road.cpu_s().items()}
    figures.cpu.append(used)
    contest.arena.check_stored(events)
    figures.hub.append(events / (contest.arena.last_commit_s() - published.began_s))
    shares = ", ".join(f"{name} {micros:.1f}" for name, micros in used.items())
    return f"hub {figures.hub[-1]:.0f} events/s (CPU us/event: {shares})"


def _copy_rate(contest: _Contest, figures: Figures, start: Start, connections: int) -> str:
    copying = contest.copies[connections]
    for each in copying:
        each.tell(start)
    spans: list[Span] = [each.answer() for each in copying]
    contest.arena.check_stored(contest.workload.events())
    seconds = max(span.ended_s for span in spans) - min(span.began_s for span in spans)
    figures.copy[start, connections].append(contest.workload.events() / seconds)
    return f"COPY of {start} by {connections} {figures.copy[start, connections][-1]:.0f} events/s"


def _naive_rate(contest: _Contest, figures: Figures, share: float) -> str:
    batches = contest.workload.batches[: max(1, int(len(contest.workload.batches) * share))]
    events = sum(len(batch.events) for batch in batches)
    names, place = contest.workload.devices, contest.arena
    with child(naive.serve, place.dsn, place.broker.port, names, contest.ids) as bridge:
        bridge.answer()
        published = contest.road.publish(messages(contest.workload, batches, naive.TOPIC))
        deadline = time.monotonic() + PATIENCE_S + events / 1_000
        while place.stored() < events and time.monotonic() < deadline:
            time.sleep(0.1)
        bridge.tell("stop")
    place.check_stored(events)
    last_s = max(place.commit_times(BATCH_EVENTS).values())
    figures.naive.append(events / (last_s - published.began_s))
    return f"naive bridge {figures.naive[-1]:.0f} events/s"


def _measure_delay(contest: _Contest, figures: Figures) -> None:
    """The hub at a part of its own maximum."""
    contest.arena.clear()
    rate = LOAD * median(figures.hub)
    batches = contest.workload.batches
    published = contest.road.publish(messages(contest.workload, batches, every_s=BATCH_EVENTS / rate))
    contest.road.wait_until_stored(contest.workload.events())
    committed = contest.arena.commit_times(BATCH_EVENTS)
    delays_ms = [
        (committed[contest.ids.streams[batch.device], batch.first] - sent_s) * 1000
        for batch, sent_s in zip(batches, published.sent_s, strict=True)
    ]
    cuts = percentiles(delays_ms)
    figures.delays_p50.append(cuts[49])
    figures.delays_p99.append(cuts[98])
    say(f"at {rate:.0f} events/s: delay p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms")


def _measure_freshness(contest: _Contest, figures: Figures) -> None:
    """Until a reader sees it, at what a large border sends."""
    batches = contest.workload.batches[: FRESH_EVENTS_PER_S * FRESH_S // BATCH_EVENTS]
    figures.freshness_ms += freshness_ms(contest.road, contest.workload, contest.ids, batches, FRESH_EVENTS_PER_S)


def _rounded(rates: Sequence[float]) -> list[int]:
    return [round(rate) for rate in rates]
