"""A hub that is away, one that went back in time, and an outbox that fills up meanwhile."""

from __future__ import annotations

import random
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from contract import codec
from contract.status import Hello
from contract.topics import topic
from hub.store.connection import connect
from simulator.postgres import EmbeddedPostgres
from tests.chaos.field import Source, settle, stored
from tests.end_to_end.border import DEVICES, HUB_USER, Hub
from tests.end_to_end.seen import Seen
from tests.mosquitto import Mosquitto
from tests.mqtt_client import Client
from tests.patience import until

DEVICE = next(iter(DEVICES))
LEAST_OUTBOX = 1_000_000


@pytest.fixture
def source(tmp_path: Path, broker: Mosquitto, rng: random.Random) -> Iterator[Source]:
    with Source(tmp_path / "k1", DEVICE, broker, rng=rng, rate=40) as source:
        yield source


class Ear:
    """Hears with the hub's rights what devices say."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def count(self, channel: str) -> int:
        return sum(name == topic(DEVICE, channel) for name, _ in list(self._client.messages))  # type: ignore[arg-type]

    def statuses(self) -> list[object]:
        mine = [data for name, data in list(self._client.messages) if name == topic(DEVICE, "status")]
        return [codec.decode_status(data, _content_type(data)) for data in mine]


def _content_type(data: bytes) -> str:
    return codec.JSON if data.startswith(b"{") else codec.PRIMED


def test_while_no_hub_answers_agents_only_ask(
    hub: Hub, broker: Mosquitto, source: Source, connection: psycopg.Connection
) -> None:
    until(lambda: len(stored(connection, DEVICE)) > 20, "rows")
    hub.stop()
    with Client(broker.port, "ear", "hub", HUB_USER["hub"]) as client:
        client.subscribe("ttdn/v1/+/events")
        client.subscribe("ttdn/v1/+/status")
        ear = Ear(client)
        until(lambda: any(isinstance(said, Hello) for said in ear.statuses()), "it asks whether a hub is there")
        batches, said = ear.count("events"), len(ear.statuses())
        asked = time.monotonic()
        until(lambda: len(ear.statuses()) >= said + 2, "it asks again")
        assert ear.count("events") == batches  # Nothing but questions: a link may cost money.
        assert all(isinstance(status, Hello) for status in ear.statuses())
        assert time.monotonic() - asked > 3  # And few of those.
        waiting = len(source.accepted() - stored(connection, DEVICE))
        assert waiting > 40
        hub.start()
        back = time.monotonic()
        known = source.accepted()
        until(lambda: known <= stored(connection, DEVICE), "what had waited")
        assert time.monotonic() - back < 60  # The longest pause between two questions is 40 s.
    settle(hub, [source])


@pytest.fixture
def full(
    hub: Hub, broker: Mosquitto, tmp_path: Path, connection: psycopg.Connection, rng: random.Random
) -> Iterator[Source]:
    """A source whose outbox has filled up since the hub was stopped."""
    with Source(tmp_path / "k1", DEVICE, broker, rng=rng, rate=3_000, together=150, max_bytes=LEAST_OUTBOX) as source:
        until(lambda: len(stored(connection, DEVICE)) > 20, "rows")
        hub.stop()
        until(lambda: "the outbox is full" in source.said(), "a loud refusal in the log")
        yield source


def test_a_full_outbox_is_loud_and_loses_nothing(
    hub: Hub, broker: Mosquitto, full: Source, connection: psycopg.Connection
) -> None:
    until(lambda: "events could not be kept" in str(full.status()[1].get("problems")), "its status names it")
    assert full.status()[0] == 1
    full.rest()
    full.kill()  # Even now.
    hub.start()
    full.start()
    settle(hub, [full])


def test_what_a_full_outbox_has_refused_is_told_to_the_last_event(
    hub: Hub, broker: Mosquitto, full: Source, connection: psycopg.Connection
) -> None:
    until(lambda: full.said().count("could not be kept") > 10, "more refusals")
    hub.start()
    seen = Seen(connection, DEVICE)
    until(lambda: "outbox_full" in seen.codes(), "the fault")
    full.rest()
    until(lambda: full.accepted() <= stored(connection, DEVICE), "all that was accepted")
    full.stop()  # Its last word finds room, so that whatever is untold is told.
    until(lambda: full.accepted() <= stored(connection, DEVICE), "its last word")
    assert _told(seen) == _dropped(full)
    settle(hub, [full])


def _dropped(source: Source) -> int:
    return sum(int(count) for count in re.findall(r"(\d+) events could not be kept", source.said()))


def _told(seen: Seen) -> int:
    reasons = [fault.reason for fault in seen.faults() if fault.code == "outbox_full"]
    return sum(int(reason.split()[0]) for reason in reasons)


class TimeMachine:
    """Puts a hub's database back to what it was."""

    def __init__(self, server: EmbeddedPostgres, hub: Hub) -> None:
        self._server, self._hub = server, hub
        self._name = psycopg.conninfo.conninfo_to_dict(hub.dsn)["dbname"]

    def remember(self) -> None:
        self._copy(str(self._name), f"{self._name}_backup")

    def go_back(self, *, under_a_running_hub: bool = False) -> None:
        self._copy(f"{self._name}_backup", str(self._name), stop=not under_a_running_hub)

    def _copy(self, source: str, target: str, *, stop: bool = True) -> None:
        """A database that is copied must have no visitors."""
        if stop:
            self._hub.kill()
        with psycopg.connect(self._server.dsn, autocommit=True) as server:
            server.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(target)))
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            server.execute(end, (source,))
            server.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(target), Identifier(source)))
        self._hub.start()


