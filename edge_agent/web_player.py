"""A web page that plays content of its own: from what it says to observations, without I/O.

The page's word is `reported`, no more. `rendering` wants evidence: of a medium, that its position moved between two
looks; of a picture, that the page which still answers is visible. A page that falls silent shows nothing.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from contract.content_ref import file_ref, is_url, url_ref
from edge_agent.observation import Content, Showing
from edge_agent.page_messages import Display

PLAYER: Final = "web"
_STALLED_MS: Final = 1_000
"""A position that did not move for so long stands still; looks that are closer together prove nothing."""


class Look(Struct, frozen=True):
    """The last message and what was concluded from it."""

    display: Display
    at_ms: int
    turn: int
    rendering: bool | None
    position_since_ms: int
    """Since when it plays at this very position."""


def after_display(before: Look | None, display: Display, at_ms: int) -> Look:
    """What is known after the page's next message."""
    same = before is not None and _content(before.display) == _content(display)
    if before is None or not same:
        turn = before.turn + 1 if before else 1
        return Look(display, at_ms, turn, _at_first(display), at_ms)
    anew = display.turn != before.display.turn or _restarted(before, display, at_ms)
    moved = display.position_ms != before.display.position_ms
    since_ms = at_ms if moved or not before.display.playing else before.position_since_ms
    rendering = _rendering(before, display, moved=moved, still_ms=at_ms - since_ms)
    return Look(display, at_ms, before.turn + anew, rendering, since_ms)


def showing_of(look: Look, screen: str) -> Showing:
    """The look as an observation."""
    content = _content(look.display)
    return Showing(
        at_ms=look.at_ms,
        screen=screen,
        player=PLAYER,
        content=content,
        turn=look.turn,
        reported=None if content is None else look.display.playing,
        rendering=None if content is None else look.rendering,
    )


def after_silence(look: Look | None, now_ms: int, limit_ms: int) -> Look | None:
    """A look at nothing, once, when a page that showed something has said nothing for `limit_ms`; else None."""
    if look is None or look.display.content_ref is None or now_ms - look.at_ms < limit_ms:
        return None
    return after_display(look, Display(), now_ms)


def _content(display: Display) -> Content | None:
    """The content by its normalised name: of a URL nothing remains that could be personal."""
    ref = display.content_ref
    if ref is None:
        return None
    return Content(url_ref(ref) if is_url(ref) else file_ref(f"/{ref}", "/"), display.sha256)


def _restarted(before: Look, now: Display, at_ms: int) -> bool:
    """A page that counts no turns began anew if it is no further than the time since the last look allows."""
    last_ms = before.display.position_ms
    if now.turn is not None or last_ms is None or now.position_ms is None:
        return False
    return now.position_ms < last_ms and now.position_ms <= at_ms - before.at_ms


def _at_first(display: Display) -> bool | None:
    if not display.playing or display.visible is False:
        return False
    if display.position_ms is None:
        return display.visible
    return None


def _rendering(before: Look, display: Display, *, moved: bool, still_ms: int) -> bool | None:
    first = _at_first(display)
    if first is not None or display.position_ms is None or not before.display.playing:
        return first
    if moved and before.display.position_ms is not None:
        return True
    return False if still_ms >= _STALLED_MS else before.rendering
