"""Bytes to messages and back. Every way of reading raises ContractError, and nothing else, on bytes that are not ours.

Limits are checked before and while inflating, so that no message can cost more memory than `MAX_INFLATED_BYTES`.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple, TypeVar

import msgspec

from contract.batch import Batch
from contract.command import Command, Reply
from contract.config import DeviceConfig, Revision, unknown_keys
from contract.dictionary import DICTIONARY
from contract.errors import ContractError
from contract.events import AnyEvent
from contract.ids import Nonce, Seq
from contract.limits import MAX_EVENT_BYTES, MAX_INFLATED_BYTES, MAX_MESSAGE_BYTES
from contract.receipt import Receipt
from contract.status import AnyStatus

JSON: Final = "application/json"
DEFLATED: Final = "application/json+deflate"
"""zlib (RFC 1950). Read for whoever has no dictionary; we write the next one."""
PRIMED: Final = "json+d1"
"""zlib that begins with `contract.dictionary`. Short, because it stands in every message."""
_ESCAPED_NUL: Final = b"\\u0000"
_DICTIONARIES: Final = {DEFLATED: b"", PRIMED: DICTIONARY}

_T = TypeVar("_T")
_encoder = msgspec.json.Encoder()
_event: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_batch = msgspec.json.Decoder(Batch)
_receipt = msgspec.json.Decoder(Receipt)
_status: msgspec.json.Decoder[AnyStatus] = msgspec.json.Decoder(AnyStatus)
_config = msgspec.json.Decoder(DeviceConfig)
_command = msgspec.json.Decoder(Command)
_reply = msgspec.json.Decoder(Reply)
_anything: msgspec.json.Decoder[object] = msgspec.json.Decoder(object)


class Payload(NamedTuple):
    """A message as it goes out: MQTT payload and content type."""

    data: bytes
    content_type: str

    def sha256(self) -> str:
        """What a refusal of this message would name."""
        return sha256_hex(self.data)


class Envelope(msgspec.Struct, frozen=True):
    """As much of an event as can be known without knowing its kind."""

    seq: Seq
    kind: str = ""


class _OpenBatch(msgspec.Struct, frozen=True):
    stream: str
    events: list[msgspec.Raw]
    nonce: Nonce | Literal[""] = ""


class Revised(msgspec.Struct, frozen=True):
    """As much of a configuration as can be known without being able to read the rest."""

    revision: Revision


class Sealed(msgspec.Struct, frozen=True):
    """A single-event message whose event could not be read: its stream and number if they could, and its own bytes."""

    stream: str
    nonce: str
    envelope: Envelope | None
    event: bytes


_STREAM: Final = re.compile("[0-9a-f]{32}")
_open_batch = msgspec.json.Decoder(_OpenBatch)
_envelope = msgspec.json.Decoder(Envelope)
_revised = msgspec.json.Decoder(Revised)


def is_stream_id(text: str) -> bool:
    """Whether `text` can be a stream's id."""
    return _STREAM.fullmatch(text) is not None


def sha256_hex(data: bytes) -> str:
    """SHA-256 of a payload as receipts name it."""
    return hashlib.sha256(data).hexdigest()


def encode_event(event: AnyEvent) -> bytes:
    """An event's final bytes: those of its place in every batch. ContractError if no hub could read them."""
    data = _written(event)
    if len(data) > MAX_EVENT_BYTES:
        raise ContractError("oversize", f"an event of {len(data)} bytes; the limit is {MAX_EVENT_BYTES}")
    decode_event(data)
    return data


def decode_event(data: bytes) -> AnyEvent:
    """One event as JSON."""
    return _read(_event, data)


def encode_batch(stream: str, events: Iterable[bytes], *, nonce: str = "", live: bool = False) -> Payload:
    """A batch from events already encoded, deflated where that is smaller. ContractError if it is too large to send."""
    head = {"stream": stream} | ({"nonce": nonce} if nonce else {}) | ({"live": True} if live else {})
    data = _encoder.encode(head)[:-1] + b',"events":[' + b",".join(events) + b"]}"
    return _pack(data)


def decode_batch(data: bytes, content_type: str) -> Batch:
    """A batch; its numbers rise, its texts hold no NUL."""
    batch = _read(_batch, inflate(data, content_type))
    _refuse_disorder([event.seq for event in batch.events])
    return batch


def open_single(data: bytes, content_type: str) -> Sealed | None:
    """What can be known of a batch that could not be decoded, if it holds exactly one event; None if it holds more.

    ContractError if not even its frame can be read.
    """
    frame = _decoded(_open_batch, inflate(data, content_type))
    if len(frame.events) != 1:
        return None
    raw = bytes(frame.events[0])
    try:
        envelope = _decoded(_envelope, raw)
    except ContractError:
        envelope = None
    return Sealed(stream=frame.stream, nonce=frame.nonce, envelope=envelope, event=raw)


