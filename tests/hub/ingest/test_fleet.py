"""Two workers over one real broker: a device gets what is wanted of it once, and its answers are booked once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from contract import codec
from contract.command import Picture, Reply
from contract.config import DeviceConfig, Intervals
from contract.status import Hello, Opening
from hub.store import fleet
from hub.store.fleet import Asker
from tests.hub.api.serving import register
from tests.hub.ingest.fake_agent import wait_until
from tests.hub.ingest.making import DEVICE, NONCE, batch
from tests.hub.ingest.test_service import SESSION, agent, committed, ingest
from tests.mosquitto import Mosquitto

OPENING = Opening(outbox="e" * 32, number=1)
ME = Asker("command:an")
PICTURE = Picture("image/png", b"what is on screen")


def incidents(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    return connection.execute("SELECT kind, detail, closed_at IS NOT NULL FROM incident").fetchall()


def test_configuration_and_commands_through_two_workers(
    mosquitto: Mosquitto, database: str, connection: psycopg.Connection[Any]
) -> None:
    register(connection, DEVICE)
    (device,) = fleet.targets(connection, ME, name=DEVICE)
    with ingest(database, mosquitto), ingest(database, mosquitto, name="worker-2"), agent(mosquitto) as kiosk:
        kiosk.say(Hello(session=SESSION, nonce=NONCE, version="1", opening=OPENING))
        fleet.configure(connection, [device], lambda _: {"intervals": {"look_s": 5.0}}, ME, datetime.now(UTC))
        wait_until(lambda: bool(kiosk.configs), "the configuration")
        kiosk.reply(Reply(config=1, outcome="refused", detail="no room"))
        refused = [("config_refused", {"revision": 1, "reason": "no room"}, False)]
        wait_until(lambda: incidents(connection) == refused, "the incident")

        fleet.configure(connection, [device], lambda _: {"intervals": {"look_s": 6.0}}, ME, datetime.now(UTC))
        wait_until(lambda: len(kiosk.configs) == 2, "the next one")
        assert kiosk.configs[1] == DeviceConfig(revision=2, intervals=Intervals(look_s=6.0))
        kiosk.reply(Reply(config=2, outcome="applied"))
        wait_until(lambda: incidents(connection)[0][2], "the end of the incident")

        code = fleet.give(connection, device, "snapshot", timedelta(minutes=10), ME, datetime.now(UTC))
        wait_until(lambda: bool(kiosk.commands), "the command")
        assert (kiosk.commands[0].id, kiosk.commands[0].name) == (code, "snapshot")
        for rubbish in (b"", b"\xff", b'{"command":"x","outcome":"done"}', b'{"config":1,"outcome":"done"}'):
            kiosk.send(rubbish, codec.JSON, channel="reply")
        for _ in range(3):
            kiosk.reply(Reply(command=code, outcome="done", detail="by mpv", picture=PICTURE))
        wait_until(lambda: fleet.command(connection, ME, code)["outcome"] == "done", "the answer")
        kiosk.send_batch(batch([1]))  # whatever came before it has been taken
        kiosk.wait_for(lambda receipt: bool(committed(receipt)))
        assert fleet.picture(connection, ME, code) == (PICTURE.content_type, PICTURE.body)
        answers = "SELECT count(*) FROM audit_entry WHERE deed = 'command_answered'"
        assert connection.execute(answers).fetchone() == (1,)
    assert (len(kiosk.configs), len(kiosk.commands), len(incidents(connection))) == (2, 1, 1)
