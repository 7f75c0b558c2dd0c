"""Whether what was planned for a device was shown, window by window.

- What is proven counts, in a window with gaps as well: `enough` is enough whatever is unknown.
- What is short is `unknown` as long as unknown time or open proof could hold what is missing. So `too_little` says that
  it was short in any case, and `not_at_all` that every moment is known and nothing of it was shown.

A play counts once, in the window in which its slice 0 lies, if any of its slices proves that it was shown: at its
beginning a video has not been seen to move yet. Without a slice 0 it has not been proven to begin there. Time counts
where it lies. A page that stands for hours is one play: its plan should ask for seconds.

A language's share is of what is required, not of what was shown: more of one never makes another too little.
Moments are Unix ms; amounts are plays, or ms where seconds are required.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

from contract.events import Play
from hub.compliance.intervals import Interval, Intervals
from hub.compliance.plan import PlanItem, Window
from hub.compliance.proof import Proof, proof
from hub.grade import Grade

Result = Literal["enough", "too_little", "not_at_all", "unknown"]
RESULTS: Final[tuple[Result, ...]] = get_args(Result)

Counts = Mapping[tuple[str | None, Proof], int]
"""By language (None: not known) and by what is proven."""
_Counter = Counter[tuple[str | None, Proof]]


class Slice(NamedTuple):
    """One slice of a play of the planned content. `play` and `number` tell plays and slices apart."""

    play: int
    number: int
    time: Interval
    proof: Proof
    language: str | None


class Tally(NamedTuple):
    """What a window has. Whoever keeps counts of their own makes one of them."""

    plays: Counts
    time_ms: Counts


class Part(NamedTuple):
    """One requirement: all of it, or one language's share. Plays, or ms."""

    language: str | None
    required: int
    shown: int
    at_most: int | None
    """What was shown if all that is unknown or open was; None: nobody can say how much fits in there."""

    @property
    def met(self) -> bool:
        """Whether it is proven that enough was shown."""
        return self.shown >= self.required

    @property
    def possible(self) -> bool:
        """Whether enough can have been shown."""
        return self.at_most is None or self.at_most >= self.required


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """How one window stands, with its numbers."""

    window: Window
    result: Result
    total: Part
    languages: tuple[Part, ...]
    shown_ms: int
    """Time on screen that is proven, whatever the plan asks for."""
    unknown: Intervals
    """Within the window."""


def slice_of(play: Play, language: str | None, minimum: Grade = "rendering") -> Slice:
    """A stored slice as evidence. `minimum` is the lowest grade that counts as shown."""
    time = Interval(play.time - play.duration_ms, play.time)
    return Slice(play.play_id, play.slice, time, proof(play.facts, minimum), language)


def fulfilments(
    item: PlanItem, asked: Sequence[Window], slices: Iterable[Slice], unknown: Intervals
) -> tuple[Fulfilment, ...]:
    """How `item` stands in each of the windows `asked` for, which rise and are disjoint.

    `slices` are the stored slices of its content on the device, each once, in any order: whole plays, also those that
    reach into the first window or out of the last. Who calls decides which content and verdict counts. `unknown` is
    what `hub.compliance.coverage` leaves in doubt; what lies in the future is unknown as well.
    """
    tallies = _tallies(asked, slices, unknown)
    return tuple(judge(item, window, tally, unknown) for window, tally in zip(asked, tallies, strict=True))


def judge(item: PlanItem, window: Window, tally: Tally, unknown: Intervals) -> Fulfilment:
    """How `item` stands in one window."""
    gaps = Intervals.of(gap for span in window.time for gap in unknown.within(*span))
    counts = tally.time_ms if item.unit == "seconds_per_day" else tally.plays
    room = _room(item, gaps)
    total = _part(None, item.required, counts, room)
    shares = tuple(
        _part(share.language, _share(item.required, share.percent), counts, room) for share in item.languages
    )
    shown_ms = _sum(tally.time_ms, None, "shown")
    nothing = total.at_most == 0 and not shown_ms and not _sum(tally.time_ms, None, "open")
    return Fulfilment(window, _result([total, *shares], nothing=nothing), total, shares, shown_ms, gaps)


