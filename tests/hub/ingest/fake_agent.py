"""An agent reduced to its MQTT connection: sends what a test wants, keeps the receipts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from contract import codec
from contract.batch import Batch
from contract.codec import Payload
from contract.command import Command, Reply
from contract.config import DeviceConfig
from contract.receipt import Receipt
from contract.status import AnyStatus
from contract.topics import TO_DEVICE, Channel, parse_topic, topic
from tests.hub.ingest.making import payload

DEADLINE_S = 60.0


def wait_until(true: Callable[[], bool], what: str = "it") -> None:
    """Return once it holds; AssertionError when it has not for so long that it never will."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {DEADLINE_S:.0f} s")
        time.sleep(0.02)


class FakeAgent:
    """One connection of one device."""

    def __init__(self, port: int, device: str, password: str) -> None:
        self.device = device
        self.receipts: list[Receipt] = []
        self.configs: list[DeviceConfig] = []
        self.commands: list[Command] = []
        self._port = port
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=device, protocol=mqtt.MQTTv5)
        self._client.username_pw_set(device, password)
        self._client.on_connect = lambda client, *_: client.subscribe([(topic(device, c), 1) for c in TO_DEVICE])
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._received

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._ready.wait(DEADLINE_S), "the broker does not let the agent in"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, data: bytes, content_type: str = codec.JSON, channel: Channel = "events") -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = content_type
        self._client.publish(topic(self.device, channel), data, qos=1, properties=properties)

    def send_batch(self, batch: Batch) -> Payload:
        sent = payload(batch)
        self.send(*sent)
        return sent

    def say(self, status: AnyStatus) -> None:
        self.send(*codec.encode_status(status), channel="status")

    def reply(self, reply: Reply) -> None:
        self.send(*codec.encode_reply(reply), channel="reply")

    def wait_for(self, true: Callable[[Receipt], bool]) -> Receipt:
        """The first receipt, past or to come, of which `true` holds."""
        wait_until(lambda: any(true(receipt) for receipt in list(self.receipts)), f"a receipt ({self.receipts})")
        return next(receipt for receipt in self.receipts if true(receipt))

    def _received(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        content_type = getattr(message.properties, "ContentType", "")
        channel, data = parse_topic(message.topic)[1], bytes(message.payload)
        if channel == "config":
            self.configs.append(codec.decode_config(data, content_type))
        elif channel == "command":
            self.commands.append(codec.decode_command(data, content_type))
        else:
            self.receipts.append(codec.decode_receipt(data, content_type))
