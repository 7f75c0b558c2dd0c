"""A mail server or a web server that takes connections and says nothing: who waits for it, and how long."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from hub.chores.chore import Chore, DoWhile, GoOn, LongChore, always
from hub.chores.chores import CHORES
from hub.chores.notify import notify_by_mail, notify_by_webhook
from hub.chores.service import ChoreService
from hub.config import DatabaseSettings, HubSettings, NoticeSettings, NoticeStep
from hub.metrics import HubMetrics
from hub.store.ledger_store import LedgerStore
from tests.hub.making import NOW_MS
from tests.hub.web_server import Taken, web_server
from tests.patience import until

NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
ALWAYS = timedelta(0)
INCIDENTS = 4


@pytest.fixture
def hanging() -> Iterator[int]:
    """The port of one."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield server.getsockname()[1]


@pytest.fixture
def web() -> Iterator[Taken]:
    with web_server() as taken:
        yield taken


def settings(database: str, smtp_port: int, *targets: str) -> HubSettings:
    """Everybody is told at once."""
    steps = tuple(
        NoticeStep(after_s=0, channel="email" if "@" in target else "webhook", target=target) for target in targets
    )
    notices = NoticeSettings(smtp_port=smtp_port, steps=steps)
    return HubSettings(database=DatabaseSettings(dsn=SecretStr(database)), notices=notices)


def raise_some(connection: psycopg.Connection[Any]) -> None:
    ledger = LedgerStore(connection)
    for number in range(INCIDENTS):
        ledger.raise_incident("cloned_device", f"k{number}", {}, NOW_MS)


def tries(connection: psycopg.Connection[Any]) -> dict[str, int]:
    return dict(connection.execute("SELECT target, sum(tries)::int FROM notice GROUP BY target").fetchall())


def test_a_pass_takes_one_failure_of_a_target(
    connection: psycopg.Connection, database: str, hanging: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.notices.channels.TIMEOUT_S", 0.1)
    raise_some(connection)
    given = settings(database, hanging, "an@x.vn", "chi@x.vn")
    assert notify_by_mail(connection, given, NOW) is False
    assert tries(connection) == {"an@x.vn": 1, "chi@x.vn": 1}
    assert notify_by_mail(connection, given, NOW + timedelta(seconds=2)) is False
    assert tries(connection) == {"an@x.vn": 2, "chi@x.vn": 2}
    assert connection.execute("SELECT max(tries) FROM notice").fetchone() == (1,)  # of another incident


def test_those_that_hang_do_not_use_up_the_time_of_the_others(
    connection: psycopg.Connection, database: str, hanging: int, web: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.notices.channels.TIMEOUT_S", 0.1)
    monkeypatch.setattr("hub.chores.notify.BUDGET_S", 0.1)
    raise_some(connection)
    deaf = [f"http://127.0.0.1:{hanging}/{number}" for number in range(2)]
    given = settings(database, 25, *deaf, web.url)
    passes = [notify_by_webhook(connection, given, NOW + timedelta(seconds=half / 2)) for half in range(12)]
    assert passes[0] is True
    assert passes[-1] is False, "everybody has had their turn, and what failed is not yet due again"
    assert len(web.posts) == INCIDENTS
    assert all(tries(connection)[target] >= 1 for target in deaf)


def test_it_is_asked_before_each_message_whether_to_go_on(
    connection: psycopg.Connection, database: str, web: Taken
) -> None:
    raise_some(connection)
    answers = iter([True, True, False])
    notify_by_webhook(connection, settings(database, 25, web.url), NOW, lambda: next(answers))
    assert len(web.posts) == 2


def test_nothing_else_waits_for_a_mail_server_that_hangs(
    connection: psycopg.Connection, database: str, hanging: int, web: Taken
) -> None:
    """With the timeout as it is, and much less time than one such mail takes."""
    raise_some(connection)
    rounds = threading.Semaphore(0)

    def work(_connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime) -> bool:
        rounds.release()
        return False

    notices = [chore for chore in CHORES if chore.name.startswith("notices")]
    given = settings(database, hanging, "an@x.vn", web.url)
    service = ChoreService(given, HubMetrics(), [*notices, Chore("other", ALWAYS, work)])
    service.start()
    try:
        until(lambda: len(web.posts) == INCIDENTS, "all webhooks went out")
        while rounds.acquire(blocking=False):
            pass
        assert all(rounds.acquire(timeout=30) for _ in range(3))
        assert "an@x.vn" not in tries(connection) or tries(connection)["an@x.vn"] < INCIDENTS
    finally:
        service.stop()
    assert service.failure() is None


def test_a_long_chore_ends_between_two_steps(database: str) -> None:
    begun, failed = threading.Event(), threading.Event()

    def slow(
        _connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime, go_on: GoOn = always
    ) -> bool:
        begun.set()
        while go_on():
            time.sleep(0.01)
        return True

    def fail(
        _connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime, _go_on: GoOn = always
    ) -> bool:
        failed.set()
        raise ValueError("a bug")

    def long(name: str, do: DoWhile) -> Chore:
        return LongChore(name, ALWAYS, do, lane=name)

    metrics = HubMetrics()
    service = ChoreService(settings(database, 25), metrics, [long("slow", slow), long("bad", fail)])
    service.start()
    assert begun.wait(30)
    assert failed.wait(30)
    until(lambda: b'ttdn_hub_chore_failures_total{chore="bad"}' in metrics.text(), "it is counted")
    service.stop()
    assert service.failure() is None