def _stored(hub: Hub) -> set[tuple[str, int]]:
    with connect(hub.dsn, "test", autocommit=True) as connection:
        return stored(connection, DEVICE)


@pytest.mark.parametrize("under_a_running_hub", [False, True])
def test_a_ledger_that_went_back_in_time_is_refilled(
    hub: Hub, source: Source, postgres_server: EmbeddedPostgres, under_a_running_hub: bool
) -> None:
    machine = TimeMachine(postgres_server, hub)
    until(lambda: len(_stored(hub)) > 30, "rows")
    machine.remember()
    until(lambda: len(_stored(hub)) > 90, "rows after the backup")
    source.kill()
    source.start()  # Two streams, one of them known to the backup.
    until(lambda: len(_stored(hub)) > 130, "rows after the restart")
    there = _stored(hub)
    machine.go_back(under_a_running_hub=under_a_running_hub)
    assert hub.running
    source.stop()
    source.start()  # Says hello, as every ten minutes.
    until(lambda: there <= _stored(hub), "what the backup did not have")
    settle(hub, [source])


def test_what_no_kiosk_has_any_more_is_an_incident(hub: Hub, source: Source, postgres_server: EmbeddedPostgres) -> None:
    machine = TimeMachine(postgres_server, hub)
    until(lambda: len(_stored(hub)) > 30, "rows")
    machine.remember()
    before = _stored(hub)
    until(lambda: len(_stored(hub)) > 120, "rows after the backup")
    source.rest()
    until(lambda: source.accepted() <= _stored(hub), "all there is")
    source.kill()
    gone = _delete_from_card(source, _stored(hub) - before)
    machine.go_back()
    source.start()
    until(lambda: source.accepted() - _stored(hub) == gone, "all but what is gone")
    with connect(hub.dsn, "test", autocommit=True) as connection:
        incidents = dict(Seen(connection, DEVICE).incidents())
    named = {
        (stream, number)
        for stream, spans in incidents["hub_rollback"]["streams"].items()
        for first, last in spans
        for number in range(first, last + 1)
    }
    assert named == gone
    audit = hub.audit()
    holes = {
        (stream["stream"].replace("-", ""), number)
        for stream in audit["streams"]
        for first, last in stream["holes"]
        for number in range(first, last + 1)
    }
    assert holes == gone
    settle(hub, [source], lost=len(gone))


def _delete_from_card(source: Source, stored_after_backup: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """As if the grace of half of them had ended: the oldest are deleted, as covered ones are."""
    numbers = sorted(stored_after_backup, key=lambda position: position[1])
    last = numbers[len(numbers) // 2]
    connection = sqlite3.connect(source.state / "outbox.db", isolation_level=None)
    for table, column in (("event", "seq"), ("covered", "last")):
        query = f"DELETE FROM {table} WHERE stream = (SELECT id FROM stream WHERE name = ?) AND {column} <= ?"
        connection.execute(query, last)
    connection.close()
    return {position for position in stored_after_backup if position[1] <= last[1]}
