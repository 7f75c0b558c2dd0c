"""A kiosk without network whose power goes again and again: each start is a stream of its own."""

from __future__ import annotations

import random
from pathlib import Path

import psycopg

from contract.events import UNNUMBERED, Fault
from contract.limits import MAX_HELLO_STREAMS
from edge_agent.clock import Clock
from edge_agent.draft import UNSTAMPED, Draft
from edge_agent.outbox.outbox import FILE_NAME, Outbox
from simulator.journal import Journal, JournaledRecorder
from tests.chaos.field import Source, settle, stored
from tests.end_to_end.border import DEVICES, Hub
from tests.end_to_end.seen import Seen
from tests.mosquitto import Mosquitto
from tests.patience import until

DEVICE = next(iter(DEVICES))
STARTS = MAX_HELLO_STREAMS * 5 // 4


def test_more_streams_than_a_hello_holds(
    hub: Hub, broker: Mosquitto, tmp_path: Path, connection: psycopg.Connection, rng: random.Random
) -> None:
    source = Source(tmp_path / "k1", DEVICE, broker, rng=rng, rate=10)
    source.state.mkdir()
    journal = Journal(source.journal, DEVICE)
    for number in range(STARTS):
        outbox = Outbox(source.state, max_bytes=50_000_000, commit_interval_s=0)
        recorder = JournaledRecorder(outbox, Clock(), journal)
        for reason in range(rng.randint(1, 3)):
            event = Fault(seq=UNNUMBERED, time=UNSTAMPED, code="test", reason=f"{number} {reason}")
            recorder.append([Draft(Clock().now_ms(), event)])
        outbox.close()
    journal.close()
    assert (source.state / FILE_NAME).exists()
    with source:
        until(lambda: source.accepted() <= stored(connection, DEVICE), "all streams")
        source.stop()
        source.start()  # Says hello with all of them again, now in their grace.
        settle(hub, [source])
    assert Seen(connection, DEVICE).incidents() == []
    count = connection.execute("SELECT count(*) FROM stream").fetchone()
    assert count is not None
    assert count[0] >= STARTS + 2
