"""A hub played by hand: it hears what one device says, and answers only what a test tells it to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from contract import codec
from contract.batch import Batch
from contract.command import Reply
from contract.ranges import RangeSet
from contract.receipt import Covered, Receipt
from contract.status import AnyStatus, Hello, Pending
from contract.topics import Channel, parse_topic, topic
from simulator.ports import HOST
from tests.patience import DEADLINE_S

USER, PASSWORD = "hub", "of the hub"


class Heard(NamedTuple):
    """A message of the device."""

    channel: str
    data: bytes
    content_type: str


@contextmanager
def dead_port() -> Iterator[int]:
    """A port that refuses connections and that no other program can take meanwhile."""
    with socket.socket() as held:
        held.bind((HOST, 0))
        yield held.getsockname()[1]


class HandHub:
    """Connected to one broker for as long as it is entered; connects again when the broker comes back."""

    def __init__(self, port: int, device: str, *, answers: bool = False) -> None:
        self.port, self.device, self.answers = port, device, answers
        self.heard: list[Heard] = []
        self.ledger: dict[str, RangeSet] = {}
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, USER, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set(USER, PASSWORD)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(f"ttdn/v1/+/{c}", 1) for c in ("events", "status", "reply")]
        )
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.connect(HOST, self.port)
        self._client.loop_start()
        assert self._subscribed.wait(DEADLINE_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def statuses(self, kind: type[AnyStatus] | None = None) -> list[Any]:
        """What it said of itself, of one kind or all."""
        found = [codec.decode_status(m.data, m.content_type) for m in list(self.heard) if m.channel == "status"]
        return [status for status in found if kind is None or isinstance(status, kind)]

    def batches(self) -> list[Batch]:
        """The batches it sent."""
        return [codec.decode_batch(m.data, m.content_type) for m in list(self.heard) if m.channel == "events"]

    def replies(self) -> list[Reply]:
        """What it replied to configurations and commands."""
        return [codec.decode_reply(m.data, m.content_type) for m in list(self.heard) if m.channel == "reply"]

    def send(self, receipt: Receipt) -> None:
        """Answer."""
        self.send_bytes(*codec.encode_receipt(receipt))

    def send_bytes(self, data: bytes, content_type: str) -> None:
        """Answer something, whatever it is."""
        self.send_word("receipt", codec.Payload(data, content_type))

    def send_word(self, channel: Channel, payload: codec.Payload) -> None:
        """Say something on any channel of the device."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = payload.content_type
        self._client.publish(topic(self.device, channel), payload.data, qos=1, properties=properties)

    def commit(self, batch: Batch, nonce: str | None = None) -> None:
        """Cover a batch, and remember it."""
        self.ledger.setdefault(batch.stream, RangeSet()).update(RangeSet.of(event.seq for event in batch.events))
        self.send(Receipt(nonce=batch.nonce if nonce is None else nonce, hub_time=_now_ms(), streams=[_of(batch)]))

    def _on_message(self, client: Client, data: Any, message: MQTTMessage) -> None:
        device, channel = parse_topic(message.topic)
        assert device == self.device
        heard = Heard(channel, bytes(message.payload), getattr(message.properties, "ContentType", ""))
        self.heard.append(heard)
        if self.answers and channel != "reply":
            self._answer(heard)

    def _answer(self, heard: Heard) -> None:
        if heard.channel == "events":
            self.commit(codec.decode_batch(heard.data, heard.content_type))
            return
        status = codec.decode_status(heard.data, heard.content_type)
        if isinstance(status, Hello):
            streams = [self._known(held) for held in status.streams]
            self.send(Receipt(nonce=status.nonce, hub_time=_now_ms(), hello=True, streams=streams))

    def _known(self, held: Pending) -> Covered:
        numbers = self.ledger.get(held.stream, RangeSet()).within(held.low, held.high)
        return Covered(stream=held.stream, low=held.low, high=held.high, committed=numbers.spans())


def _of(batch: Batch) -> Covered:
    numbers = RangeSet.of(event.seq for event in batch.events)
    low, high = batch.events[0].seq, batch.events[-1].seq
    return Covered(stream=batch.stream, low=low, high=high, committed=numbers.spans())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
