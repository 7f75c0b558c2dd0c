"""What an event costs in the outbox and on the wire: the agent's own outbox and courier, without any probe."""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from edge_agent.clock import Clock
from edge_agent.courier import Courier
from edge_agent.mqtt import Broker
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.store import Entry
from edge_agent.uplink import Pace
from simulator.ports import HOST
from tests.bench.proc import write_bytes
from tests.bench.relay import Relay
from tests.bench.workload import Workload, make_workload

DEVICE: Final = "bench-kiosk"
PASSWORD: Final = "bench"
_MAX_BYTES: Final = 500_000_000
_PATIENCE_S: Final = 30.0


def disk_bytes_per_event(folder: Path, size: int, commits: int, answers: Connection) -> None:
    """In a process of its own: what storage was made to write for events appended `size` to a commit."""
    folder.mkdir()
    entries = _entries(size, commits)
    outbox = Outbox(folder, max_bytes=_MAX_BYTES, commit_interval_s=0)
    before = write_bytes()
    for group in entries:
        outbox.append(group)
    outbox.close()
    answers.send((write_bytes() - before) / (size * commits))


def wire_bytes_per_event(folder: Path, broker_port: int, size: int, batches: int) -> float:
    """Bytes through a relay in both directions for batches of `size`, each covered by its receipt before the next.

    Counts PUBLISH with topic and properties, PUBACK, the receipt and its PUBACK; not connecting and the first hello.
    """
    folder.mkdir()
    clock = Clock()
    outbox = Outbox(folder, max_bytes=_MAX_BYTES, commit_interval_s=0)
    with Relay(broker_port) as relay:
        courier = Courier(DEVICE, [Broker(HOST, relay.port, DEVICE, PASSWORD)], outbox, clock, version="bench")
        courier.set_pace(Pace(company_ms=0))  # each batch by itself, of whatever kind
        outbox.on_commit = courier.wake
        courier.start()
        first, *rest = _entries(size, batches + 1)
        _send(outbox, first)
        before = settled(relay)
        for group in rest:
            _send(outbox, group)
        passed = settled(relay) - before
        courier.stop()
        courier.join(_PATIENCE_S)
    outbox.close()
    return passed / (size * batches)


def _entries(size: int, batches: int) -> list[list[Entry]]:
    workload: Workload = make_workload(1, batches, size)
    at_ms = Clock().now_ms()
    return [[Entry(event, at_ms) for event in batch.events] for batch in workload.batches]


def _send(outbox: Outbox, group: list[Entry]) -> None:
    outbox.append(group)
    until(lambda: not outbox.uncovered(outbox.live_stream), "the hub does not cover what was sent")


def settled(relay: Relay) -> int:
    """The relay's count once nothing more comes."""
    count = -1
    while relay.bytes != count:
        count = relay.bytes
        time.sleep(0.3)
    return count


def until(true: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.002)
