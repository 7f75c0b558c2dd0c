"""Where the contenders meet: real Mosquitto, real PostgreSQL with fsync, real hub, each a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import psycopg

from contract.events import KINDS
from hub.counts.hourly import HOURLY
from hub.store.connection import connect
from hub.store.migrate import migrate
from simulator.ports import HOST
from simulator.postgres import EmbeddedPostgres
from tests.bench.publisher import PASSWORD, USER
from tests.bench.workload import CONTENTS, Ids, Workload
from tests.mosquitto import ACL, Mosquitto

_SETTINGS: Final = {
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "shared_buffers": "256MB",
    "autovacuum": "off",
}
"""No checkpoint or vacuum falls into the round of one contender and not of another; each round begins after both."""
_HUB: Final = """\
[database]
dsn = "{dsn}"
[mqtt]
password = "{password}"
brokers = [{{host = "{host}", port = {port}, tls = false}}]
[log]
level = "warning"
{ingest}"""
_EVENTS: Final = " UNION ALL ".join(f"SELECT stream, seq, xmin FROM {kind}" for kind in KINDS)
_COUNT: Final = f"SELECT count(*), count(DISTINCT (stream, seq)) FROM ({_EVENTS}) AS stored"
_FIRSTS: Final = (
    f"SELECT stream, seq, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float FROM ({_EVENTS}) AS stored"
    " WHERE (seq - 1) %% %(size)s = 0"
)
_STREAMS: Final = """
WITH given AS (
    SELECT * FROM unnest(%(devices)s::text[], %(streams)s::uuid[]) WITH ORDINALITY AS g (device, name, number)
), new AS (
    INSERT INTO stream (device, name) SELECT d.id, g.name FROM given g JOIN device d ON d.name = g.device
    RETURNING id, device, name
)
SELECT new.device, new.id, p.id FROM new JOIN given g USING (name) JOIN placement p ON p.device = new.device
ORDER BY g.number"""
_CONTENT: Final = """
INSERT INTO shown_content (content_ref, content_sha256) SELECT %(ref)s, decode(%(sha256)s, 'hex')
WHERE NOT EXISTS (SELECT FROM shown_content WHERE content_ref = %(ref)s)"""
_BOOKED: Final = "SELECT coalesce(sum(upper(r) - lower(r)), 0)::bigint FROM stream, unnest(committed) AS r"


class NotStoredOnceError(Exception):
    """A contender did not store every event exactly once: its figure means nothing."""


_OTHERS: Final = ("screen_now", "device_now", "rejected", "incident", "notice", "visit", "visit_due", "visit_hour")
_COUNTS: Final = (*(hourly.table for hourly in HOURLY), "event_hour")


class Arena(NamedTuple):
    """The servers of one run."""

    broker: Mosquitto
    postgres: EmbeddedPostgres
    database: psycopg.Connection

    @property
    def dsn(self) -> str:
        """Of the hub's database."""
        return self.postgres.dsn

    def clear(self) -> None:
        """Empty tables and accounts, the same ids, nothing left to be written by a checkpoint."""
        self._truncate()
        self.database.execute("UPDATE stream SET committed = '{}', lost = '{}'")
        self.database.execute("VACUUM stream")
        self.database.execute("CHECKPOINT")

    def _truncate(self) -> None:
        """Again where a chore of the hub has some of these tables in other order: one of the two gives way."""
        while True:
            try:
                self.database.execute(f"TRUNCATE {', '.join((*KINDS, *_COUNTS, *_OTHERS))}".encode())
            except psycopg.errors.DeadlockDetected:
                continue
            return

    def register(self, workload: Workload) -> Ids:
        """Rows for the devices, streams and contents of a workload, whose streams are new; devices may be there."""
        names = {"devices": workload.devices, "streams": workload.streams}
        self.database.execute(
            "INSERT INTO device (name) SELECT unnest(%(devices)s::text[]) ON CONFLICT DO NOTHING", names
        )
        rows = self.database.execute(_STREAMS, names).fetchall()
        contents: dict[tuple[str, str | None], int] = {}
        for ref, sha256 in CONTENTS:
            given = {"ref": ref, "sha256": sha256}
            self.database.execute(_CONTENT, given)
            row = self.database.execute("SELECT id FROM shown_content WHERE content_ref = %(ref)s", given).fetchone()
            assert row is not None
            contents[ref, sha256] = int(row[0])
        return Ids([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows], contents)

    def wait_until_booked(self, events: int, timeout_s: float) -> None:
        """Return when the ledger holds so many events. Raises NotStoredOnceError after `timeout_s` without progress."""
        booked, deadline = -1, time.monotonic() + timeout_s
        while booked != events:
            row = self.database.execute(_BOOKED).fetchone()
            assert row is not None
            if row[0] > booked:
                booked, deadline = row[0], time.monotonic() + timeout_s
            if time.monotonic() > deadline:
                raise NotStoredOnceError(f"{booked} of {events} events are booked, and no more come")
            time.sleep(0.05)

    def check_stored(self, events: int) -> None:
        """Count what is in the tables. Raises NotStoredOnceError."""
        row = self.database.execute(_COUNT).fetchone()
        if row != (events, events):
            raise NotStoredOnceError(f"{events} events went in; rows and different rows stored: {row}")

    def stored(self) -> int:
        """Rows in all tables."""
        row = self.database.execute(_COUNT).fetchone()
        return 0 if row is None else int(row[0])

    def last_commit_s(self) -> float:
        """When the last account was changed, Unix s."""
        row = self.database.execute(
            "SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float FROM stream"
        ).fetchone()
        assert row is not None
        return float(row[0])

    def commit_times(self, size: int) -> dict[tuple[int, int], float]:
        """By stream and first number of each batch: when it was committed, Unix s."""
        rows = self.database.execute(_FIRSTS, {"size": size})
        return {(stream, seq): committed_s for stream, seq, committed_s in rows}


