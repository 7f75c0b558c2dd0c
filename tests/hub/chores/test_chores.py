"""Chores: when they are due, that one process does them, and that a bad one stops no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from hub.chores.chore import Chore
from hub.chores.chores import CHORES
from hub.chores.service import ChoreService
from hub.config import DatabaseSettings, HubSettings
from hub.metrics import HubMetrics
from tests.patience import until

NIGHT = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)  # 2 o'clock in Vietnam
DAY = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ALWAYS = timedelta(0)


def nothing(_connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime) -> bool:
    return False


@pytest.mark.parametrize(
    ("hours", "now", "due"),
    [
        (None, DAY, True),
        (15, NIGHT, False),
        (17, NIGHT, True),
        (8, DAY, False),  # it was done in the last night
        (20, DAY, False),  # by day, and was not due again in the night
        (24, DAY, True),  # it was due in the last night
        (30, DAY, True),
    ],
)
def test_a_nightly_chore_waits_for_the_night_unless_one_was_missed(
    hours: int | None, now: datetime, *, due: bool
) -> None:
    chore = Chore("x", timedelta(days=1), nothing, by_night=True)
    assert chore.is_due(None if hours is None else now - timedelta(hours=hours), now) is due


def test_others_follow_their_period() -> None:
    chore = Chore("x", timedelta(seconds=5), nothing)
    assert [chore.is_due(DAY - timedelta(seconds=age), DAY) for age in (4, 5)] == [False, True]


def test_each_has_a_name_of_its_own() -> None:
    assert len({chore.name for chore in CHORES}) == len(CHORES)


@contextmanager
def service(dsn: str, metrics: HubMetrics, *chores: Chore) -> Iterator[ChoreService]:
    settings = HubSettings(database=DatabaseSettings(dsn=SecretStr(dsn)))
    started = ChoreService(settings, metrics, chores)
    started.start()
    try:
        yield started
    finally:
        started.stop()
    assert started.failure() is None


def test_a_bad_chore_is_counted_and_stops_no_other(database: str, connection: psycopg.Connection) -> None:
    done = threading.Event()

    def fail(_connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime) -> bool:
        raise ValueError("a bug")

    def work(_connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime) -> bool:
        done.set()
        return False

    metrics = HubMetrics()
    with service(database, metrics, Chore("bad", ALWAYS, fail), Chore("good", ALWAYS, work)):
        assert done.wait(30)
        until(lambda: connection.execute("SELECT 1 FROM chore WHERE name = 'good'").fetchone(), "it is noted")
    assert b'ttdn_hub_chore_failures_total{chore="bad"}' in metrics.text()
    assert connection.execute("SELECT name FROM chore").fetchall() == [("good",)]


def test_a_nightly_chore_that_failed_is_tried_again_before_the_next_night(
    database: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.chores.service.AGAIN_AFTER", timedelta(seconds=0.2))
    tries: list[int] = []

    def fail_once(_connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime) -> bool:
        tries.append(1)
        if len(tries) == 1:
            raise psycopg.errors.LockNotAvailable("somebody reads")
        return False

    with service(database, HubMetrics(), Chore("x", timedelta(days=1), fail_once, by_night=True)):
        until(lambda: connection.execute("SELECT 1 FROM chore WHERE name = 'x'").fetchone(), "it is done")
    assert len(tries) == 2


def test_a_chore_that_waits_in_vain_for_a_lock_is_counted_and_stops_no_other(
    database: str, connection: psycopg.Connection
) -> None:
    done = threading.Event()

    def work(_connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime) -> bool:
        done.set()
        return False

    def locking(connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime) -> bool:
        with connection.transaction():
            connection.execute("SET LOCAL lock_timeout = '50ms'")
            connection.execute("LOCK TABLE visit")
        return False

    metrics = HubMetrics()
    with connection.transaction():
        connection.execute("LOCK TABLE visit")
        with service(database, metrics, Chore("locked", ALWAYS, locking), Chore("good", ALWAYS, work)):
            assert done.wait(30)
    assert b'ttdn_hub_chore_failures_total{chore="locked"}' in metrics.text()


def test_more_is_done_at_once(database: str) -> None:
    parts = iter([True, True, False])
    asked: list[int] = []
    done = threading.Event()

    def work(_connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime) -> bool:
        asked.append(1)
        more = next(parts)
        if not more:
            done.set()
        return more

    with service(database, HubMetrics(), Chore("long", timedelta(days=1), work)):
        assert done.wait(30)
    assert len(asked) == 3


def test_one_of_two_processes_does_them_and_the_other_takes_over(database: str) -> None:
    first, second = threading.Event(), threading.Event()

    def noting(event: threading.Event) -> Chore:
        def work(_connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime) -> bool:
            event.set()
            return False

        return Chore("x", ALWAYS, work)

    with service(database, HubMetrics(), noting(first)) as one:
        assert first.wait(30)
        with service(database, HubMetrics(), noting(second)):
            assert not second.wait(2.5)
            one.stop()
            assert second.wait(30)
