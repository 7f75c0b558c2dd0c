"""Identifiers and the small vocabulary that all messages share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Final, Literal

from msgspec import Meta

from contract.limits import MAX_SEQ, MAX_TIME_MS

DEVICE_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,62}\Z"
_DEVICE = re.compile(DEVICE_PATTERN)

DeviceId = Annotated[
    str,
    Meta(pattern=DEVICE_PATTERN, description="A device: its certificate's CN, MQTT user name and client id."),
]
StreamId = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{32}\Z", description="128 random bits in hex; one for each opening of an outbox.")
]
Nonce = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{16}\Z", description="64 random bits in hex; compared for equality only.")
]
Sha256Hex = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="SHA-256 in lower-case hex.")]
Seq = Annotated[int, Meta(ge=1, le=MAX_SEQ, description="Number of an event in its stream: 1, 2, 3 ...")]
UnixMs = Annotated[int, Meta(ge=0, le=MAX_TIME_MS, description="Unix time in ms, UTC.")]
Span = Annotated[tuple[Seq, Seq], Meta(description="A closed range of event numbers: first and last, both included.")]
Name = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,31}\Z", description="A short technical name, such as a screen's."),
]
ClockState = Literal["synced", "repaired", "estimated"]


def refuse_reversed(spans: Iterable[tuple[int, int]]) -> None:
    """ValueError if a span ends before it begins: no set of numbers could take it."""
    for first, last in spans:
        if first > last:
            raise ValueError(f"the span {first} to {last} ends before it begins")


def is_device_id(text: str) -> bool:
    """Whether `text` is a device id, and so may stand in a topic."""
    return _DEVICE.match(text) is not None
