from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.bridge_rules import BridgeSettings, Bucket, Refused, is_impersonal, read_messages
from edge_agent.page_messages import Message


def test_every_setting_is_described_and_unknown_ones_are_refused() -> None:
    for field in msgspec.json.schema(BridgeSettings)["$defs"]["BridgeSettings"]["properties"].values():
        assert field["description"]
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"origin": ["*"]}', type=BridgeSettings)
    for origin in ("*", "http://127.0.0.1:8080/", "http://a.vn/x", "file://", "NULL"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(json.dumps({"origins": [origin]}), type=BridgeSettings)


def test_content_is_named_in_every_script() -> None:
    for ref in ("Cửa khẩu Hữu Nghị (2026).mp4", "ສະຫວັນນະເຂດ.mp4", "ភ្នំពេញ.mp4", "https://vietnam.vn/a/b-1.html"):
        body = msgspec.json.encode({"type": "display", "content_ref": ref})
        assert len(read_messages(body, ["vi"])) == 1


@given(st.integers(0, 60), st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 16)), max_size=50))
def test_the_bucket_never_gives_more_than_its_burst_and_rate(start: int, demands: list[tuple[int, int]]) -> None:
    bucket, now_ms, given_ = Bucket(start, 0), 0, 0
    for passed_ms, number in demands:
        now_ms += passed_ms
        with contextlib.suppress(Refused):
            bucket = bucket.taken(number, now_ms, per_s=10, burst=60)
            given_ += number
    assert given_ <= start + now_ms / 100 + 1e-6


_scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
_fields = st.sampled_from(
    ["type", "target", "language", "rating", "touched", "watched_ms", "ended", "content_ref", "query", "id"]
)


@given(st.dictionaries(_fields, _scalars, max_size=4), st.sampled_from(["page_view", "feedback", "search_used", "end"]))
def test_only_enumerated_messages_are_read(message: dict[str, Any], type_: str) -> None:
    body = json.dumps({"type": type_} | message).encode()
    read = _read_or_refusal(body)
    if isinstance(read, Refused):
        assert read.code in {"message", "name", "language"}
    else:
        assert set(msgspec.to_builtins(read)) <= {"type", "target", "rating", "touched", "id"}
        assert is_impersonal(getattr(read, "target", ""))


def _read_or_refusal(body: bytes) -> Message | Refused:
    try:
        return read_messages(body, ["vi"])[0]
    except Refused as refused:
        return refused
