"""What an agent says of itself. These messages bypass the shared subscription: every worker reads them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from contract.config import Applied
from contract.events import Code
from contract.ids import Nonce, Seq, StreamId, refuse_reversed
from contract.limits import MAX_HELLO_STREAMS, MAX_INT32


class Pending(Struct, frozen=True, kw_only=True):
    """A stream of which the outbox still holds events: the lowest and the highest number in it."""

    stream: StreamId
    low: Seq
    high: Seq

    def __post_init__(self) -> None:
        """Also run while decoding, where the error becomes a ContractError."""
        refuse_reversed([(self.low, self.high)])


class Queue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much waits in the outbox, and whether it is refusing new events because it is full."""

    events: Annotated[int, Meta(ge=0, le=MAX_INT32)] = 0
    oldest_s: Annotated[int, Meta(ge=0, le=MAX_INT32)] = 0
    full: bool = False
    refused: Annotated[int, Meta(ge=0, le=MAX_INT32)] = 0


class Opening(Struct, frozen=True, kw_only=True):
    """Which opening of which outbox is speaking: each opening for writing that has appended something counts one up.

    So a card that was put back to an earlier state, or copied, says a number that another run has said before it.
    """

    outbox: StreamId
    number: Seq


class Status(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """`session` is random and of one run of the agent, `nonce` of one connection; both are only compared."""

    session: Nonce
    nonce: Nonce


class Hello(Status, frozen=True, kw_only=True, omit_defaults=True, tag="hello"):
    """Said on connecting and every ten minutes; the hub answers with a receipt for each page of streams."""

    version: Annotated[str, Meta(max_length=32)]
    streams: Annotated[list[Pending], Meta(max_length=MAX_HELLO_STREAMS)] = []
    queue: Queue = Queue()
    opening: Opening | None = None
    config: Applied = 0


class Alive(Status, frozen=True, kw_only=True, tag="alive"):
    """Said while connected, so that silence means something."""

    queue: Queue = Queue()
    faults: Annotated[list[Code], Meta(max_length=32)] = []


class Goodbye(Status, frozen=True, kw_only=True, tag="goodbye"):
    """The last word of a connection: `stop` by the agent itself, `lost` by the broker in its place (last will)."""

    reason: Literal["stop", "lost"]


AnyStatus = Hello | Alive | Goodbye
