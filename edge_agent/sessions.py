"""From what a page says to a visitor's acts: a state machine without clock, threads or I/O.

A session begins with the first act of somebody who touched the kiosk, and ends when the page says so or when nobody
did anything for `idle_ms`. It is known by a random number that exists in memory only, so none outlives the agent's
process and no two can be linked. A page that changes by itself (an attract loop) neither begins nor prolongs one:
what happens on the page counts when the message itself was `touched`, or within `follow_ms` of the last that was (a
page that is loaded anew does not know of the touch that led to it).

An event that has a duration is made when that is over; its moment is the end, `duration_ms` reaches back from there.
A view or session that nobody ended is over with its last act: idle time counts for nothing. A medium that a visitor
started counts as use for as long as it plays; if it never stops (its page is gone) its duration is unknown, and absent.
Every event carries the language selected so far, if any was.

States are values: who calls keeps the new one only once the drafts are safe, and so may repeat a step that failed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from contract.events import UNNUMBERED, Action, Interaction
from contract.limits import MAX_INT32, MAX_SEQ
from edge_agent.draft import UNSTAMPED, Draft
from edge_agent.page_messages import (
    End,
    Feedback,
    LanguageChosen,
    MediaPlay,
    MediaStop,
    PageLeave,
    PageView,
    QrShown,
    SearchUsed,
    Touch,
    VisitorMessage,
)

MAX_OPEN_MEDIA: Final = 8


class SessionRules(Struct, frozen=True):
    """How long is idle, all in ms."""

    idle_ms: int = 60_000
    media_idle_ms: int = 900_000
    """Idle time while a medium plays: longer than any clip."""
    follow_ms: int = 10_000
    """How long after a touch the page's own changes are still taken as its effect."""


class Medium(Struct, frozen=True):
    """A medium that a visitor started: how long it has played, and since when it is playing if it is."""

    target: str
    watched_ms: int
    playing_since_ms: int | None


class Session(Struct, frozen=True):
    """A visit under way; all moments are CLOCK_BOOTTIME, ms."""

    id: int
    began_ms: int
    last_ms: int
    """The last use: an act, or the moment a medium stopped playing."""
    touched_ms: int
    language: str | None = None
    page: str | None = None
    page_since_ms: int = 0
    media: tuple[Medium, ...] = ()

    @property
    def playing(self) -> bool:
        """Whether a medium is playing."""
        return any(medium.playing_since_ms is not None for medium in self.media)


class Step(NamedTuple):
    """The state afterwards and what is to be recorded, oldest first."""

    session: Session | None
    drafts: list[Draft]


def random_session_id() -> int:
    """A number that means nothing: 1 to 2^53 - 1."""
    return secrets.randbelow(MAX_SEQ) + 1


def after_message(
    session: Session | None, message: VisitorMessage, at_ms: int, rules: SessionRules, new_id: Callable[[], int]
) -> Step:
    """What the page's `message`, sent at `at_ms`, does."""
    session, drafts = after_silence(session, at_ms, rules)
    if session is None:
        if isinstance(message, (End, PageLeave, MediaStop)) or not message.touched:
            return Step(None, drafts)
        session = Session(id=new_id(), began_ms=at_ms, last_ms=at_ms, touched_ms=at_ms)
        drafts.append(_draft(session, "session_start", at_ms))
    step = _within(session, message, max(at_ms, session.last_ms), rules)
    return Step(step.session, drafts + step.drafts)


def after_silence(session: Session | None, now_ms: int, rules: SessionRules) -> Step:
    """What the passing of time does: nothing, or the end of the session at its last use."""
    if session is None:
        return Step(None, [])
    limit_ms = rules.media_idle_ms if session.playing else rules.idle_ms
    if now_ms - session.last_ms < limit_ms:
        return Step(session, [])
    return Step(None, _ending(session, None))


def after_stop(session: Session | None, now_ms: int) -> Step:
    """What the end of the agent does."""
    return Step(None, [] if session is None else _ending(session, max(now_ms, session.last_ms)))


def _within(session: Session, message: VisitorMessage, at_ms: int, rules: SessionRules) -> Step:
    """A message inside a session. What comes unasked only closes what it replaces."""
    if isinstance(message, MediaStop):
        return _stop(session, message, at_ms)
    if message.touched:
        session = replace(session, touched_ms=at_ms)
    asked = at_ms - session.touched_ms <= rules.follow_ms
    if asked:
        session = replace(session, last_ms=at_ms)
    if isinstance(message, End):
        return Step(None, _ending(session, at_ms))
    if isinstance(message, (PageLeave, PageView)):
        return _turn_page(session, message, at_ms, asked=asked)
    return _act(session, message, at_ms) if asked else Step(session, [])


