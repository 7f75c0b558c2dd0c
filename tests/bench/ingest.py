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
`LOAD` of the hub's own events/s, batches evenly spread; the median over the rounds.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final, NamedTuple

from contract.topics import PREFIX, topic
from tests.bench import bare_copy, naive, publisher
from tests.bench.arena import Arena, arena, hub
from tests.bench.bare_copy import Span, Start
from tests.bench.child import Child, child
from tests.bench.proc import cpu_s, family_cpu_s
from tests.bench.publisher import Outgoing, Published
from tests.bench.report import say
from tests.bench.workload import Batch, Ids, Workload, kinds_of, make_workload

LOAD: Final = 0.6
"""Of the hub's maximum, while delays are measured."""
BATCH_EVENTS: Final = 50
_CONNECTIONS: Final = 16
_RECEIPTS: Final = f"{PREFIX}/+/receipt"
_PATIENCE_S: Final = 60.0
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
            "cpu_us_per_event": {name: round(median(each[name] for each in self.cpu), 2) for name in self.cpu[0]},
            "delay_load_of_maximum": LOAD,
            "rounds": {"hub": _rounded(self.hub), "naive": _rounded(self.naive)}
            | {f"copy_{start}_by_{number}": _rounded(rates) for (start, number), rates in self.copy.items()},
        }


def run(folder: Path, *, quick: bool) -> dict[str, Any]:
    """The whole bench; raises what a failed contender raises."""
    size = QUICK if quick else FULL
    say(f"making {size.devices * size.batches * BATCH_EVENTS} events of {size.devices} devices")
    workload = make_workload(size.devices, size.batches, BATCH_EVENTS)
    with _contest(folder, workload) as contest:
        figures = Figures()
        for number in range(size.rounds):
            _round(contest, figures, size, number)
        for _ in range(min(3, size.rounds)):
            _measure_delay(contest, figures)
        version = contest.arena.database.info.parameter_status("server_version")
    result = figures.result()
    result["workload"] = {"devices": size.devices, "batch_events": BATCH_EVENTS, "events": workload.events()}
    result["workload"] |= {"kinds": kinds_of(workload), "rounds": size.rounds}
    result["postgresql"] = version
    return result


class _Contest(NamedTuple):
    arena: Arena
    workload: Workload
    ids: Ids
    hub: int
    """Its process id."""
    publisher: Child
    copies: dict[int, list[Child]]

    def cpu_s(self) -> dict[str, float]:
        """What each process on the road of an event has used so far."""
        return {
            "hub": family_cpu_s(self.hub),
            "postgresql": family_cpu_s(self.arena.postgres.pid),
            "broker": cpu_s(self.arena.broker.pid),
            "publisher": cpu_s(self.publisher.process.pid),
        }


@contextmanager
def _contest(folder: Path, workload: Workload) -> Iterator[_Contest]:
    with ExitStack() as stack:
        place = stack.enter_context(arena(folder))
        ids = place.register(workload)
        ingesting = stack.enter_context(hub(place, folder))
        publishing = stack.enter_context(child(publisher.serve, place.broker.port, _CONNECTIONS, _RECEIPTS))
        copies = {}
        for connections in (1, 2):
            copies[connections] = [
                stack.enter_context(child(bare_copy.serve, place.dsn, _part(workload, number, connections), ids))
                for number in range(connections)
            ]
        for each in (*copies[1], *copies[2]):
            each.answer()
        yield _Contest(place, workload, ids, ingesting.pid, publishing, copies)


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
    before = contest.cpu_s()
    published = _publish(contest, _messages(contest.workload, contest.workload.batches))
    contest.arena.wait_until_booked(contest.workload.events(), _PATIENCE_S)
    events = contest.workload.events()
    used = {name: (seconds - before[name]) * 1e6 / events for name, seconds in contest.cpu_s().items()}
    figures.cpu.append(used)
    contest.arena.check_stored(events)
    figures.hub.append(events / (contest.arena.last_commit_s() - published.began_s))
    shares = ", ".join(f"{name} {micros:.1f}" for name, micros in used.items())
    return f"hub {figures.hub[-1]:.0f} events/s (CPU us/event: {shares})"


def _await_hub(contest: _Contest) -> None:
    events = contest.workload.events()
    contest.arena.wait_until_booked(events, _PATIENCE_S)
    contest.arena.check_stored(events)


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
        published = _publish(contest, _messages(contest.workload, batches, naive.TOPIC))
        deadline = time.monotonic() + _PATIENCE_S + events / 1_000
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
    published = _publish(contest, _messages(contest.workload, batches, every_s=BATCH_EVENTS / rate))
    _await_hub(contest)
    committed = contest.arena.commit_times(BATCH_EVENTS)
    delays_ms = [
        (committed[contest.ids.streams[batch.device], batch.first] - sent_s) * 1000
        for batch, sent_s in zip(batches, published.sent_s, strict=True)
    ]
    cuts = quantiles(delays_ms, n=100)
    figures.delays_p50.append(cuts[49])
    figures.delays_p99.append(cuts[98])
    say(f"at {rate:.0f} events/s: delay p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms")


def _messages(workload: Workload, batches: Sequence[Batch], where: str = "", every_s: float = 0) -> list[Outgoing]:
    topics = [where.format(device=name) if where else topic(name, "events") for name in workload.devices]
    return [
        Outgoing(topics[batch.device], batch.payload.data, batch.payload.content_type, number * every_s)
        for number, batch in enumerate(batches)
    ]


def _publish(contest: _Contest, messages: list[Outgoing]) -> Published:
    contest.publisher.tell(messages)
    contest.publisher.answer()
    contest.publisher.tell("go")
    published: Published = contest.publisher.answer()
    return published


def _rounded(rates: Sequence[float]) -> list[int]:
    return [round(rate) for rate in rates]
