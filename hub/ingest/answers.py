"""Receipts for a group: one message for each connection that sent something of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from contract.limits import MAX_RECEIPT_RANGES
from contract.receipt import Covered, Receipt, Refusal
from hub.ingest.inbox import Message
from hub.ingest.ledger import Account, StreamKey
from hub.ingest.reading import covered


class Spoken(NamedTuple):
    """A message that was committed: its stream, its span of numbers, and the connection it came on."""

    message: Message
    key: StreamKey
    nonce: str
    low: int
    high: int


class Answer(NamedTuple):
    """A receipt, and a message by whose way it goes back."""

    message: Message
    receipt: Receipt


def receipts(
    spoken: Iterable[Spoken],
    refused: Iterable[tuple[Message, Refusal]],
    accounts: Mapping[StreamKey, Account],
    now_ms: int,
) -> Iterator[Answer]:
    """One receipt a connection for what was committed, and one a message for what was refused."""
    by_connection: dict[tuple[str, str, str], dict[StreamKey, tuple[int, int]]] = {}
    via: dict[tuple[str, str, str], Message] = {}
    for message, key, nonce, low, high in spoken:
        connection = (message.broker, message.device, nonce)
        via[connection] = message
        spans = by_connection.setdefault(connection, {})
        known = spans.get(key, (low, high))
        spans[key] = (min(known[0], low), max(known[1], high))
    for connection, spans in by_connection.items():
        streams = [_covered(key, accounts[key], low, high) for key, (low, high) in spans.items()]
        yield Answer(via[connection], Receipt(nonce=connection[2], hub_time=now_ms, streams=streams))
    for message, refusal in refused:
        yield Answer(message, Receipt(hub_time=now_ms, refused=[refusal]))


def _covered(key: StreamKey, account: Account, low: int, high: int) -> Covered:
    return covered(key, account, low, high, MAX_RECEIPT_RANGES)
