"""What a page on the kiosk may say to the agent: these messages with these fields, and nothing else.

There is no field for text that a visitor typed, none for who a visitor is, and none that would link two sessions. An
unknown field, type or shape is refused as a whole, so a page cannot send more by mistake either.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from contract.events import ContentRef, Language, Milliseconds, OpaqueId, Target
from contract.ids import Sha256Hex

MAX_AGE_MS: Final = 600_000
"""How long a page keeps a message for an agent that is away."""
MAX_MESSAGES: Final = 16
"""The most messages in one request."""


class _Message(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="type"):
    age_ms: Annotated[int, Meta(ge=0, le=MAX_AGE_MS, description="How long ago it happened, ms.")] = 0
    id: OpaqueId | None = None
    """Random, one for each message: the same message sent again is taken once. Never leaves the kiosk."""
    touched: bool = False
    """Somebody touched the screen or a key just before. Without it a message never begins a session."""


class Touch(_Message, frozen=True, kw_only=True, tag="touch"):
    """Somebody is there. Begins or prolongs the session; `target` is the page that was touched, if it has a name."""

    target: Target | None = None


class LanguageChosen(_Message, frozen=True, kw_only=True, tag="language"):
    """The language a visitor selected."""

    language: Language


class PageView(_Message, frozen=True, kw_only=True, tag="page_view"):
    """The page `target` is on screen; the one before it is left."""

    target: Target


class PageLeave(_Message, frozen=True, kw_only=True, tag="page_leave"):
    """The page on screen is left and no other follows."""


class MediaPlay(_Message, frozen=True, kw_only=True, tag="media_play"):
    """The medium `target` begins to play, or plays on after a pause."""

    target: Target


class MediaStop(_Message, frozen=True, kw_only=True, tag="media_stop"):
    """The medium `target` has come to its end (`ended`) or pauses, having played `watched_ms` since it last began."""

    target: Target
    watched_ms: Milliseconds
    ended: bool = False


class SearchUsed(_Message, frozen=True, kw_only=True, tag="search_used"):
    """Somebody searched. For what is nobody's business."""


class QrShown(_Message, frozen=True, kw_only=True, tag="qr_shown"):
    """The QR code `target` is on screen at a visitor's wish."""

    target: Target


class Feedback(_Message, frozen=True, kw_only=True, tag="feedback"):
    """A rating from 1 (bad) to 5 (good)."""

    rating: Annotated[int, Meta(ge=1, le=5)]


class End(_Message, frozen=True, kw_only=True, tag="end"):
    """The visit is over: a visitor said so, or the page returned to its beginning because nobody was there."""


class Display(_Message, frozen=True, kw_only=True, tag="display"):
    """What a page that plays content of its own is showing now. None: nothing. To be repeated every few seconds."""

    content_ref: ContentRef | None = None
    playing: bool = False
    position_ms: Milliseconds | None = None
    """Position in a medium; absent for what does not move."""
    visible: bool | None = None
    """The page is on screen, as far as the browser can tell."""
    turn: OpaqueId | None = None
    """Rises each time the content starts anew."""
    sha256: Sha256Hex | None = None


VisitorMessage = (
    Touch | LanguageChosen | PageView | PageLeave | MediaPlay | MediaStop | SearchUsed | QrShown | Feedback | End
)
Message = VisitorMessage | Display
_Messages = Annotated[list[Message], Meta(min_length=1, max_length=MAX_MESSAGES)]
_decoder: msgspec.json.Decoder[Message | list[Message]] = msgspec.json.Decoder(Message | _Messages)


def messages_of(body: bytes) -> list[Message]:
    """One message or a list of them, from JSON. Raises msgspec.ValidationError.

    Of what is not JSON at all it raises msgspec.DecodeError, or UnicodeDecodeError.
    """
    decoded = _decoder.decode(body)
    return decoded if isinstance(decoded, list) else [decoded]
