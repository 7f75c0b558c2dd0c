"""Short ways to write down events, batches and streams."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contract.batch import Batch
from contract.events import AnyEvent, Facts, Fault, Loss, Play
from hub.ledger.rules import Delivery, StreamKey

DEVICE = "bg-20-cma-k1"
NOW_MS = 1_790_000_000_000
STREAM = "a1" * 16
OTHER_STREAM = "b2" * 16
KEY = StreamKey(DEVICE, STREAM)


def fault(seq: int, reason: str = "") -> Fault:
    """The smallest event."""
    return Fault(seq=seq, time=NOW_MS + seq, code="test", reason=reason)


def play(seq: int, **values: Any) -> Play:
    """A slice of a play that everything speaks for, unless `values` say otherwise."""
    facts = Facts(listed=True, reported=True, rendering=True, panel="on")
    given: dict[str, Any] = {"play_id": 1, "slice": 0, "content_ref": "chao-mung.mp4", "screen": "main"}
    given |= {"player": "mpv", "time": NOW_MS + seq, "facts": facts}
    return Play(seq=seq, **(given | values))


def loss(seq: int, *ranges: tuple[int, int], stream: str = STREAM) -> Loss:
    """`ranges` of `stream` will never come."""
    return Loss(seq=seq, time=NOW_MS, stream=stream, ranges=list(ranges), reason="evicted")


def delivery(
    events: Iterable[AnyEvent | int], *, device: str = DEVICE, stream: str = STREAM, live: bool = False
) -> Delivery:
    """A batch; a plain number stands for a fault of that number."""
    made = [fault(event) if isinstance(event, int) else event for event in events]
    return Delivery(device, Batch(stream=stream, live=live, events=made))
