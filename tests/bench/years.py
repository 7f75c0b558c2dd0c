"""Two believable years of a border in the hub's tables, made by the database itself.

Devices are open from 7 to 18 o'clock local time; half of the events are slices of plays, a quarter are acts of
visitors, the rest health and a few others. Counts are the hub's own recount of these rows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import psycopg

from hub.counts.hourly import HOURLY
from hub.registry.files import kind_of
from hub.store.play_days import record_days
from hub.store.registry import import_file
from simulator import border as simulated
from simulator.registration import registry_files
from tests.bench.report import say

DAYS: Final = 730
_COUNTS: Final = (*(hourly.table for hourly in HOURLY), "event_hour")
_ROWS: Final = Path(__file__).with_name("years.sql")


class Border(NamedTuple):
    """What was made."""

    events: int
    sites: list[str]
    devices: list[str]
    province: str
    until: datetime
    counts: dict[str, int]
    """Rows by table."""


def fill(owner: psycopg.Connection, events: int) -> Border:
    """Fill an empty, migrated database."""
    sites = simulated.sites()
    devices = simulated.devices(sites, 1)
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for kind, text in registry_files(sites, devices, until.date()).items():
        import_file(owner, kind_of(kind), text.encode(), by="bench", now=until)
    say(f"making {events} events of {len(devices)} devices in {DAYS} days")
    given = {"events": events, "since": until - timedelta(days=DAYS), "days": DAYS}
    for statement in _ROWS.read_text().split(";\n"):
        if statement.strip():
            owner.execute(statement.encode(), given)
    counts = {}
    for table in _COUNTS:
        say(f"counting {table}")
        owner.execute(f"TRUNCATE {table}".encode())
        row = owner.execute(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            (table,),
        ).fetchone()
        assert row is not None
        counts[table] = owner.execute(
            f"INSERT INTO {table} ({row[0]}) SELECT {row[0]} FROM recount_{table}".encode()
        ).rowcount
    say("recording days")
    record_days(owner, until)
    owner.execute("TRUNCATE judge_due, judge_all, judged")
    say("analysing")
    owner.execute("VACUUM ANALYZE")
    row = owner.execute("SELECT sum(events)::bigint FROM event_hour").fetchone()
    assert row is not None
    return Border(int(row[0]), [site.code for site in sites], [device.name for device in devices], "20", until, counts)
