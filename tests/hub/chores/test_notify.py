"""People are told of incidents, step by step, until one of them takes it in hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from pydantic import SecretStr

from hub.chores.notify import FIRST_RETRY_MS, LAST_RETRY_MS, notify_by_webhook, retry_ms
from hub.config import DatabaseSettings, HubSettings, NoticeSettings, NoticeStep
from hub.store.incidents import IncidentTaken, NobodyNamed, Responder, acknowledge, close, incidents
from hub.store.ledger_store import LedgerStore
from tests.hub.command import hub
from tests.hub.making import DEVICE, NOW_MS
from tests.hub.web_server import Taken, web_server

NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)


@pytest.fixture
def web() -> Iterator[Taken]:
    with web_server() as taken:
        yield taken


@pytest.fixture
def settings(database: str, web: Taken) -> HubSettings:
    steps = (
        NoticeStep(after_s=0, channel="webhook", target=web.url),
        NoticeStep(after_s=600, channel="webhook", target=f"{web.url}/chief"),
    )
    return HubSettings(database=DatabaseSettings(dsn=SecretStr(database)), notices=NoticeSettings(steps=steps))


def raise_one(connection: psycopg.Connection, kind: str = "cloned_device") -> int:
    LedgerStore(connection).raise_incident(kind, DEVICE, {}, NOW_MS)
    return int(incidents(connection, only_open=True)[0]["id"])


def named(name: str) -> Responder:
    return Responder(name, "command:test")


def test_each_step_once_and_in_its_time(connection: psycopg.Connection, settings: HubSettings, web: Taken) -> None:
    raise_one(connection)
    for seconds, told in ((0, 1), (5, 1), (599, 1), (600, 2), (9_999, 2)):
        notify_by_webhook(connection, settings, NOW + timedelta(seconds=seconds))
        assert len(web.posts) == told, seconds
    assert json.loads(web.posts[0][1])["device"] == DEVICE


def test_what_does_not_go_out_is_tried_again_ever_more_seldom(
    connection: psycopg.Connection, settings: HubSettings, web: Taken
) -> None:
    web.status = 503
    raise_one(connection)
    for seconds in range(60):
        notify_by_webhook(connection, settings, NOW + timedelta(seconds=seconds))
    assert len(web.posts) == 3  # at 0, 10 and 30 s
    web.status = 204
    notify_by_webhook(connection, settings, NOW + timedelta(seconds=200))
    notify_by_webhook(connection, settings, NOW + timedelta(seconds=300))
    assert len(web.posts) == 4
    assert connection.execute("SELECT tries, sent_at IS NOT NULL, error FROM notice").fetchone() == (4, True, None)


def test_retries() -> None:
    assert retry_ms(0, 0) == 0
    assert retry_ms(1, 1000) == 1000 + FIRST_RETRY_MS
    assert retry_ms(60, 1000) == 1000 + LAST_RETRY_MS


def test_nobody_else_is_told_once_a_person_has_it_in_hand(
    connection: psycopg.Connection, settings: HubSettings, web: Taken
) -> None:
    number = raise_one(connection)
    acknowledge(connection, number, named(" Nguyễn An "), NOW)
    notify_by_webhook(connection, settings, NOW + timedelta(days=1))
    assert web.posts == []
    with pytest.raises(IncidentTaken, match="in the hands of Nguyễn An already"):
        acknowledge(connection, number, named("Trần Bình"), NOW)
    close(connection, number, named("Trần Bình"), NOW)
    with pytest.raises(IncidentTaken, match="was closed by Trần Bình"):
        close(connection, number, named("Trần Bình"), NOW)
    with pytest.raises(NobodyNamed):
        close(connection, number, named("  "), NOW)
    assert raise_one(connection) != number  # it came again


def test_kinds_that_nobody_wants_to_hear_of(connection: psycopg.Connection, settings: HubSettings, web: Taken) -> None:
    raise_one(connection, "rejected_event")
    notify_by_webhook(connection, settings, NOW)
    assert web.posts == []


def test_the_command(database: str, connection: psycopg.Connection) -> None:
    number = raise_one(connection)
    done = hub("incident", "list", database=database)
    assert (done.returncode, "Hai thiết bị cùng dùng một tên" in done.stdout) == (0, True)
    assert hub("incident", "acknowledge", str(number), "--by", "Nguyễn An", database=database).returncode == 0
    again = hub("incident", "acknowledge", str(number), "--by", "Trần Bình", database=database)
    told = f"sự cố số {number} đã có Nguyễn An tiếp nhận / incident {number} is in the hands of Nguyễn An"
    assert (again.returncode, told in again.stderr) == (4, True)
    assert hub("incident", "close", str(number), "--by", "Nguyễn An", database=database).returncode == 0
    listed = json.loads(hub("incident", "list", "--json", database=database).stdout)
    assert listed == {"incidents": []}
    everything = json.loads(hub("incident", "list", "--all", "--json", database=database).stdout)
    assert [one["closed_by"] for one in everything["incidents"]] == ["Nguyễn An"]
    logged = connection.execute(
        "SELECT who LIKE 'command:_%', deed, what, detail ->> 'by' FROM audit_entry ORDER BY id"
    ).fetchall()
    what = f"incident:{number}"
    assert logged == [
        (True, "incident_acknowledged", what, "Nguyễn An"),
        (True, "incident_closed", what, "Nguyễn An"),
    ]
    missing = hub("incident", "close", "4711", "--by", "Nguyễn An", database=database)
    told = "không có sự cố số 4711; xem / there is no incident 4711; see: ttdn-hub incident list"
    assert (missing.returncode, told in missing.stderr) == (4, True)
