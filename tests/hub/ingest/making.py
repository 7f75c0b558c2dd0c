"""Batches and messages for the tests of the ingest."""

from __future__ import annotations

import time
from collections.abc import Iterable

from contract import codec
from contract.batch import Batch
from contract.codec import Payload
from contract.events import AnyEvent, Fault, Loss
from contract.receipt import Receipt
from contract.topics import Channel
from hub.ingest.inbox import Message
from hub.ledger.rules import Delivery

DEVICE = "bg-20-cma-k1"
STREAM = "ab" * 16
OTHER = "cd" * 16
NONCE = "12" * 8


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def fault(seq: int, code: str = "test", *, time_ms: int | None = None) -> Fault:
    return Fault(seq=seq, time=now_ms() if time_ms is None else time_ms, code=code)


def loss(seq: int, stream: str, *spans: tuple[int, int]) -> Loss:
    return Loss(seq=seq, time=now_ms(), stream=stream, ranges=list(spans), reason="evicted")


def batch(events: Iterable[AnyEvent | int], stream: str = STREAM, *, live: bool = False) -> Batch:
    made = [fault(event) if isinstance(event, int) else event for event in events]
    return Batch(stream=stream, nonce=NONCE, live=live, events=made)


def delivery(events: Iterable[AnyEvent | int], stream: str = STREAM, device: str = DEVICE) -> Delivery:
    return Delivery(device, batch(events, stream))


def payload(made: Batch) -> Payload:
    bodies = [codec.encode_event(event) for event in made.events]
    return codec.encode_batch(made.stream, bodies, nonce=made.nonce, live=made.live)


class Answers:
    """Takes what a broker link would publish."""

    def __init__(self) -> None:
        self.receipts: list[tuple[str, Receipt]] = []

    def __call__(self, device: str, data: bytes, content_type: str) -> None:
        self.receipts.append((device, codec.decode_receipt(data, content_type)))

    def message(self, sent: Payload, device: str = DEVICE, channel: Channel = "events", broker: str = "b:1") -> Message:
        return Message(device, channel, sent.data, sent.content_type, broker, self)
