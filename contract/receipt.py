"""What the hub answers after a commit, and to a hello."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from contract.ids import Nonce, Seq, Sha256Hex, Span, StreamId, UnixMs, refuse_reversed
from contract.limits import MAX_BATCH_EVENTS

OTHER_FORM: Final = "content_type"
"""Reason of a refusal by a hub that does not read this form of message: another one of the same brokers may."""
TOO_RAGGED: Final = "ragged"
"""Reason of a refusal that no cutting mends: the stream has more ranges than the ledger keeps."""


class Covered(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the ledger holds of one stream between `low` and `high`, both included; it says nothing outside them."""

    stream: StreamId
    low: Seq
    high: Seq
    committed: list[Span] = []
    lost: list[Span] = []

    def __post_init__(self) -> None:
        """Also run while decoding, where the error becomes a ContractError."""
        refuse_reversed([(self.low, self.high), *self.committed, *self.lost])


class Refusal(Struct, frozen=True, kw_only=True):
    """A message of which nothing was committed; `sha256` is of its payload as sent."""

    sha256: Sha256Hex
    reason: Annotated[str, Meta(max_length=64)]


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Covers events; never retained, and ignored by an agent whose current nonce it does not carry.

    The answer to a hello (`hello` is true) *replaces* what the agent believes committed of the streams it names; any
    other receipt extends it. `nonce` is empty where the message answered was not readable; such a receipt only refuses.
    """

    nonce: Nonce | Literal[""] = ""
    hub_time: UnixMs
    hello: bool = False
    streams: Annotated[list[Covered], Meta(max_length=MAX_BATCH_EVENTS)] = []
    refused: Annotated[list[Refusal], Meta(max_length=MAX_BATCH_EVENTS)] = []
