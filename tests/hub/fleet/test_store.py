"""Configurations and commands in the database: who takes what when, what is booked once, what people may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from contract.command import Args, Command, Picture, Reply
from contract.config import DeviceConfig, Intervals
from contract.limits import MAX_INT32
from contract.status import Hello
from hub.fleet.errors import BadSetting, NotCommanded
from hub.fleet.wanted import Expected, changed
from hub.store import fleet
from hub.store.connection import connect
from hub.store.fleet import Asker
from hub.store.fleet_traffic import STALE_SENDS, Due, FleetTraffic
from hub.store.presence_store import PresenceStore
from hub.store.registry import move_device
from simulator.postgres import EmbeddedPostgres
from tests.fix_database import fresh_database
from tests.hub.api.serving import register

DEVICE, BROKER, OTHER = "bg-20-cma-k1", "127.0.0.1:1883", "127.0.0.1:1884"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
MINUTE_MS = 60_000
ME = Asker("command:an")
HUB = Expected(60, 90)
PICTURE = Picture("image/jpeg", b"\xff\xd8 a screen")


class Fleet:
    """A device, the ingest's hand, and people's."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        register(connection, DEVICE)
        self.traffic, self.presence = FleetTraffic(connection), PresenceStore(connection)
        (self.target,) = fleet.targets(connection, ME, name=DEVICE)

    def set(self, *changes: str) -> int | None:
        (done,) = fleet.configure(self.connection, [self.target], lambda known: changed(known, changes, HUB), ME, NOW)
        return done.revision

    def hello(self, revision: int, at_ms: int, nonce: str = "1" * 16) -> None:
        said = Hello(session="0" * 16, nonce=nonce, version="1", config=revision)
        self.presence.heard(DEVICE, said, BROKER, at_ms)
        self.traffic.hello(DEVICE, revision, at_ms)

    def due(self, at_ms: int, *brokers: str) -> list[Due]:
        return self.traffic.due(brokers or (BROKER,), at_ms)

    def state(self) -> tuple[int, int, str]:
        (row,) = fleet.configs(self.connection, ME)
        return row["revision"], row["reported"], row["state"]

    def incidents(self) -> list[tuple[Any, ...]]:
        query = "SELECT kind, closed_at IS NOT NULL FROM incident ORDER BY id"
        return self.connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def shared(postgres_server: EmbeddedPostgres, database_template: str) -> Iterator[psycopg.Connection[Any]]:
    """One database for all tests of this file."""
    with (
        contextmanager(fresh_database)(postgres_server, database_template) as dsn,
        connect(dsn, "test", autocommit=True) as connection,
    ):
        yield connection


@pytest.fixture
def known(shared: psycopg.Connection[Any]) -> Fleet:
    shared.execute("TRUNCATE device_config, device_command, presence, incident, notice")
    shared.execute("DELETE FROM placement WHERE device IN (SELECT id FROM device WHERE name <> %s)", (DEVICE,))
    return Fleet(shared)


def test_a_configuration_goes_out_at_each_hello_that_tells_another_one_until_it_is_applied(known: Fleet) -> None:
    assert known.set("intervals.look_s=5") == 1
    assert known.set("intervals.look_s=5") is None
    assert known.due(NOW_MS) == []  # it is not there
    known.hello(0, NOW_MS)
    assert known.due(NOW_MS, OTHER) == []
    wanted = DeviceConfig(revision=1, intervals=Intervals(look_s=5))
    assert known.due(NOW_MS + 10) == [Due(DEVICE, BROKER, wanted)]
    assert known.due(NOW_MS + 20) == []
    assert known.state() == (1, 0, "sent")
    known.traffic.hello(DEVICE, 0, NOW_MS + 900)  # the same hello, booked by another worker
    assert known.due(NOW_MS + 1_000) == []
    known.hello(0, NOW_MS + 10 * MINUTE_MS)
    assert [due.message for due in known.due(NOW_MS + 10 * MINUTE_MS + 1)] == [wanted]
    known.traffic.answered(DEVICE, Reply(config=1, outcome="applied"), NOW_MS + 11 * MINUTE_MS)
    assert known.state() == (1, 1, "in_force")
    known.hello(1, NOW_MS + 20 * MINUTE_MS)
    assert known.due(NOW_MS + 20 * MINUTE_MS + 1) == []
    assert known.set("intervals.look_s=") == 2
    assert [due.message for due in known.due(NOW_MS + 21 * MINUTE_MS)] == [DeviceConfig(revision=2)]