@contextmanager
def arena(
    folder: Path, users: Mapping[str, str] | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Arena]:
    """Start broker and database in `folder`, which is on a real disk.

    `users` of the broker besides the hub's, `settings` of PostgreSQL instead of or besides those of a contest.
    """
    acl = folder / "acl"
    acl.write_text(f"{ACL.read_text()}\nuser {USER}\ntopic readwrite #\n")
    with (
        Mosquitto(folder / "broker", {"hub": "hub", USER: PASSWORD, **(users or {})}, acl=acl) as broker,
        EmbeddedPostgres(folder / "postgres", settings={**_SETTINGS, **(settings or {})}) as postgres,
    ):
        migrate(postgres.dsn)
        with connect(postgres.dsn, "bench", autocommit=True) as database:
            yield Arena(broker, postgres, database)


@contextmanager
def hub(
    arena: Arena, folder: Path, *, processes: int | None = None, way_in: tuple[int, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A running `ttdn-hub ingest` with its settings' defaults but for `processes`.

    Connected to the arena's broker, or to that of `way_in`: port and password.
    """
    port, password = way_in or (arena.broker.port, "hub")
    config = folder / "hub.toml"
    ingest = "" if processes is None else f"[ingest]\nprocesses = {processes}\n"
    config.write_text(_HUB.format(dsn=arena.dsn, host=HOST, port=port, password=password, ingest=ingest))
    config.chmod(0o600)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TTDN_HUB_")}
    command = [sys.executable, "-m", "hub", "ingest", "--config", str(config)]
    with (folder / "hub.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ)
    try:
        _wait_until_listening(arena, process, folder / "hub.log")
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_listening(arena: Arena, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while arena.database.execute("SELECT 1 FROM hub_link WHERE until IS NULL").fetchone() is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the hub does not start; it said:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)
