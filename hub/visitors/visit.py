"""One visit: a session's acts folded into one fact, in whatever order and groups they arrive.

`merge` is commutative and associative, so a fact may grow over days, by several workers, in any order. It is not
idempotent: it counts. Each act goes in once, because the ledger takes each event once.

What a lost act would have told is told by others where they can: every act carries the language chosen so far, and one
with a duration reaches back to where it began. An act's moment is its end. Times are Unix ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final, NamedTuple

from contract.events import Interaction

HOUR_MS: Final = 3_600_000
MOST_PAGES: Final = 256
"""Distinct pages kept of one visit: a page that invents names cannot make a fact grow for ever.

Those that sort first are kept, as of languages: any other choice would depend on the order of arrival.
"""
MOST_LANGUAGES: Final = 32
"""Languages kept of one visit."""
UNDETERMINED: Final = "und"
"""BCP 47 for the language of a visitor who chose none."""


class Place(NamedTuple):
    """An act's place in its session: by time, within the same ms by number."""

    time_ms: int
    seq: int


class Chosen(NamedTuple):
    """A language, and the first and last act that speaks of it."""

    language: str
    first: Place
    last: Place


class Rating(NamedTuple):
    """A visitor's word, 1 to 5, and when it was given."""

    at: Place
    rating: int


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of one session."""

    began_ms: int
    ended_ms: int
    """The last moment known of, so far."""
    started: bool = False
    """Whether its session_start is in: only then it counts as a session."""
    told_ms: int | None = None
    """The duration that its session_end told."""
    chosen: tuple[Chosen, ...] = ()
    """By language tag."""
    page_views: int = 0
    page_names: frozenset[str] = frozenset()
    media_plays: int = 0
    searches: int = 0
    qr_shown: int = 0
    rating: Rating | None = None
    """The last one."""

    @property
    def duration_ms(self) -> int:
        """As its end told, measured without the clock; else from the first moment known of to the last."""
        return self.ended_ms - self.began_ms if self.told_ms is None else self.told_ms

    @property
    def languages(self) -> tuple[str, ...]:
        """In the order in which they were first chosen."""
        return tuple(one.language for one in sorted(self.chosen, key=lambda one: (one.first, one.language)))

    @property
    def main_language(self) -> str | None:
        """The last chosen; None if none was."""
        return max(self.chosen, key=lambda one: (one.last, one.language)).language if self.chosen else None


def visit_of(act: Interaction) -> Visit:
    """What one act tells of its session."""
    place = Place(act.time, act.seq)
    return Visit(
        began_ms=max(act.time - (act.duration_ms or 0), 0),
        ended_ms=act.time,
        started=act.action == "session_start",
        told_ms=act.duration_ms if act.action == "session_end" else None,
        chosen=() if act.language is None else (Chosen(act.language, place, place),),
        page_views=int(act.action == "page_view"),
        page_names=frozenset({act.target} if act.action == "page_view" and act.target is not None else ()),
        media_plays=int(act.action == "media_play"),
        searches=int(act.action == "search_used"),
        qr_shown=int(act.action == "qr_shown"),
        rating=Rating(place, act.rating) if act.action == "feedback" and act.rating is not None else None,
    )


def merge(one: Visit, other: Visit) -> Visit:
    """What both tell together; both are of the same session and have no act in common."""
    return Visit(
        began_ms=min(one.began_ms, other.began_ms),
        ended_ms=max(one.ended_ms, other.ended_ms),
        started=one.started or other.started,
        told_ms=_latest(one.told_ms, other.told_ms),
        chosen=_chosen((*one.chosen, *other.chosen)),
        page_views=one.page_views + other.page_views,
        page_names=frozenset(sorted(one.page_names | other.page_names)[:MOST_PAGES]),
        media_plays=one.media_plays + other.media_plays,
        searches=one.searches + other.searches,
        qr_shown=one.qr_shown + other.qr_shown,
        rating=max((rating for rating in (one.rating, other.rating) if rating is not None), default=None),
    )


def fold(acts: Iterable[Interaction], before: Visit | None = None) -> Visit | None:
    """All `acts` of one session together with what was known `before`; None if there is nothing at all."""
    visits = [visit_of(act) for act in acts]
    known = visits if before is None else [before, *visits]
    return reduce(merge, known) if known else None


class Slot(NamedTuple):
    """Where a visit counts: the UTC hour in which it began, and its main language."""

    hour_ms: int
    language: str


class Counts(NamedTuple):
    """What visits add to their slot; a difference can be negative."""

    sessions: int = 0
    page_views: int = 0
    duration_ms: int = 0
    feedbacks: int = 0
    feedback_sum: int = 0

    def plus(self, other: Counts) -> Counts:
        """The sum, field by field."""
        return Counts(*(mine + its for mine, its in zip(self, other, strict=True)))

    def minus(self, other: Counts) -> Counts:
        """The difference, field by field."""
        return Counts(*(mine - its for mine, its in zip(self, other, strict=True)))


def counts_of(visit: Visit) -> dict[Slot, Counts]:
    """What a visit, as far as it is known, adds to the hourly counts; one slot, none where it adds nothing."""
    counts = Counts(
        sessions=int(visit.started),
        page_views=visit.page_views,
        duration_ms=visit.duration_ms,
        feedbacks=int(visit.rating is not None),
        feedback_sum=0 if visit.rating is None else visit.rating.rating,
    )
    slot = Slot(visit.began_ms // HOUR_MS * HOUR_MS, visit.main_language or UNDETERMINED)
    return {slot: counts} if any(counts) else {}


def difference(before: Visit | None, after: Visit | None) -> dict[Slot, Counts]:
    """What to add to the hourly counts where `after` takes the place of `before`; slots that do not change are absent.

    A visit that turns out to have begun earlier, or in another language, moves: its old slot gets negative counts.
    """
    old = _counts(before)
    new = _counts(after)
    steps = {slot: new.get(slot, Counts()).minus(old.get(slot, Counts())) for slot in sorted(old.keys() | new.keys())}
    return {slot: step for slot, step in steps.items() if any(step)}


def _counts(visit: Visit | None) -> Mapping[Slot, Counts]:
    return {} if visit is None else counts_of(visit)


def _latest(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _chosen(both: Iterable[Chosen]) -> tuple[Chosen, ...]:
    joined: dict[str, Chosen] = {}
    for one in both:
        known = joined.get(one.language, one)
        joined[one.language] = Chosen(one.language, min(known.first, one.first), max(known.last, one.last))
    return tuple(sorted(joined.values())[:MOST_LANGUAGES])
