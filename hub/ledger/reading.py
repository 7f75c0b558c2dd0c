"""What a message on an events topic turns out to be: a batch, one event nobody here can read, or nothing to be had."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from contract import codec
from contract.batch import Batch
from contract.errors import ContractError
from contract.limits import MAX_SEQ
from contract.receipt import Covered, Receipt, Refusal
from hub.ledger.rules import Account, Delivery, StreamKey

Decode = Callable[[bytes, str], Batch]


class Unreadable(NamedTuple):
    """One event, alone in its message, whose number is known and whose content is not: kept as bytes, never dropped."""

    key: StreamKey
    nonce: str
    seq: int
    event: bytes
    reason: str


class Refused(NamedTuple):
    """A message of which nothing can be committed; its sender cuts it smaller. `alone` is kept."""

    device: str
    nonce: str
    refusal: Refusal
    alone: bytes | None


def read_message(
    device: str, data: bytes, content_type: str, decode: Decode = codec.decode_batch
) -> Delivery | Unreadable | Refused:
    """Never raises: whatever the bytes are, they get an answer."""
    try:
        return Delivery(device, decode(data, content_type))
    except ContractError as error:
        return _unread(device, data, content_type, error)


def _unread(device: str, data: bytes, content_type: str, error: ContractError) -> Unreadable | Refused:
    refusal = Refusal(sha256=codec.sha256_hex(data), reason=error.reason)
    try:
        sealed = codec.open_single(data, content_type)
    except ContractError:
        return Refused(device, "", refusal, data)
    if sealed is None:
        return Refused(device, "", refusal, None)
    envelope = sealed.envelope
    if envelope is None or not 1 <= envelope.seq <= MAX_SEQ or not codec.is_stream_id(sealed.stream):
        return Refused(device, "", refusal, sealed.event)
    return Unreadable(StreamKey(device, sealed.stream), sealed.nonce, envelope.seq, sealed.event, str(error))


def covered(key: StreamKey, account: Account, low: int, high: int, most_ranges: int) -> Covered:
    """What the ledger says of one stream between `low` and `high`, or a shorter span with fewer ranges."""
    committed, lost = account.committed.within(low, high), account.lost.within(low, high)
    while len(committed) + len(lost) > most_ranges:
        high = (low + high) // 2
        committed, lost = committed.within(low, high), lost.within(low, high)
    return Covered(stream=key.stream, low=low, high=high, committed=committed.spans(), lost=lost.spans())


def receipt(nonce: str, hub_time_ms: int, streams: list[Covered], *, hello: bool = False) -> Receipt:
    """A receipt for what was committed."""
    return Receipt(nonce=nonce, hub_time=hub_time_ms, hello=hello, streams=streams)
