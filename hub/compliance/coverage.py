"""What is known of a device's time, and what is not, and why.

Time is known only between two stored events of one stream that are at most `tolerance_ms` apart and have every number
between them stored: the agent ran, and said all that it had to say. Everything else is unknown:

- `silence`: no event for longer than the tolerance, or between two streams. Health events come while the agent runs,
  so it did not, or its events are still under way in a stream whose rest nobody has announced.
- `hole`: numbers that are neither stored nor declared lost. `declared_loss`: numbers that will never come.
- `late`: from the newest event of the device on; the rest has not arrived yet.

An event also speaks of the time before it (a slice of its duration), and what a power cut takes is never told. So every
doubt reaches back by `reach_ms`. Presence never makes time known or unknown: a kiosk off line stores, and what arrives
later is as good. It only adds `silence` to `late` where a device was connected all the while and sent nothing.

Times must be of clocks that were right: leave events out whose clock is `estimated`. Moments are Unix ms.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, NamedTuple, get_args

from hub.compliance.intervals import Interval, Intervals

Reason = Literal["hole", "declared_loss", "silence", "late"]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
MissingReason = Literal["hole", "declared_loss"]
PresenceState = Literal["online", "offline", "unknown"]


@dataclass(frozen=True, slots=True)
class CoverageRules:
    """How often a kiosk speaks at least, and how far back an event speaks."""

    heartbeat_ms: int = 60_000
    """Time between two health events of a running agent."""
    missed_beats: int = 1
    """So many health events in a row may not come about without a doubt."""
    reach_ms: int = 300_000
    """The longest duration that one event tells of: the agent's slice of a play. 0 where only beginnings count."""

    def __post_init__(self) -> None:
        """ValueError where nothing could ever be known, or too much would be."""
        if self.heartbeat_ms <= 0 or self.missed_beats < 0 or self.reach_ms < 0:
            raise ValueError(f"heartbeat_ms must be above 0, missed_beats and reach_ms at least 0: {self}")

    @property
    def tolerance_ms(self) -> int:
        """Events of a running agent are never farther apart: so many beats, and half of one for delay."""
        return self.heartbeat_ms * (self.missed_beats + 1) + self.heartbeat_ms // 2


class Seen(NamedTuple):
    """A stored event: its number in its stream and its time."""

    seq: int
    time_ms: int


class Missing(NamedTuple):
    """Numbers of a stream that are not stored, with the times of the stored events next to them, if there are any."""

    reason: MissingReason
    stream: str
    numbers: tuple[int, int]
    before_ms: int | None
    after_ms: int | None


class Life(NamedTuple):
    """When a stream spoke first and last, as far as is stored. A device has one stream at a time."""

    stream: str
    first_ms: int
    last_ms: int


class Presence(NamedTuple):
    """What the hub heard of the device's connection."""

    state: PresenceState
    begin_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Heard:
    """The stored events of a device around a span: made by `heard_of`, or by SQL for what is too many to list.

    Around the span: the nearest events before and after it are in, too; what is not in is not known.
    """

    runs: Intervals
    """From event to event of one stream, where they are at most the tolerance apart."""
    lives: tuple[Life, ...]


class Unknown(NamedTuple):
    """A time of which something is not known."""

    begin_ms: int
    end_ms: int
    reasons: frozenset[Reason]


@dataclass(frozen=True, slots=True)
class Coverage:
    """A span of time, parted into what is known and what is not."""

    known: Intervals
    unknown: tuple[Unknown, ...]
    """Rising and disjoint; neighbours that touch differ in their reasons."""

    @property
    def doubt(self) -> Intervals:
        """What is unknown for whatever reason: the complement of `known`."""
        return Intervals.of((piece.begin_ms, piece.end_ms) for piece in self.unknown)


def heard_of(streams: Mapping[str, Iterable[Seen]], rules: CoverageRules) -> Heard:
    """What the stored events of each stream say of the time between them. Numbers are not looked at here."""
    times = {stream: sorted(event.time_ms for event in events) for stream, events in streams.items()}
    steps = (step for each in times.values() for step in pairwise(each))
    return Heard(
        runs=Intervals.of(step for step in steps if step[1] - step[0] <= rules.tolerance_ms),
        lives=tuple(Life(stream, each[0], each[-1]) for stream, each in times.items() if each),
    )