def test_settings_that_a_hub_of_other_bounds_has_left_cost_nobody_else_anything(
    known: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    known.set("intervals.look_s=5")
    known.connection.execute("""UPDATE device_config SET settings = '{"intervals": {"look_s": 900}}'""")
    code = fleet.give(known.connection, known.target, "send-now", timedelta(minutes=10), ME, NOW)
    known.hello(0, NOW_MS)
    assert [due.message.id for due in known.due(NOW_MS + 1) if isinstance(due.message, Command)] == [code]
    assert "set it anew" in caplog.text
    assert known.due(NOW_MS + 2) == []


def test_a_command_that_cannot_be_sent_costs_nobody_else_anything(
    known: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = (
        fleet.give(known.connection, known.target, "send-now", timedelta(minutes=10), ME, NOW) for _ in range(2)
    )
    args = """UPDATE device_command SET args = '{"packages": [{"arch": "riscv64"}]}' WHERE code = %s"""
    known.connection.execute(args, (bad,))
    known.hello(0, NOW_MS)
    assert [due.message.id for due in known.due(NOW_MS + 1) if isinstance(due.message, Command)] == [good]
    assert f"command {bad} for {DEVICE} cannot be sent" in caplog.text
    told = fleet.command(known.connection, ME, bad)
    assert (told["outcome"], "riscv64" in told["detail"]) == ("failed", True)


def test_a_hub_that_went_back_rises_above_what_the_device_has(known: Fleet) -> None:
    known.set("intervals.look_s=5")
    known.hello(7, NOW_MS)
    assert [due.message for due in known.due(NOW_MS + 1)] == [DeviceConfig(revision=8, intervals=Intervals(look_s=5))]
    assert known.set("intervals.look_s=6") == 9


def test_a_revision_that_no_hub_has_given_is_not_believed(known: Fleet) -> None:
    known.set("intervals.look_s=5")
    stale = []
    for number in range(STALE_SENDS):
        known.hello(MAX_INT32, NOW_MS + number * 10 * MINUTE_MS)
        stale += [due.is_stale for due in known.due(NOW_MS + number * 10 * MINUTE_MS + 1)]
    assert stale[-1], "staff are told: the device does not take it"
    assert known.set("intervals.look_s=6") == 2
    known.connection.execute("UPDATE device_config SET revision = %s", (MAX_INT32,))
    assert known.set("intervals.look_s=7") == MAX_INT32


def test_a_refusal_is_seen_and_is_over_when_the_device_has_what_it_is_to_have(known: Fleet) -> None:
    known.set("limits.outbox_max_bytes=99000000000")
    known.hello(0, NOW_MS)
    known.due(NOW_MS + 1)
    refused = Reply(config=1, outcome="refused", detail="the disk has 16 GB")
    assert known.traffic.answered(DEVICE, refused, NOW_MS + 2) == "the disk has 16 GB"
    assert known.traffic.answered(DEVICE, refused, NOW_MS + 3) is None
    assert known.state() == (1, 0, "refused")
    (row,) = fleet.configs(known.connection, ME)
    assert row["detail"] == "the disk has 16 GB"
    known.connection.execute(
        "INSERT INTO incident (kind, device, opened_at, last_at) VALUES ('config_refused', %s, %s, %s)",
        (known.target.id, NOW, NOW),
    )
    known.set("limits.outbox_max_bytes=")
    assert known.state() == (2, 0, "waiting")
    known.traffic.answered(DEVICE, Reply(config=2, outcome="applied"), NOW_MS + 4)
    assert known.state() == (2, 2, "in_force")
    assert known.incidents() == [("config_refused", True)]


def test_one_that_never_answers_is_told_after_some_hellos(known: Fleet) -> None:
    known.set("intervals.look_s=5")
    told = []
    for number in range(STALE_SENDS + 1):
        at_ms = NOW_MS + number * 10 * MINUTE_MS
        known.hello(0, at_ms)
        told += [due.is_stale for due in known.due(at_ms + 1)]
    assert told == [False] * (STALE_SENDS - 1) + [True, True]


def test_an_answer_to_another_revision_changes_nothing(known: Fleet) -> None:
    known.set("intervals.look_s=5")
    known.set("intervals.look_s=6")
    known.traffic.answered(DEVICE, Reply(config=9, outcome="applied"), NOW_MS)
    known.traffic.answered(DEVICE, Reply(config=1, outcome="refused"), NOW_MS)
    assert known.state() == (2, 0, "waiting")
    known.traffic.answered("nobody", Reply(config=1, outcome="applied"), NOW_MS)


def test_a_command_goes_out_until_it_is_answered_and_is_booked_once(known: Fleet) -> None:
    code = fleet.give(known.connection, known.target, "identify", timedelta(minutes=10), ME, NOW)
    assert known.due(NOW_MS) == []
    known.hello(0, NOW_MS)
    times = []
    for second in range(40):
        times += [second for _ in known.due(NOW_MS + second * 1_000)]
    assert times == [0, 5, 15, 35]
    known.hello(0, NOW_MS + 41_000, nonce="2" * 16)
    (due,) = known.due(NOW_MS + 42_000)  # a new connection need not wait
    expires_ms = NOW_MS + 10 * MINUTE_MS
    assert due.message == Command(
        id=code, name="identify", issued_ms=NOW_MS, expires_ms=expires_ms, args=Args(site="Chi Ma")
    )
    for outcome in ("done", "failed"):
        known.traffic.answered(DEVICE, Reply(command=code, outcome=outcome, detail="x"), NOW_MS + 43_000)
    assert fleet.command(known.connection, ME, code)["outcome"] == "done"
    assert known.due(NOW_MS + 5 * MINUTE_MS) == []
    deeds = known.connection.execute(
        "SELECT who, deed, what FROM audit_entry WHERE detail ->> 'id' = %s ORDER BY id", (code,)
    )
    assert deeds.fetchall() == [
        ("command:an", "device_commanded", f"device:{DEVICE}"),
        (f"device:{DEVICE}", "command_answered", f"device:{DEVICE}"),
    ]


def test_nobody_answers_for_another_device(known: Fleet) -> None:
    code = fleet.give(known.connection, known.target, "identify", timedelta(minutes=10), ME, NOW)
    register(known.connection, "bg-20-cma-k2")
    known.traffic.answered("bg-20-cma-k2", Reply(command=code, outcome="done"), NOW_MS)
    assert fleet.command(known.connection, ME, code)["outcome"] is None


@pytest.mark.parametrize(("is_there", "outcome"), [(True, "unanswered"), (False, "expired")])
def test_what_is_not_answered_in_time(known: Fleet, *, is_there: bool, outcome: str) -> None:
    code = fleet.give(known.connection, known.target, "send-now", timedelta(seconds=10), ME, NOW)
    if is_there:
        known.hello(0, NOW_MS)
    assert len(known.due(NOW_MS + 1)) == is_there
    assert known.due(NOW_MS + 39_000) == []
    assert fleet.command(known.connection, ME, code)["outcome"] is None
    known.due(NOW_MS + 41_000)
    assert fleet.command(known.connection, ME, code)["outcome"] == outcome
    known.traffic.answered(DEVICE, Reply(command=code, outcome="done"), NOW_MS + 50_000)
    late = "done" if is_there else "expired"
    assert fleet.command(known.connection, ME, code)["outcome"] == late


def test_pictures_go_when_they_are_old_or_many(known: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "MAX_PICTURES", 3)
    codes = []
    for day in range(5):
        at = NOW + timedelta(days=day)
        codes.append(fleet.give(known.connection, known.target, "snapshot", timedelta(minutes=10), ME, at))
        reply = Reply(command=codes[-1], outcome="done", picture=PICTURE)
        known.traffic.answered(DEVICE, reply, int(at.timestamp() * 1000))
    assert fleet.picture(known.connection, ME, codes[0]) == ("image/jpeg", PICTURE.body)
    assert fleet.tidy(known.connection, NOW + timedelta(days=5)) == 2
    left = [row["code"] for row in fleet.commands(known.connection, ME) if row["has_picture"]]
    assert left == codes[:1:-1]
    assert fleet.tidy(known.connection, NOW + timedelta(days=33)) == 1
    with pytest.raises(NotCommanded, match="no picture"):
        fleet.picture(known.connection, ME, codes[0])
    fleet.tidy(known.connection, NOW + timedelta(days=500))
    assert fleet.commands(known.connection, ME) == []


def test_people_of_another_province_see_and_reach_nothing(known: Fleet) -> None:
    code = fleet.give(known.connection, known.target, "snapshot", timedelta(minutes=10), ME, NOW_OF_PLACE)
    replied_ms = int(NOW_OF_PLACE.timestamp() * 1000)
    known.traffic.answered(DEVICE, Reply(command=code, outcome="done", picture=PICTURE), replied_ms)
    known.set("intervals.look_s=5")
    here, elsewhere = Asker("token:a", frozenset({"20"})), Asker("token:b", frozenset({"04"}))
    assert fleet.picture(known.connection, here, code)[1] == PICTURE.body
    assert [row["device"] for row in fleet.configs(known.connection, here)] == [DEVICE]
    assert fleet.configs(known.connection, elsewhere) == fleet.commands(known.connection, elsewhere) == []
    for ask in (fleet.picture, fleet.command):
        with pytest.raises(NotCommanded):
            ask(known.connection, elsewhere, code)
    with pytest.raises(NotCommanded):
        fleet.targets(known.connection, elsewhere, name=DEVICE)


def test_what_was_asked_in_one_province_brings_no_picture_of_another(known: Fleet) -> None:
    connection, device, now = known.connection, "bg-20-cma-k7", datetime.now(UTC)
    now_ms = int(now.timestamp() * 1000)
    register(connection, device)
    (target,) = fleet.targets(connection, ME, name=device)
    asked = fleet.give(connection, target, "snapshot", timedelta(days=1), ME, now)
    known.presence.heard(device, Hello(session="0" * 16, nonce="1" * 16, version="1"), BROKER, now_ms)
    assert len(known.due(now_ms + 1)) == 1
    connection.execute("UPDATE placement SET province_code = '04' WHERE device = %s", (target.id,))  # from today on
    assert known.due(now_ms + 10_000) == []
    assert fleet.command(connection, ME, asked)["outcome"] == "withdrawn"
    known.traffic.answered(device, Reply(command=asked, outcome="done", picture=PICTURE), now_ms + 11_000)
    assert fleet.command(connection, ME, asked)["outcome"] == "done"
    for province in ("20", "04"):
        with pytest.raises(NotCommanded):
            fleet.picture(connection, Asker("token:a", frozenset({province})), asked)

    asked = fleet.give(connection, target, "snapshot", timedelta(days=1), ME, now)
    move_device(connection, device, "BG-20-TTH", None, by="command:test", now=now)
    assert fleet.command(connection, ME, asked)["outcome"] == "withdrawn"
    assert known.due(now_ms + 20_000) == []


def test_a_group_is_changed_as_a_whole_or_not_at_all(known: Fleet) -> None:
    register(known.connection, "bg-20-cma-k2")
    both = fleet.targets(known.connection, ME, province="20")
    known.set("opening.tue=07:00-12:00")
    with pytest.raises(BadSetting, match="before what opened"):
        fleet.configure(
            known.connection, both[::-1], lambda now: changed(now, ["opening.mon=22:00-08:00"], HUB), ME, NOW
        )
    assert known.state() == (1, 0, "waiting")
    done = fleet.configure(known.connection, both, lambda now: changed(now, ["intervals.look_s=3"], HUB), ME, NOW)
    assert [one.revision for one in done] == [2, 1]


NOW_OF_PLACE = datetime.now(UTC) + timedelta(seconds=1)
"""A device stands somewhere from the moment on at which it was registered."""
