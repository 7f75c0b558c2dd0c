"""The unit in which events travel: any cut of sealed events of one stream."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from contract.events import AnyEvent
from contract.ids import Nonce, StreamId
from contract.limits import MAX_BATCH_EVENTS


class Batch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Events of one stream, numbers rising; holes between them are allowed.

    `nonce` is that of the connection that sent the batch and comes back in the receipt. `live` says that the sender
    appends to this stream now, so that its newest event, not a backlog's, is the device's current state.
    """

    stream: StreamId
    nonce: Nonce | Literal[""] = ""
    live: bool = False
    events: Annotated[list[AnyEvent], Meta(min_length=1, max_length=MAX_BATCH_EVENTS)]
