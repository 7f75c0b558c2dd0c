"""`python -m tests.bench query`: how fast dashboards and reports are answered over two years of events.

Plain PostgreSQL holds believable years of a border: 29 sites in provinces with up to three devices each, open by
day, with rows and hourly counts as the hub writes them (the counts are made from the rows by the hub's own recount).
Then every question of `questions.sql` is asked by the login of one province and by that of the ministry, through the
views of the schema `report`, for ranges and places that change from time to time: `default` is what a dashboard opens
with, the last 7 days (lists of rows: 24 hours), `year` the last 365 days. Neither lists nor single hours of all places
are asked for years: there are the days of `report.play_day`. Statements go over TCP, one at a time, with nothing else
at work; the first answers count as well.
"""

from __future__ import annotations

import argparse
import random
import re
import secrets
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo

from hub.store import roles
from hub.store.connection import connect
from hub.store.migrate import migrate
from simulator.postgres import EmbeddedPostgres
from tests.bench.report import say
from tests.bench.years import DAYS, Border, fill

_HEAD: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_SETTINGS: Final = {"shared_buffers": "2GB", "work_mem": "64MB", "max_wal_size": "8GB", "random_page_cost": "1.1"}
FULL_EVENTS: Final = 10_000_000
QUICK_EVENTS: Final = 20_000
REPEATS: Final = 15
MINISTRY: Final = "report_all"
EXACT: Final = (
    "interactions_by_action",
    "interactions_by_language",
    "pages",
    "visit_list",
    "visits_by_language",
    "visits_by_hour_of_week",
    "events_by_device",
    "streams",
)
"""Exact figures of visitors, which the ministry's login may not ask for."""
_SHORT: Final = ("_list", "_hours")
"""Questions that nobody asks of a year."""
_DEFAULT: Final = timedelta(days=7)
_LIST: Final = timedelta(days=1)
_YEAR: Final = timedelta(days=365)


def options(parser: argparse.ArgumentParser) -> None:
    """What this bench can be asked besides."""
    events = "how many, up to 100 million (default: %(default)s; with --quick 20,000)"
    parser.add_argument("--events", type=int, default=FULL_EVENTS, help=events, metavar="N")


def run(folder: Path, *, quick: bool, events: int = FULL_EVENTS) -> dict[str, Any]:
    """The whole bench."""
    wanted = min(events, QUICK_EVENTS) if quick else events
    with EmbeddedPostgres(folder / "postgres", settings=_SETTINGS) as server:
        migrate(server.dsn)
        with connect(server.dsn, "bench", autocommit=True) as owner:
            border = fill(owner, wanted)
            logins = _readers(owner, server.dsn, border)
            version = owner.info.parameter_status("server_version")
            times = _ask(logins, border, 2 if quick else REPEATS)
    by_range: dict[str, list[float]] = defaultdict(list)
    for (_, span), taken in times.items():
        by_range[span] += taken
    slowest = sorted(((max(taken), f"{name}, {span}") for (name, span), taken in times.items()), reverse=True)
    return {
        "events": border.events,
        "p95_ms_default": _p95(by_range["default"]),
        "p95_ms_year": _p95(by_range["year"]),
        "slowest": {name: round(taken, 1) for taken, name in slowest[:5]},
        "p95_ms": {f"{name}, {span}": _p95(taken) for (name, span), taken in sorted(times.items())},
        "devices": len(border.devices),
        "days": DAYS,
        "counts": border.counts,
        "postgresql": version,
    }


def questions() -> dict[str, str]:
    """Every question by its name."""
    text = (files("tests.bench") / "questions.sql").read_text()
    parts = _HEAD.split(text)[1:]
    return dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))


def _ask(logins: dict[str, str], border: Border, repeats: int) -> dict[tuple[str, str], list[float]]:
    chance = random.Random(3)
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for login, dsn in logins.items():
        say(f"asking as {login}")
        with psycopg.connect(dsn, autocommit=True) as reader:
            for name, query in questions().items():
                if login == MINISTRY and name in EXACT:
                    continue
                spans = {"default": _LIST if name.endswith("_list") else _DEFAULT}
                spans |= {} if name.endswith(_SHORT) else {"year": _YEAR}
                for span, length in spans.items():
                    for _ in range(repeats):
                        until = border.until - timedelta(hours=chance.randrange(48))
                        given: dict[str, Any] = {"since": until - length, "until": until}
                        given |= {"first_day": given["since"].date(), "last_day": until.date()}
                        given |= {"site": chance.choice(border.sites), "device": chance.choice(border.devices)}
                        began = time.perf_counter()
                        reader.execute(query.encode(), given).fetchall()
                        times[name, span].append((time.perf_counter() - began) * 1000)
    return times


def _readers(owner: psycopg.Connection, dsn: str, border: Border) -> dict[str, str]:
    """Logins of a province and of the ministry, made as `ttdn-hub roles apply` makes them."""
    readers = roles.wanted(owner)
    passwords = {reader.role: secrets.token_hex(16) for reader in readers}
    roles.apply(owner, readers, passwords, by="bench", now=datetime.now(UTC))
    asked = (f"report_{border.province}", MINISTRY)
    return {role: make_conninfo(dsn, user=role, password=passwords[role]) for role in asked}


def _p95(taken: list[float]) -> float:
    return round(quantiles(taken, n=20)[-1] if len(taken) > 1 else taken[0], 1)