def missing_of(
    stream: str, events: Sequence[Seen], numbers: Iterable[tuple[int, int]], reason: MissingReason
) -> list[Missing]:
    """Closed ranges of `numbers` with their neighbours among `events`, which rise by number and have these in."""
    return [
        Missing(
            reason,
            stream,
            (first, last),
            before_ms=_time(events, bisect_left(events, first, key=_seq) - 1),
            after_ms=_time(events, bisect_right(events, last, key=_seq)),
        )
        for first, last in numbers
    ]


def coverage(
    span: Interval,
    heard: Heard,
    missing: Iterable[Missing],
    presence: Iterable[Presence],
    rules: CoverageRules,
) -> Coverage:
    """Part `span` into known and unknown. Known is only what no reason speaks against."""
    area = Interval(span.begin_ms, span.end_ms + rules.reach_ms)
    doubts = _doubts(area, heard, tuple(missing), rules)
    mute = doubts["late"].common(_mute(heard, presence, rules))
    doubts["silence"] = doubts["silence"].union(mute)
    unknown = _pieces({reason: doubt.within(*span) for reason, doubt in doubts.items()})
    known = Intervals.between(*span).minus(Intervals.of((piece.begin_ms, piece.end_ms) for piece in unknown))
    return Coverage(known, unknown)


def _doubts(area: Interval, heard: Heard, missing: Sequence[Missing], rules: CoverageRules) -> dict[Reason, Intervals]:
    """What events and numbers leave in doubt within `area`, each reaching back."""
    unheard = Intervals.between(*area).minus(heard.runs)
    late = unheard.within(_newest_ms(heard, area.begin_ms), area.end_ms)
    doubts: dict[Reason, Iterable[Interval]] = {
        "hole": [span for one in missing if one.reason == "hole" for span in _where(area, one, heard.lives)],
        "declared_loss": [
            span for one in missing if one.reason == "declared_loss" for span in _where(area, one, heard.lives)
        ],
        "silence": unheard.minus(late),
        "late": late,
    }
    return {
        reason: Intervals.of((span.begin_ms - rules.reach_ms, span.end_ms) for span in spans)
        for reason, spans in doubts.items()
    }


def _mute(heard: Heard, presence: Iterable[Presence], rules: CoverageRules) -> Intervals:
    """Where the device was connected for longer than the tolerance since its newest event."""
    online = (one for one in presence if one.state == "online")
    return Intervals.of(
        (max(one.begin_ms, _newest_ms(heard, one.begin_ms)) + rules.tolerance_ms, one.end_ms) for one in online
    )


def _where(area: Interval, missing: Missing, lives: Iterable[Life]) -> Intervals:
    """Where the events can lie that have these numbers.

    Next to no stored event of its own stream, a stream is bounded by those that ended before it or began after it. One
    that overlaps it bounds nothing: two agents share the device's name.
    """
    others = [life for life in lives if life.stream != missing.stream]
    match missing.before_ms, missing.after_ms:
        case None, None:
            return Intervals.between(*area).minus(Intervals.of((life.first_ms, life.last_ms) for life in others))
        case None, int(after_ms):
            ended_ms = [life.last_ms for life in others if life.last_ms <= after_ms]
            return _closed(max(ended_ms, default=min(area.begin_ms, after_ms)), after_ms)
        case int(before_ms), None:
            begun_ms = [life.first_ms for life in others if life.first_ms >= before_ms]
            return _closed(before_ms, min(begun_ms, default=max(area.end_ms, before_ms)))
        case int(before_ms), int(after_ms):
            # A clock that was set between two events can have them in reverse.
            return _closed(min(before_ms, after_ms), max(before_ms, after_ms))
    raise AssertionError(missing)


def _closed(first_ms: int, last_ms: int) -> Intervals:
    """Both moments included: what is missing may be of the same ms as its neighbour."""
    return Intervals.between(first_ms, last_ms + 1)


def _newest_ms(heard: Heard, otherwise_ms: int) -> int:
    return max((life.last_ms for life in heard.lives), default=otherwise_ms)


def _pieces(doubts: Mapping[Reason, Intervals]) -> tuple[Unknown, ...]:
    """Cut at every moment at which the reasons change."""
    edges = sorted({moment_ms for doubt in doubts.values() for span in doubt for moment_ms in span})
    pieces = (
        Unknown(begin_ms, end_ms, frozenset(reason for reason, doubt in doubts.items() if begin_ms in doubt))
        for begin_ms, end_ms in pairwise(edges)
    )
    return tuple(piece for piece in pieces if piece.reasons)


def _seq(event: Seen) -> int:
    return event.seq


def _time(events: Sequence[Seen], at: int) -> int | None:
    return events[at].time_ms if 0 <= at < len(events) else None
