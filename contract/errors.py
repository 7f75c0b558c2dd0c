"""The one error that reading the wire can raise."""

from __future__ import annotations

from typing import Literal

Refused = Literal[
    "oversize",  # more bytes than the limit, before or after inflating
    "not_deflate",  # announced as deflated and is not, or is cut short
    "content_type",  # neither of the two content types of the contract
    "not_json",  # not JSON, or not UTF-8
    "invalid",  # JSON, but not what the contract says
    "order",  # numbers of a batch do not rise
    "nul",  # a NUL character in a text: no database column holds one
    "topic",  # not a topic of ours
]


class ContractError(ValueError):
    """A message does not keep the contract; whoever reads it refuses it and says so to the sender.

    `reason` is a code that counters and receipts carry; the text says what was wrong and where.
    """

    def __init__(self, reason: Refused, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Refused = reason
        self.detail = detail
