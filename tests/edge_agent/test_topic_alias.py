"""A topic is named once a connection and goes by its number afterwards (MQTT 5): for readers nothing changes."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from contract import codec
from contract.topics import ALL_STATUS, SHARED_EVENTS, topic
from edge_agent.mqtt import Broker, Link
from edge_agent.uplink import last_words
from simulator.ports import HOST
from tests.bench.relay import Relay
from tests.mosquitto import Mosquitto
from tests.mqtt_client import Client

DEVICE, NONCE, STREAM = "kiosk-1", "0123456789abcdef", "a" * 32
WORDS = codec.encode_status(last_words(NONCE, NONCE, "lost"))


def batch(seq: int) -> codec.Payload:
    return codec.encode_batch(STREAM, [b'{"kind":"fault","seq":%d,"time":1,"code":"x"}' % seq])


def test_readers_get_every_message_under_its_name_and_the_line_carries_less(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "mosquitto", {"hub": "h", DEVICE: "k"}) as broker,
        Client(broker.port, "hub-1", "hub", "h") as hub,
        Relay(broker.port) as relay,
    ):
        for wanted in (SHARED_EVENTS, ALL_STATUS):
            hub.subscribe(wanted)
        sizes = []
        for _ in range(2):  # another connection has to name them again
            ready = threading.Event()
            way = Broker(HOST, relay.port, DEVICE, "k")
            link = Link(DEVICE, way, WORDS, on_ready=ready.set, on_receipt=lambda *_: None, on_end=lambda _: None)
            link.open()
            assert ready.wait(30)
            for seq in (1, 2):
                before, known = relay.bytes, len(hub.messages)
                link.publish("events", batch(seq))
                hub.wait_for(partial(_has, hub, known + 1))
                sizes.append(relay.bytes - before)
            link.publish("status", WORDS)
            hub.wait_for(partial(_has, hub, known + 2))
            link.close()
            hub.wait_for(partial(_has, hub, known + 3))  # the last words, which the broker says under the whole name
    events, status = topic(DEVICE, "events"), topic(DEVICE, "status")
    expected = [(events, batch(1).data), (events, batch(2).data), *[(status, WORDS.data)] * 2]
    assert sorted(hub.messages) == sorted(2 * expected)
    # Half, because an acknowledgement may be counted with either message.
    assert all(named - numbered > len(events) // 2 for named, numbered in (sizes[:2], sizes[2:])), sizes


def _has(client: Client, messages: int) -> bool:
    return len(client.messages) == messages
