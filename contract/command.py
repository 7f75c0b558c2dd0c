"""What the hub asks of a device, on `command`, and what the device says to that and to its configuration, on `reply`.

A command is done at most once: the hub sends it again until it is answered or expired, and a device that knows its id
repeats the answer.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from contract.config import Revision
from contract.ids import UnixMs
from contract.release import Offer

MAX_PICTURE_BYTES: Final = 40_000
"""Base64 makes 53,336 of them, which leaves a message room for the rest."""

CommandName = Literal["identify", "snapshot", "restart-player", "send-now", "update"]
Outcome = Literal["applied", "done", "refused", "failed", "expired"]
_OF_CONFIG: Final = ("applied", "refused")
_OF_COMMAND: Final = ("done", "refused", "failed", "expired")
CommandId = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{16}\Z", description="64 random bits in hex; the same for every sending of it.")
]


class Args(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What some commands need besides their name. A new field is optional, and ignored by agents that are older."""

    site: Annotated[str, Meta(max_length=200, description="identify: the information point, as people call it.")] = ""
    version: Annotated[str, Meta(max_length=16, description="update: the version to install.")] = ""
    packages: Annotated[
        tuple[Offer, ...], Meta(max_length=16, description="update: its packages; a device takes the one for itself.")
    ] = ()


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Payload of `command`. A name that the agent does not know is refused, not passed over."""

    id: CommandId
    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z", description="CommandName; newer hubs know more.")]
    issued_ms: UnixMs
    expires_ms: UnixMs
    args: Args = Args()

    def __post_init__(self) -> None:
        """Also run while decoding, where the error becomes a ContractError."""
        if self.expires_ms <= self.issued_ms:
            raise ValueError("the command expires before it was given")


class Picture(Struct, frozen=True):
    """What is on a screen, small."""

    content_type: Literal["image/jpeg", "image/png"]
    body: Annotated[bytes, Meta(min_length=1, max_length=MAX_PICTURE_BYTES, description="Base64.")]


class Reply(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Payload of `reply`: to a command by its id, or to a configuration by its revision.

    `applied` and `refused` speak of a configuration; `done`, `refused`, `failed` and `expired` of a command.
    """

    command: CommandId | None = None
    config: Revision | None = None
    outcome: Outcome
    detail: Annotated[str, Meta(max_length=512, description="For a person: what was done, or why not.")] = ""
    picture: Picture | None = None

    def __post_init__(self) -> None:
        """Also run while decoding, where the error becomes a ContractError."""
        if (self.command is None) == (self.config is None):
            raise ValueError("a reply is to a command or to a configuration")
        if self.outcome not in (_OF_CONFIG if self.command is None else _OF_COMMAND):
            raise ValueError(
                f"{self.outcome} says nothing of a {'configuration' if self.command is None else 'command'}"
            )
