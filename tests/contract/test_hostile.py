"""Bytes that are not ours: each way of reading raises ContractError and nothing else, and costs bounded memory."""

from __future__ import annotations

import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract import codec
from contract.batch import Batch
from contract.dictionary import DICTIONARY
from contract.errors import ContractError
from contract.events import EVENT_KINDS, AnyEvent
from contract.limits import MAX_INFLATED_BYTES, MAX_MESSAGE_BYTES
from tests.contract.strategies import batches, commands, configs, of, payload_of, receipts, replies, statuses
from tests.contract.test_golden import GOLDEN, golden


def read_event(data: bytes, _: str) -> object:
    return codec.decode_event(data)


Reader = Callable[[bytes, str], object]
READERS: tuple[Reader, ...] = (
    codec.decode_batch,
    codec.decode_receipt,
    codec.decode_status,
    codec.open_single,
    codec.inflate,
    codec.decode_config,
    codec.revision_of,
    codec.unknown_of_config,
    codec.decode_command,
    codec.decode_reply,
    read_event,
)
OF_GOLDEN: dict[str, Reader] = {
    "batch": codec.decode_batch,
    "receipt": codec.decode_receipt,
    "config": codec.decode_config,
    "command": codec.decode_command,
    **dict.fromkeys(("reply", "reply-config"), codec.decode_reply),
    **dict.fromkeys(("hello", "hello-opening", "hello-config", "alive", "goodbye"), codec.decode_status),
}
DEFLATED = (codec.DEFLATED, codec.PRIMED)
CONTENT_TYPES = (codec.JSON, codec.DEFLATED, codec.PRIMED, "", "text/plain")
MANY = settings(max_examples=150, deadline=None)
HEAD = b'{"stream":"' + b"a" * 32 + b'","events":['
FAULT = b'{"kind":"fault","seq":1,"time":1,"code":"x"%s}'


def read_all(data: bytes) -> None:
    for reader in READERS:
        for content_type in CONTENT_TYPES:
            with suppress(ContractError):
                reader(data, content_type)


@MANY
@given(st.binary(max_size=400))
@example(b"")
@example(b"\xef\xbb\xbf{}")
@example(b"null")
@example("{}".encode("utf-16"))
def test_arbitrary_bytes(data: bytes) -> None:
    read_all(data)
    read_all(zlib.compress(data))


@MANY
@given(st.one_of(batches(), receipts(), statuses(), configs(), commands(), replies()), st.data())
def test_mutated_messages(message: Any, data: st.DataObject) -> None:
    payload = payload_of(message) if isinstance(message, Batch) else codec.Payload(msgspec.json.encode(message), "")
    plain = bytearray(codec.inflate(*payload) if payload.content_type else payload.data)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(plain)))
        new = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from(SPLINTERS)))
        plain[at : at + data.draw(st.integers(0, 4))] = new
    read_all(bytes(plain))
    read_all(zlib.compress(bytes(plain)))
    read_all(zlib.compress(bytes(plain))[:-2])


