"""Receipts for a group: for each connection that sent something of it one message, or as many as its ranges need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from contract.limits import MAX_RECEIPT_RANGES
from contract.receipt import Covered, Receipt, Refusal
from hub.ingest.inbox import Message
from hub.ledger.reading import covered
from hub.ledger.rules import Account, StreamKey

_STREAM_COST: Final = 4
"""The name and span of a stream take as much room in a receipt as so many ranges."""


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
    """Few receipts a connection for what was committed, and one a message for what was refused.

    Each fits into a message, whatever a device has sent: the hub must not fail over what it has to say.
    """
    by_connection: dict[tuple[str, str, str], dict[StreamKey, tuple[int, int]]] = {}
    via: dict[tuple[str, str, str], Message] = {}
    for message, key, nonce, low, high in spoken:
        connection = (message.broker, message.device, nonce)
        via[connection] = message
        spans = by_connection.setdefault(connection, {})
        known = spans.get(key, (low, high))
        spans[key] = (min(known[0], low), max(known[1], high))
    for connection, spans in by_connection.items():
        streams = (_covered(key, accounts[key], low, high) for key, (low, high) in spans.items() if key in accounts)
        for page in _pages(streams):
            yield Answer(via[connection], Receipt(nonce=connection[2], hub_time=now_ms, streams=page))
    for message, refusal in refused:
        yield Answer(message, Receipt(hub_time=now_ms, refused=[refusal]))


def _pages(streams: Iterable[Covered]) -> Iterator[list[Covered]]:
    page: list[Covered] = []
    room = MAX_RECEIPT_RANGES
    for stream in streams:
        cost = _STREAM_COST + len(stream.committed) + len(stream.lost)
        if page and cost > room:
            yield page
            page, room = [], MAX_RECEIPT_RANGES
        page.append(stream)
        room -= cost
    if page:
        yield page


def _covered(key: StreamKey, account: Account, low: int, high: int) -> Covered:
    return covered(key, account, low, high, MAX_RECEIPT_RANGES)
