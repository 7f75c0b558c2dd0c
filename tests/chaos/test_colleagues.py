"""One ingest of several processes: each of them may die, and none outlives the first."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hub.cli.exits import STOPPED
from simulator.processes import children, command_line, is_running
from tests.chaos.field import Source, settle, stored
from tests.end_to_end.border import DEVICES, Hub
from tests.mosquitto import Mosquitto
from tests.patience import until

PROCESSES = 3
NAMES = list(DEVICES)[:3]


@pytest.fixture
def worker(tmp_path: Path, database: str, broker: Mosquitto) -> Iterator[Hub]:
    """An ingest whose processes all listen."""
    with Hub(tmp_path, database, broker, role="ingest", processes=PROCESSES) as worker:
        until(lambda: listening(worker) == PROCESSES, "all processes listen")
        yield worker


def listening(worker: Hub) -> int:
    return worker.said().count("listening on broker")


def colleagues(worker: Hub) -> list[int]:
    """Ids of the further processes; Python's resource tracker is a child as well."""
    assert worker.pid is not None
    found = [pid for pid in children(worker.pid) if "spawn_main" in " ".join(command_line(pid))]
    assert len(found) == PROCESSES - 1
    return found


def commits(connection: psycopg.Connection) -> int:
    """How many of the database's connections have committed rows."""
    query = "SELECT count(DISTINCT backend) FROM committed_by"
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_the_processes_share_the_work_and_end_together(
    worker: Hub, broker: Mosquitto, connection: psycopg.Connection, tmp_path: Path, rng: random.Random
) -> None:
    # The database notes for each row of the ledger which connection has changed it.
    connection.execute("CREATE TABLE committed_by (backend integer)")
    connection.execute("GRANT INSERT ON committed_by TO PUBLIC")
    connection.execute(
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO committed_by VALUES (pg_backend_pid()); RETURN NULL; END $$"
    )
    connection.execute("CREATE TRIGGER note AFTER UPDATE ON stream EXECUTE FUNCTION note()")
    connection.commit()
    with Source(tmp_path / "k1", NAMES[0], broker, rng=rng, rate=40) as source:
        until(lambda: commits(connection) >= PROCESSES, "commits of every process")
        settle(worker, [source])
    others = colleagues(worker)
    worker.stop()
    assert not any(map(is_running, others))


def test_a_process_that_is_killed_ends_the_ingest_and_loses_nothing(
    worker: Hub, broker: Mosquitto, connection: psycopg.Connection, tmp_path: Path, rng: random.Random
) -> None:
    with Source(tmp_path / "k1", NAMES[0], broker, rng=rng) as source:
        until(lambda: len(stored(connection, source.device)) > 50, "rows")
        victim, survivor = colleagues(worker)
        os.kill(victim, signal.SIGKILL)
        assert worker.wait() == STOPPED
        assert "ended with exit code -9" in worker.said()
        assert not is_running(survivor)
        worker.start()
        assert settle(worker, [source]).produced > 50


def test_no_process_outlives_a_killed_ingest(
    worker: Hub, broker: Mosquitto, connection: psycopg.Connection, tmp_path: Path, rng: random.Random
) -> None:
    with Source(tmp_path / "k1", NAMES[0], broker, rng=rng) as source:
        until(lambda: len(stored(connection, source.device)) > 50, "rows")
        others = colleagues(worker)
        worker.kill()
        until(lambda: not any(map(is_running, others)), "they end by themselves")
        worker.start()
        settle(worker, [source])