SPLINTERS = [
    b"\\u0000",
    b"\\ud800",
    b'"',
    b"\\",
    b"9" * 400,
    b"1e400",
    b"-0",
    b"NaN",
    b"null",
    b'"kind":"play",',
    b"[[[[",
    b"\xff",
    b',"x":"\\u0000\xff"',
]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (FAULT % b',"reason":"a\\u0000b"', "nul"),
        (FAULT % b',"component":"\\u0000"', "invalid"),
        (FAULT % b',"reason":"\\ud800"', "not_json"),
        (FAULT % b',"reason":"\\udc00\\ud800"', "not_json"),
        (FAULT % b',"reason":"\xed\xa0\x80"', "not_json"),
        (FAULT % b',"reason":"\xff"', "not_json"),
        (FAULT % b',"unknown":1', "invalid"),
        (FAULT % b',"kind":"play"', "invalid"),
        (b'{"kind":"unheard_of","seq":1,"time":1}', "invalid"),
        (b'{"seq":1,"time":1,"code":"x"}', "invalid"),
        (b'{"kind":"fault","seq":%s,"time":1,"code":"x"}' % (b"9" * 5_000), "invalid"),
        (b'{"kind":"fault","seq":9007199254740992,"time":1,"code":"x"}', "invalid"),
        (b'{"kind":"fault","seq":1.5,"time":1,"code":"x"}', "invalid"),
        (b'{"kind":"fault","seq":"1","time":1,"code":"x"}', "invalid"),
        (b'{"kind":"fault","seq":true,"time":1,"code":"x"}', "invalid"),
        (b'{"kind":"fault","seq":0,"time":1,"code":"x"}', "invalid"),
        (b'{"kind":"health","seq":1,"time":1,"temperature_c":NaN}', "not_json"),
        (b'{"kind":"health","seq":1,"time":1,"temperature_c":Infinity}', "not_json"),
        (b'{"kind":"health","seq":1,"time":1,"temperature_c":1e400}', "invalid"),
        (
            b'{"kind":"loss","seq":1,"time":1,"stream":"%s","ranges":[[5,3]],"reason":"evicted"}' % (b"a" * 32),
            "invalid",
        ),
        (b'{"kind":"loss","seq":1,"time":1,"stream":"%s","ranges":[],"reason":"evicted"}' % (b"a" * 32), "invalid"),
        (b"[" * 100_000, "invalid"),
        (b'{"x":' * 100_000, "not_json"),
        (FAULT % b"" + b"{}", "not_json"),
        ((FAULT % b"")[:-1], "not_json"),
    ],
)
def test_an_event_that_is_wrong(data: bytes, reason: str) -> None:
    with pytest.raises(ContractError) as raised:
        codec.decode_event(data)
    assert raised.value.reason == reason
    with pytest.raises(ContractError):
        codec.decode_batch(HEAD + data + b"]}", codec.JSON)


def test_an_escaped_backslash_is_no_nul() -> None:
    event = codec.decode_event(FAULT % b',"reason":"C:\\\\u0000"')
    assert event.reason == r"C:\u0000"  # type: ignore[union-attr]
    with pytest.raises(ContractError, match="nul"):
        codec.decode_event(FAULT % b',"reason":"C:\\\\\\u0000"')


def test_of_a_key_that_stands_twice_the_last_one_counts_for_every_reader() -> None:
    data = b'{"kind":"fault","seq":1,"seq":2,"time":1,"code":"x"}'
    assert codec.decode_event(data).seq == json.loads(data)["seq"] == 2
    sealed = codec.open_single(HEAD + data + b"]}", codec.JSON)
    assert sealed is not None
    assert sealed.envelope is not None
    assert sealed.envelope.seq == 2


@pytest.mark.parametrize("reader", [codec.decode_status, codec.decode_receipt], ids=["status", "receipt"])
@pytest.mark.parametrize("tail", [b'"\xff"', b"9" * 5_000, b"1e999", b"[" * 3_000 + b"]" * 3_000, b'"\\ud800"'])
def test_beside_a_nul_nothing_hides_in_a_field_that_is_passed_over(reader: Reader, tail: bytes) -> None:
    """The search for NUL looks at fields that the typed reader skips unread."""
    words = b'"kind":"alive","session":"0123456789abcdef","nonce":"0123456789abcdef","hub_time":1'
    with pytest.raises(ContractError):
        reader(b"{" + words + b',"new":"\\u0000","newer":' + tail + b"}", codec.JSON)


def _texts(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, str):
        yield place
    elif isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(part, (*place, key))


def _with_nul(value: Any, place: tuple[Any, ...]) -> Any:
    twin = json.loads(json.dumps(value))
    inner = twin
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] += "\0"
    return twin


@pytest.mark.parametrize("name", GOLDEN)
def test_no_text_field_of_any_message_takes_a_nul(name: str) -> None:
    message = json.loads(golden(name))
    places = list(_texts(message))
    assert places or name == "config"
    read = OF_GOLDEN.get(name, read_event)
    read(golden(name), codec.JSON)
    for place in places:
        data = json.dumps(_with_nul(message, place)).encode()
        with pytest.raises(ContractError):
            read(data, codec.JSON)


@settings(max_examples=60, deadline=None)
@given(st.one_of(*(of(kind) for kind in EVENT_KINDS)))
def test_a_field_that_the_contract_does_not_know_is_refused(event: AnyEvent) -> None:
    data = msgspec.json.encode(msgspec.to_builtins(event) | {"kind": event.KIND, "zz_new": 1})
    with pytest.raises(ContractError, match="invalid"):
        codec.decode_event(data)


