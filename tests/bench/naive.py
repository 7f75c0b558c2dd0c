"""A bridge as it is usually written: a paho subscriber that runs INSERTs in its callback.

For each message it inflates and parses the JSON, looks ids up in a dictionary, runs one INSERT an event and commits
once a message. It knows nothing of duplicates, holes, limits, receipts or current state. It is given the same messages
of 50 events as the hub: with one event a message and so one commit an event it would be much slower.
"""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any, Final

import paho.mqtt.client as mqtt
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from contract.codec import PRIMED
from contract.dictionary import DICTIONARY
from hub.store.connection import connect
from hub.store.tables import TABLE
from simulator.ports import HOST
from tests.bench.publisher import PASSWORD, USER
from tests.bench.workload import Ids

TOPIC: Final = "naive/{device}"
_DEFAULTS: Final = {"clock": "synced", "status": "running", "panel": "unknown", "frame": "unknown", "duration_ms": 0}
_INSERTS: Final = {
    kind: f"INSERT INTO {kind} ({', '.join(table.columns)}) VALUES ({', '.join(['%s'] * len(table.columns))})".encode()
    for kind, table in TABLE.items()
}


def serve(dsn: str, port: int, device_names: list[str], ids: Ids, orders: Connection) -> None:
    """The process: says `ready` when it listens, and ends when the other end says anything."""
    columns = ("device", "stream", "placement")
    same = [dict(zip(columns, numbers, strict=True)) for numbers in zip(*ids[:3], strict=True)]
    known = {TOPIC.format(device=name): numbers for name, numbers in zip(device_names, same, strict=True)}
    with connect(dsn, "bench naive") as connection:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bench-naive", protocol=mqtt.MQTTv5)
        client.username_pw_set(USER, PASSWORD)

        def take(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
            _insert(connection, message, known[message.topic], ids.contents)

        client.on_message = take
        client.on_subscribe = lambda *_: orders.send("ready")
        client.connect(HOST, port)
        client.subscribe(TOPIC.format(device="+"), qos=1)
        client.loop_start()
        orders.recv()
        client.disconnect()
        client.loop_stop()


def _insert(
    connection: psycopg.Connection,
    message: mqtt.MQTTMessage,
    same: dict[str, int],
    contents: dict[tuple[str, str | None], int],
) -> None:
    data = bytes(message.payload)
    if getattr(message.properties, "ContentType", "") == PRIMED:
        data = zlib.decompressobj(zdict=DICTIONARY).decompress(data)
    stored_at = datetime.now(UTC)
    with connection.transaction():
        for event in json.loads(data)["events"]:
            values = _DEFAULTS | event | event.get("facts", {})
            values |= {"time": datetime.fromtimestamp(event["time"] / 1000, UTC), **same}
            values |= {"stored_at": stored_at, "reason": event.get("reason", ""), "detail": event.get("detail", "")}
            if ref := event.get("content_ref"):
                values["content"] = contents[ref, event.get("content_sha256")]
            columns = TABLE[event["kind"]].columns
            connection.execute(_INSERTS[event["kind"]], [values.get(column) for column in columns])