def _turn_page(session: Session, message: PageLeave | PageView, at_ms: int, *, asked: bool) -> Step:
    target = message.target if isinstance(message, PageView) else None
    if target is not None and target == session.page:
        return Step(session, [])
    session, drafts = _without_page(session, at_ms)
    if target is not None and asked:
        session = replace(session, page=target, page_since_ms=at_ms)
    return Step(session, drafts)


def _act(
    session: Session, message: Touch | LanguageChosen | MediaPlay | SearchUsed | QrShown | Feedback, at_ms: int
) -> Step:
    match message:
        case Touch(target=target):
            return Step(_viewing(session, target, at_ms), [])
        case LanguageChosen(language=language):
            if language == session.language:
                return Step(session, [])
            session = replace(session, language=language)
            return Step(session, [_draft(session, "language", at_ms)])
        case MediaPlay(target=target):
            return _play(session, target, at_ms)
        case SearchUsed():
            return Step(session, [_draft(session, "search_used", at_ms)])
        case QrShown(target=target):
            return Step(session, [_draft(session, "qr_shown", at_ms, target=target)])
        case Feedback(rating=rating):
            return Step(session, [_draft(session, "feedback", at_ms, rating=rating)])


def _viewing(session: Session, target: str | None, at_ms: int) -> Session:
    """A page that was on screen before anybody came is viewed from the first touch on."""
    return session if session.page else replace(session, page=target, page_since_ms=at_ms)


def _play(session: Session, target: str, at_ms: int) -> Step:
    """A medium begins, or plays on; of too many, the one begun first is over."""
    known = _medium(session, target)
    if known is not None and known.playing_since_ms is not None:
        return Step(session, [])
    others = tuple(medium for medium in session.media if medium.target != target)
    spare, kept = others[: -(MAX_OPEN_MEDIA - 1)], others[-(MAX_OPEN_MEDIA - 1) :]
    medium = Medium(target, known.watched_ms if known else 0, at_ms)
    drafts = [_media_draft(session, one, at_ms) for one in spare]
    return Step(replace(session, media=(*kept, medium)), drafts)


def _stop(session: Session, message: MediaStop, at_ms: int) -> Step:
    """A medium pauses or is over. It cannot have played longer than since it began."""
    known = _medium(session, message.target)
    if known is None:
        return Step(session, [])
    others = tuple(medium for medium in session.media if medium is not known)
    if known.playing_since_ms is not None:
        played_ms = min(message.watched_ms, at_ms - known.playing_since_ms)
        known = Medium(known.target, known.watched_ms + played_ms, None)
        session = replace(session, last_ms=at_ms)
    if message.ended:
        return Step(replace(session, media=others), [_media_draft(session, known, at_ms)])
    return Step(replace(session, media=(*others, known)), [])


def _medium(session: Session, target: str) -> Medium | None:
    return next((medium for medium in session.media if medium.target == target), None)


def _without_page(session: Session, until_ms: int | None) -> tuple[Session, list[Draft]]:
    """Close the page and what plays on it. `until_ms` None: nobody knows until when it played."""
    if until_ms is not None and session.playing:
        session = replace(session, last_ms=until_ms)
    end_ms = session.last_ms
    drafts = [_media_draft(session, medium, until_ms) for medium in session.media]
    if session.page is not None:
        dwell_ms = end_ms - session.page_since_ms
        drafts.append(_draft(session, "page_view", end_ms, target=session.page, duration_ms=dwell_ms))
    return replace(session, page=None, media=()), drafts


def _ending(session: Session, until_ms: int | None) -> list[Draft]:
    session, drafts = _without_page(session, until_ms)
    end = _draft(session, "session_end", session.last_ms, duration_ms=session.last_ms - session.began_ms)
    return [*drafts, end]


def _media_draft(session: Session, medium: Medium, until_ms: int | None) -> Draft:
    if medium.playing_since_ms is None:
        watched_ms: int | None = medium.watched_ms
    else:
        watched_ms = None if until_ms is None else medium.watched_ms + until_ms - medium.playing_since_ms
    return _draft(session, "media_play", session.last_ms, target=medium.target, duration_ms=watched_ms)


def _draft(
    session: Session,
    action: Action,
    at_ms: int,
    *,
    target: str | None = None,
    duration_ms: int | None = None,
    rating: int | None = None,
) -> Draft:
    event = Interaction(
        seq=UNNUMBERED,
        time=UNSTAMPED,
        session=session.id,
        action=action,
        target=target,
        language=session.language,
        duration_ms=None if duration_ms is None else min(duration_ms, MAX_INT32),
        rating=rating,
    )
    return Draft(at_ms, event)
