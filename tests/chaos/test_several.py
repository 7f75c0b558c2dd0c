"""Several workers on one shared subscription, and several brokers, of which one dies for good."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.chaos.field import Source, settle, stored
from tests.end_to_end.border import DEVICES, Hub
from tests.end_to_end.seen import Seen
from tests.mosquitto import Mosquitto
from tests.patience import until

NAMES = list(DEVICES)[:4]
SESSIONS = "SELECT count(*) FROM session"


@pytest.fixture
def workers(tmp_path: Path, database: str, broker: Mosquitto, second_broker: Mosquitto) -> Iterator[list[Hub]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(Hub(tmp_path, database, broker, second_broker, role="ingest", name=f"worker-{number}"))
            for number in (1, 2)
        ]


def test_a_broker_and_a_worker_die_for_good(
    workers: list[Hub],
    broker: Mosquitto,
    second_broker: Mosquitto,
    connection: psycopg.Connection,
    tmp_path: Path,
    rng: random.Random,
) -> None:
    with ExitStack() as stack:
        sources = []
        for number, name in enumerate(NAMES):
            both = (broker, second_broker) if number % 2 else (second_broker, broker)
            sources.append(stack.enter_context(Source(tmp_path / name, name, *both, rng=rng, rate=30)))
        for name in NAMES:
            until(lambda: len(stored(connection, name)) > 30, "rows of every device")  # noqa: B023 - called here
        booked = connection.execute("SELECT count(DISTINCT broker), count(DISTINCT worker) FROM hub_link").fetchone()
        assert booked == (2, 2)
        workers[0].kill()
        time.sleep(rng.uniform(0.3, 1))
        broker.kill()
        for source in sources:
            there = len(stored(connection, source.device))
            until(lambda: len(stored(connection, source.device)) > there + 30, "rows after that")  # noqa: B023
        verdict = settle(workers[1], sources)
        assert verdict.produced > 200
        for name in NAMES:
            assert Seen(connection, name).incidents() == []


def test_a_worker_that_is_behind_sees_no_clone(
    workers: list[Hub], broker: Mosquitto, connection: psycopg.Connection, tmp_path: Path, rng: random.Random
) -> None:
    """Every worker reads every status message, each in its own time: what one repeats late is no second agent."""
    with Source(tmp_path / "k1", NAMES[0], broker, rng=rng, rate=20) as source:
        until(lambda: len(stored(connection, source.device)) > 20, "rows")
        for _ in range(2):
            workers[1].freeze()
            for _ in range(2):
                known = _count(connection, SESSIONS)
                source.kill()
                source.start()
                until(lambda: _count(connection, SESSIONS) > known, "the other worker knows of it")  # noqa: B023
            workers[1].resume()
            time.sleep(1)
        settle(workers[0], [source])
        workers[1].stop()  # It has read everything.
        assert Seen(connection, source.device).incidents() == []


def _count(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])