def _result(parts: Sequence[Part], *, nothing: bool) -> Result:
    if all(part.met for part in parts):
        return "enough"
    if all(part.possible for part in parts):
        return "unknown"
    return "not_at_all" if nothing else "too_little"


def _part(language: str | None, required: int, counts: Counts, room: int | None) -> Part:
    """One language's part, or that of all. What has no known language may be of each."""
    shown = _sum(counts, language, "shown")
    may_be = _sum(counts, language, "open")
    if language is not None:
        may_be += counts.get((None, "shown"), 0) + counts.get((None, "open"), 0)
    return Part(language, required, shown, None if room is None else shown + may_be + room)


def _share(required: int, percent: int) -> int:
    """So many percent, rounded up."""
    return -(-required * percent // 100)


def _sum(counts: Counts, language: str | None, proven: Proof) -> int:
    return sum(
        amount for (its, what), amount in counts.items() if what == proven and (language is None or _is(its, language))
    )


def _is(language: str | None, wanted: str) -> bool:
    return language is not None and (language == wanted or language.startswith(f"{wanted}-"))


def _room(item: PlanItem, gaps: Intervals) -> int | None:
    """How much more the gaps can hold, None where nobody knows. A play need only begin in one."""
    if item.unit == "seconds_per_day":
        return gaps.length_ms * item.screens
    if item.shortest_play_ms is None:
        return None if gaps else 0
    return sum(-(-gap.length_ms // item.shortest_play_ms) for gap in gaps) * item.screens


def _tallies(asked: Sequence[Window], slices: Iterable[Slice], unknown: Intervals) -> list[Tally]:
    pieces = [_Piece(span, index) for index, window in enumerate(asked) for span in window.time]
    tallies: list[tuple[_Counter, _Counter]] = [(Counter(), Counter()) for _ in asked]
    plays: dict[int, list[Slice]] = defaultdict(list)
    for one in slices:
        plays[one.play].append(one)
        for window, length_ms in _overlaps(pieces, one.time):
            tallies[window][1][one.language, one.proof] += length_ms
    for play in plays.values():
        play.sort(key=lambda one: one.number)
        begun_in = _holding(pieces, play[0].time.end_ms) if play[0].number == 0 else None
        if begun_in is not None:
            language = next((one.language for one in play if one.language is not None), None)
            tallies[begun_in][0][language, _proof_of(play, unknown)] += 1
    return [Tally(*pair) for pair in tallies]


def _proof_of(play: Sequence[Slice], unknown: Intervals) -> Proof:
    """The best of its slices; open if one more may lie in unknown time."""
    proofs = {one.proof for one in play}
    if "shown" in proofs:
        return "shown"
    begin_ms, end_ms = min(one.time.begin_ms for one in play), max(one.time.end_ms for one in play)
    return "open" if "open" in proofs or unknown.touches(begin_ms, end_ms) else "not_shown"


class _Piece(NamedTuple):
    """An unbroken part of a window, and which window it is of."""

    span: Interval
    window: int


def _overlaps(pieces: Sequence[_Piece], time: Interval) -> Iterator[tuple[int, int]]:
    """Which windows hold how much of `time`, ms."""
    for at in range(bisect_right(pieces, time.begin_ms, key=_end_ms), len(pieces)):
        span, window = pieces[at]
        if span.begin_ms >= time.end_ms:
            return
        yield window, min(span.end_ms, time.end_ms) - max(span.begin_ms, time.begin_ms)


def _holding(pieces: Sequence[_Piece], moment_ms: int) -> int | None:
    """Which window holds the moment."""
    at = bisect_right(pieces, moment_ms, key=_end_ms)
    return pieces[at].window if at < len(pieces) and pieces[at].span.begin_ms <= moment_ms else None


def _end_ms(piece: _Piece) -> int:
    return piece.span.end_ms