def encode_receipt(receipt: Receipt) -> Payload:
    """A receipt, deflated where that is smaller."""
    return _pack(_written(receipt))


def decode_receipt(data: bytes, content_type: str) -> Receipt:
    """A receipt of the hub."""
    return _read(_receipt, inflate(data, content_type))


def encode_status(status: AnyStatus) -> Payload:
    """A status message, deflated where that is smaller."""
    return _pack(_written(status))


def decode_status(data: bytes, content_type: str) -> AnyStatus:
    """A status message of a device."""
    return _read(_status, inflate(data, content_type))


def encode_config(config: DeviceConfig) -> Payload:
    """A device's configuration, deflated where that is smaller."""
    return _pack(_written(config))


def decode_config(data: bytes, content_type: str) -> DeviceConfig:
    """A configuration of the hub; fields that this version does not know are passed over."""
    return _read(_config, inflate(data, content_type))


def revision_of(data: bytes, content_type: str) -> int:
    """The revision of a configuration of which nothing else need be readable."""
    return _decoded(_revised, inflate(data, content_type)).revision


def unknown_of_config(data: bytes, content_type: str) -> list[str]:
    """Fields of a configuration that this version does not know."""
    return unknown_keys(_decoded(_anything, inflate(data, content_type)))


def encode_command(command: Command) -> Payload:
    """A command, deflated where that is smaller."""
    return _pack(_written(command))


def decode_command(data: bytes, content_type: str) -> Command:
    """A command of the hub."""
    return _read(_command, inflate(data, content_type))


def encode_reply(reply: Reply) -> Payload:
    """A reply, deflated where that is smaller."""
    return _pack(_written(reply))


def decode_reply(data: bytes, content_type: str) -> Reply:
    """A device's reply."""
    return _read(_reply, inflate(data, content_type))


def inflate(data: bytes, content_type: str) -> bytes:
    """The JSON text of a payload; never more than `MAX_INFLATED_BYTES` of it are made."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise ContractError("oversize", f"{len(data)} bytes; the limit is {MAX_MESSAGE_BYTES}")
    if content_type == JSON:
        return data
    if content_type not in _DICTIONARIES:
        raise ContractError("content_type", f"{content_type[:60]!r}; expected one of {(JSON, *_DICTIONARIES)}")
    inflater = zlib.decompressobj(zdict=_DICTIONARIES[content_type])
    try:
        plain = inflater.decompress(data, MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise ContractError("not_deflate", str(error)) from error
    if inflater.unconsumed_tail:
        raise ContractError("oversize", f"more than {MAX_INFLATED_BYTES} bytes after inflating")
    if not inflater.eof or inflater.unused_data:
        raise ContractError("not_deflate", "the deflated text is cut short, or something follows it")
    return plain


def _pack(plain: bytes) -> Payload:
    deflater = zlib.compressobj(6, zdict=DICTIONARY)
    small = deflater.compress(plain) + deflater.flush()
    payload = Payload(small, PRIMED) if len(small) < len(plain) else Payload(plain, JSON)
    if len(payload.data) > MAX_MESSAGE_BYTES or len(plain) > MAX_INFLATED_BYTES:
        raise ContractError("oversize", f"{len(payload.data)} bytes to send, {len(plain)} inflated")
    return payload


def _written(message: AnyEvent | AnyStatus | Receipt | DeviceConfig | Command | Reply) -> bytes:
    try:
        return _encoder.encode(message)
    except (UnicodeEncodeError, TypeError, OverflowError) as error:
        raise ContractError("invalid", f"{type(message).__name__}: {error}") from error


def _read(decoder: msgspec.json.Decoder[_T], data: bytes) -> _T:
    """A message whose texts hold no NUL. JSON can only write one as an escape, so the bytes are searched first."""
    message = _decoded(decoder, data)
    # One byte is found twenty times as fast as six, and few messages hold a backslash.
    if b"\\" in data and _ESCAPED_NUL in data and _holds_nul(_decoded(_anything, data)):
        raise ContractError("nul", "a text holds a NUL character")
    return message


def _decoded(decoder: msgspec.json.Decoder[_T], data: bytes) -> _T:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise ContractError("invalid", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ContractError("not_json", str(error)) from error
    except RecursionError as error:
        raise ContractError("not_json", "nested too deeply") from error


def _holds_nul(value: object) -> bool:
    """Without recursion: fields that are passed over may be nested as deeply as the decoder lets them."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str) and "\0" in part:
            return True
        if isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            waiting += part
    return False


def _refuse_disorder(numbers: Sequence[int]) -> None:
    for before, after in pairwise(numbers):
        if after <= before:
            raise ContractError("order", f"event {after} follows event {before}")
