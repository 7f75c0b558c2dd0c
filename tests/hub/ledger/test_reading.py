"""Whatever comes in on an events topic gets an answer."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import codec
from contract.ranges import RangeSet
from hub.ledger.reading import Refused, Unreadable, covered, read_message
from hub.ledger.rules import Account, Delivery, StreamKey
from tests.hub.ingest.making import DEVICE, NONCE, STREAM, batch, payload

FUTURE = b'{"kind":"hologram","seq":7,"time":1,"depth":3}'


def wrapped(*events: bytes, stream: str = STREAM) -> bytes:
    return b'{"stream":"%s","nonce":"%s","events":[%s]}' % (stream.encode(), NONCE.encode(), b",".join(events))


def test_a_good_batch_is_a_delivery() -> None:
    made = batch([1, 2, 5])
    assert read_message(DEVICE, *payload(made)) == Delivery(DEVICE, made)


def test_one_event_of_a_newer_kind_is_kept_with_its_number() -> None:
    read = read_message(DEVICE, wrapped(FUTURE), codec.JSON)
    assert isinstance(read, Unreadable)
    assert (read.key, read.seq, read.event, read.nonce) == (StreamKey(DEVICE, STREAM), 7, FUTURE, NONCE)
    assert "hologram" in read.reason


def test_one_event_of_a_newer_kind_among_others_refuses_the_batch_so_that_it_is_cut() -> None:
    good = codec.encode_event(batch([1]).events[0])
    data = wrapped(good, FUTURE)
    read = read_message(DEVICE, data, codec.JSON)
    assert isinstance(read, Refused)
    assert read.refusal.sha256 == codec.sha256_hex(data)
    assert read.alone is None, "the good event must not be kept as if it were bad"


@pytest.mark.parametrize(
    ("data", "content_type", "reason"),
    [
        (b"", codec.JSON, "not_json"),
        (b"{rotten", codec.JSON, "not_json"),
        (b"\xff\xfe", codec.JSON, "not_json"),
        (wrapped(b"{rotten"), codec.JSON, "not_json"),
        (wrapped(b'{"kind":"fault"}'), codec.JSON, "invalid"),
        (wrapped(b'{"kind":"fault","seq":0,"time":1,"code":"x"}'), codec.JSON, "invalid"),
        (wrapped(b'{"kind":"fault","seq":1,"time":1,"code":"x"}', stream="no stream"), codec.JSON, "invalid"),
        (b"not deflate", codec.DEFLATED, "not_deflate"),
        (zlib.compress(b"{}")[:-3], codec.DEFLATED, "not_deflate"),
        (b"{}", "text/plain", "content_type"),
        (b" " * 70_000, codec.JSON, "oversize"),
        (zlib.compress(b" " * 2_000_000), codec.DEFLATED, "oversize"),
    ],
)
def test_bytes_without_a_number_are_refused_by_their_digest_and_kept(
    data: bytes, content_type: str, reason: str
) -> None:
    read = read_message(DEVICE, data, content_type)
    assert isinstance(read, Refused)
    assert (read.refusal.reason, read.refusal.sha256) == (reason, codec.sha256_hex(data))
    assert read.alone is not None


@given(data=st.binary(max_size=300), content_type=st.sampled_from([codec.JSON, codec.DEFLATED, codec.PRIMED, ""]))
def test_no_bytes_raise(data: bytes, content_type: str) -> None:
    assert isinstance(read_message(DEVICE, data, content_type), Delivery | Unreadable | Refused)


def test_what_is_covered_is_cut_to_the_span_and_to_so_many_ranges() -> None:
    account = Account(RangeSet.of(range(1, 100, 2)), RangeSet.of([50]))
    spoken = covered(StreamKey(DEVICE, STREAM), account, 10, 60, 8)
    assert spoken.low == 10
    assert spoken.high < 60
    assert len(spoken.committed) + len(spoken.lost) <= 8
    assert spoken.committed[0] == (11, 11)