@pytest.mark.parametrize("numbers", [[1, 1], [2, 1], [1, 3, 2], [5, 6, 6]])
def test_numbers_that_do_not_rise_are_refused(numbers: list[int]) -> None:
    bodies = [b'{"kind":"fault","seq":%d,"time":1,"code":"x"}' % seq for seq in numbers]
    with pytest.raises(ContractError, match="order"):
        codec.decode_batch(*codec.encode_batch("a" * 32, bodies))


# -- size --------------------------------------------------------------------------------------------------------------


def deflate(plain: bytes, content_type: str) -> bytes:
    deflater = zlib.compressobj(9, zdict=DICTIONARY) if content_type == codec.PRIMED else zlib.compressobj(9)
    return deflater.compress(plain) + deflater.flush()


@pytest.mark.parametrize("content_type", DEFLATED)
@pytest.mark.parametrize("reader", READERS[:-1])
def test_a_bomb_stops_at_the_limit(reader: Reader, content_type: str) -> None:
    bomb = deflate(b" " * 2**26, content_type)[:MAX_MESSAGE_BYTES]
    tracemalloc.start()
    try:
        with pytest.raises(ContractError, match="oversize"):
            reader(bomb, content_type)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * MAX_INFLATED_BYTES


@pytest.mark.parametrize("content_type", DEFLATED)
def test_exactly_the_limit_is_allowed_and_one_more_is_not(content_type: str) -> None:
    most = deflate(b"x" * MAX_INFLATED_BYTES, content_type)
    assert len(codec.inflate(most, content_type)) == MAX_INFLATED_BYTES
    with pytest.raises(ContractError, match="oversize"):
        codec.inflate(deflate(b"x" * (MAX_INFLATED_BYTES + 1), content_type), content_type)


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_oversize_is_seen_before_anything_is_read(content_type: str) -> None:
    with pytest.raises(ContractError, match="oversize: 65537 bytes"):
        codec.inflate(b"x" * (MAX_MESSAGE_BYTES + 1), content_type)


@pytest.mark.parametrize("content_type", DEFLATED)
def test_what_is_announced_as_deflated_has_to_be(content_type: str) -> None:
    good = deflate(b"{}", content_type)
    for data in (b"", b"{}", good[:-1], good + b"x"):
        with pytest.raises(ContractError, match="not_deflate"):
            codec.inflate(data, content_type)


def test_what_was_deflated_with_the_dictionary_is_nothing_without() -> None:
    with pytest.raises(ContractError, match="not_deflate"):
        codec.inflate(deflate(b'{"stream":"x"}', codec.PRIMED), codec.DEFLATED)


# -- single events that cannot be read ---------------------------------------------------------------------------------


def test_a_single_event_of_a_kind_to_come_is_opened_as_far_as_it_goes() -> None:
    event = b'{"kind":"unheard_of","seq":7,"of":["\\u0000"]}'
    sealed = codec.open_single(HEAD + event + b'],"nonce":"0123456789abcdef"}', codec.JSON)
    assert sealed == codec.Sealed("a" * 32, "0123456789abcdef", codec.Envelope(7, "unheard_of"), event)
    assert codec.open_single(HEAD + event + b"," + event + b"]}", codec.JSON) is None


@pytest.mark.parametrize("event", [b"[]", b"7", b'{"kind":"x"}', b'{"seq":"7"}', b'{"seq":%s}' % (b"9" * 99)])
def test_a_single_event_without_a_number_is_kept_as_bytes(event: bytes) -> None:
    sealed = codec.open_single(HEAD + event + b"]}", codec.JSON)
    assert sealed is not None
    assert (sealed.envelope, sealed.event) == (None, event)


@pytest.mark.parametrize("nonce", [b'"x"', b'"%s"' % (b"a" * 60_000), b'"\\u0000"', b"7"])
def test_a_nonce_that_is_none_is_never_handed_on(nonce: bytes) -> None:
    """It would come back in a receipt that could not be written."""
    with pytest.raises(ContractError):
        codec.open_single(HEAD + b'{"seq":1}],"nonce":' + nonce + b"}", codec.JSON)


def test_status_kinds_are_closed() -> None:
    words = {"session": "0" * 16, "nonce": "0" * 16}
    for kind in ("fault", "", None, 7):
        with pytest.raises(ContractError):
            codec.decode_status(json.dumps({"kind": kind, **words}).encode(), codec.JSON)
