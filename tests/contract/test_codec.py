"""What is written can be read again, and is what was written; limits hold while writing, too."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect as shape
from msgspec.structs import replace

from contract import codec
from contract.batch import Batch
from contract.command import MAX_PICTURE_BYTES, Command, Picture, Reply
from contract.config import DeviceConfig
from contract.errors import ContractError
from contract.events import EVENT_KINDS, KINDS, AnyEvent, Fault, Health, Loss
from contract.limits import MAX_BATCH_EVENTS, MAX_EVENT_BYTES, MAX_LOSS_RANGES, MAX_MESSAGE_BYTES, MAX_SEQ
from contract.receipt import Covered, Receipt, Refusal
from contract.status import Alive, AnyStatus, Goodbye, Hello, Pending
from tests.contract.strategies import batches, commands, configs, of, payload_of, receipts, replies, statuses

STREAM = "ab" * 16
NONCE = "0123456789abcdef"


@pytest.mark.parametrize("kind", EVENT_KINDS, ids=lambda kind: str(kind.KIND))
def test_every_event_comes_back(kind: type[AnyEvent]) -> None:
    @settings(max_examples=60, deadline=None)
    @given(of(kind))
    def check(event: AnyEvent) -> None:
        assert codec.decode_event(codec.encode_event(event)) == event

    check()


@settings(max_examples=80, deadline=None)
@given(batches())
def test_every_batch_comes_back(batch: Batch) -> None:
    assert codec.decode_batch(*payload_of(batch)) == batch


@settings(max_examples=80, deadline=None)
@given(receipts())
def test_every_receipt_comes_back(receipt: Receipt) -> None:
    assert codec.decode_receipt(*codec.encode_receipt(receipt)) == receipt


@settings(max_examples=80, deadline=None)
@given(statuses())
def test_every_status_comes_back(status: AnyStatus) -> None:
    assert codec.decode_status(*codec.encode_status(status)) == status


@settings(max_examples=80, deadline=None)
@given(configs())
def test_every_configuration_comes_back(config: DeviceConfig) -> None:
    payload = codec.encode_config(config)
    assert codec.decode_config(*payload) == config
    assert codec.revision_of(*payload) == config.revision
    assert codec.unknown_of_config(*payload) == []


@settings(max_examples=80, deadline=None)
@given(commands())
def test_every_command_comes_back(command: Command) -> None:
    assert codec.decode_command(*codec.encode_command(command)) == command


@settings(max_examples=80, deadline=None)
@given(replies())
def test_every_reply_comes_back(reply: Reply) -> None:
    assert codec.decode_reply(*codec.encode_reply(reply)) == reply


def test_the_largest_picture_fits_into_a_message() -> None:
    picture = Picture("image/jpeg", random.Random(7).randbytes(MAX_PICTURE_BYTES))
    reply = Reply(command=NONCE, outcome="done", detail="đ" * 512, picture=picture)
    assert codec.decode_reply(*codec.encode_reply(reply)) == reply
    with pytest.raises(ContractError, match="invalid"):
        codec.decode_reply(*codec.encode_reply(replace(reply, picture=Picture("image/png", picture.body + b"x"))))


def test_kinds_are_only_ever_appended() -> None:
    # An outbox on a kiosk holds a kind as its place in this tuple.
    assert KINDS[:7] == ("play", "screen", "interaction", "health", "fault", "lifecycle", "loss")
    assert tuple(kind.KIND for kind in EVENT_KINDS) == KINDS


def test_a_message_is_deflated_where_that_is_smaller() -> None:
    small = codec.encode_receipt(Receipt(hub_time=1))
    large = codec.encode_batch(STREAM, [b'{"kind":"fault","seq":1,"time":1,"code":"x"}' for _ in range(50)])
    assert small.content_type == codec.JSON
    assert large.content_type == codec.PRIMED
    assert len(large.data) < 500


@pytest.mark.parametrize(
    "event",
    [
        Fault(seq=1, time=1, code="x", reason="\ud800"),
        Fault(seq=1, time=1, code="x", reason="a\0b"),
        Fault(seq=1, time=1, code="x", reason="r" * 513),
        Fault(seq=1, time=1, code="Not A Code"),
        Fault(seq=0, time=1, code="x"),
        Fault(seq=MAX_SEQ + 1, time=1, code="x"),
        Fault(seq=2**70, time=1, code="x"),
        Fault(seq=1, time=-1, code="x"),
        Fault(seq=1, time=1, code=object()),  # type: ignore[arg-type]
        Health(seq=1, time=1, temperature_c=1e9),
    ],
)
def test_an_event_that_no_hub_could_read_is_never_written(event: AnyEvent) -> None:
    with pytest.raises(ContractError):
        codec.encode_event(event)


def test_a_figure_that_is_none_is_not_observed() -> None:
    for figure in (float("nan"), float("inf")):
        assert codec.decode_event(codec.encode_event(Health(seq=1, time=1, temperature_c=figure))) == Health(
            seq=1, time=1
        )


def test_the_largest_event_fits_into_a_message_even_where_deflating_gains_nothing() -> None:
    rng = random.Random(1)
    ranges = [(at * 2**44 + rng.getrandbits(20), (at + 1) * 2**44) for at in range(MAX_LOSS_RANGES)]
    body = codec.encode_event(Loss(seq=MAX_SEQ, time=1, stream=STREAM, ranges=ranges, reason="evicted"))
    assert len(body) < MAX_EVENT_BYTES
    assert len(codec.encode_batch(STREAM, [body], nonce=NONCE, live=True).data) < MAX_MESSAGE_BYTES


def test_what_is_too_large_to_send_is_refused_while_writing() -> None:
    rng = random.Random(1)
    with pytest.raises(ContractError, match="oversize"):
        codec.encode_batch(STREAM, [b'"' + rng.randbytes(200).hex().encode() + b'"' for _ in range(1_000)])
    with pytest.raises(ContractError, match="oversize"):
        codec.encode_batch(STREAM, [b'"' + b"x" * 1024 * 1024 + b'"'])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Loss(seq=1, time=1, stream=STREAM, ranges=[(1, 2), (5, 4)], reason="evicted"),
        lambda: Covered(stream=STREAM, low=5, high=4),
        lambda: Covered(stream=STREAM, low=1, high=9, lost=[(3, 2)]),
        lambda: Pending(stream=STREAM, low=2, high=1),
    ],
)
def test_a_span_that_ends_before_it_begins_cannot_be_made(make: Any) -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        make()


def test_every_list_and_text_of_the_wire_is_bounded() -> None:
    """A field without a bound is bounded by its message alone; that is a decision, not an oversight."""
    bare = {
        place
        for message in (*EVENT_KINDS, Batch, Receipt, Hello, Alive)
        for place in _unbounded(message, message.__name__)
    }
    assert bare == {"Receipt.streams[].committed", "Receipt.streams[].lost"}


def _unbounded(message: Any, place: str) -> set[str]:
    return _look(shape.type_info(message), place)


def _look(info: shape.Type, place: str) -> set[str]:
    match info:
        case shape.Metadata():
            return _look(info.type, place)
        case shape.StructType():
            fields = [field for field in info.fields if not (place == "Batch" and field.name == "events")]
            return set().union(*(_look(field.type, f"{place}.{field.name}") for field in fields))
        case shape.UnionType():
            return set().union(*(_look(part, place) for part in info.types))
        case shape.ListType():
            return _look(info.item_type, f"{place}[]") | ({place} if info.max_length is None else set())
        case shape.StrType():
            return {place} if info.max_length is None and info.pattern is None else set()
        case shape.IntType() | shape.FloatType():
            return {place} if info.ge is None or info.le is None else set()
    return set()


@pytest.mark.parametrize("count", [0, MAX_BATCH_EVENTS + 1])
def test_a_batch_holds_some_events_and_not_too_many(count: int) -> None:
    bodies = [b'{"kind":"fault","seq":%d,"time":1,"code":"x"}' % (at + 1) for at in range(count)]
    with pytest.raises(ContractError, match="invalid"):
        codec.decode_batch(*codec.encode_batch(STREAM, bodies))


def test_a_refusal_names_the_bytes_as_sent() -> None:
    payload = codec.encode_batch(STREAM, [b"{}"])
    assert payload.sha256() == codec.sha256_hex(payload.data)
    assert Refusal(sha256=payload.sha256(), reason="invalid")


@given(st.text())
def test_stream_ids(text: str) -> None:
    hexadecimal = len(text) == 32 and all(letter in "0123456789abcdef" for letter in text)
    assert codec.is_stream_id(text) == hexadecimal


def test_what_a_newer_hub_adds_to_a_receipt_or_a_newer_agent_to_a_status_is_passed_over() -> None:
    receipt = codec.decode_receipt(b'{"hub_time":1,"brand_new":[1]}', codec.JSON)
    assert receipt == Receipt(hub_time=1)
    words = msgspec.to_builtins(Goodbye(session=NONCE, nonce=NONCE, reason="stop")) | {"brand_new": 1}
    assert isinstance(codec.decode_status(msgspec.json.encode(words), codec.JSON), Goodbye)
