"""What a play is by the catalogue: approved, or what else, and by which version of which content.

1. **Bytes beat names.** Where the catalogue knows the bytes, they are what was shown: a renamed file is no fault, and
   another content's file under an approved name is that other content.
2. Else the name counts. If every approved version of that name has other bytes, the play is `altered`. One approved
   version whose bytes the catalogue does not know is enough not to say so: it might be that one.
3. Of all versions that it can be, the best on the day of the play is taken: `approved`, `expired`, `not_yet_valid`,
   and last those that nobody has approved: `unknown`. Of several as good, the one that bears the name too, then: of
   approved ones the newest, of expired ones the last to end, of coming ones the first to begin.

Five verdicts are enough. A version that is catalogued and not approved is `unknown`, as nobody answers for it; that it
is catalogued is told by its code and version, which are None for what the catalogue has never heard of. A version whose
approval was withdrawn is `expired` from that day on and keeps its past. A deleted one was a mistake: it never was.

The day of the approval decides nothing: its document says from when and until when the content may be shown, so an
approval that is entered late answers for the past. Days are local (`hub.compliance.local_time`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple, get_args

Verdict = Literal["approved", "expired", "not_yet_valid", "unknown", "altered"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
_BEST_FIRST: Final[tuple[Verdict, ...]] = ("approved", "expired", "not_yet_valid", "unknown")


class Approval(NamedTuple):
    """The document that answers for a version."""

    number: str
    body: str
    on: date


@dataclass(frozen=True, slots=True)
class ContentVersion:
    """One version of a content in the catalogue."""

    code: str
    version: int
    refs: frozenset[str]
    """What players call it: file names and URLs, normalised as kiosks do it, compared exactly."""
    sha256: str | None
    """Lower-case hex of its media's bytes; None where they are not known, as of a web page."""
    approval: Approval | None
    valid_from: date
    valid_until: date | None = None
    """The last day; None: until further notice."""
    withdrawn_on: date | None = None
    """The first day on which its approval no longer holds."""
    deleted: bool = False

    @property
    def ends_on(self) -> date | None:
        """The first day on which it may no longer be shown; None if there is none."""
        until = self.valid_until
        over = None if until is None or until == date.max else until + timedelta(days=1)
        return min((day for day in (over, self.withdrawn_on) if day is not None), default=None)

    def touches(self, ref: str, sha256: str | None) -> bool:
        """Whether it bears this name or these bytes; what it does not touch, it has no say in."""
        return ref in self.refs or (sha256 is not None and sha256 == self.sha256)

    def verdict_on(self, day: date) -> Verdict:
        """What it is on a day, where it is what was shown."""
        if self.approval is None:
            return "unknown"
        if self.ends_on is not None and day >= self.ends_on:
            return "expired"
        return "approved" if day >= self.valid_from else "not_yet_valid"


class Finding(NamedTuple):
    """A verdict, and the version it rests on.

    Of what is `altered`: the version that ought to have been there.
    """

    verdict: Verdict
    code: str | None = None
    version: int | None = None


class Stretch(NamedTuple):
    """Days from `first` to `last`, both included, with one finding; date.min and date.max stand for no bound."""

    first: date
    last: date
    finding: Finding


def resolve(versions: Iterable[ContentVersion], ref: str, sha256: str | None, day: date) -> Finding:
    """What a play of `ref` with these bytes (None: not read) on a local day is.

    Of `versions` only those that touch name or bytes matter; more do no harm, their order none either.
    """
    return _best(_Suspects.of(versions, ref, sha256), ref, day)


def timeline(versions: Iterable[ContentVersion], ref: str, sha256: str | None) -> tuple[Stretch, ...]:
    """What plays of `ref` with these bytes are on every day: rising, disjoint, whole, as few stretches as can be.

    To be made anew for whatever a version touches, before or after it changes.
    """
    suspects = _Suspects.of(versions, ref, sha256)
    turns = {day for one in suspects.versions for day in (one.valid_from, one.ends_on) if day is not None}
    stretches: list[Stretch] = []
    for day in sorted(turns | {date.min}, reverse=True):
        finding = _best(suspects, ref, day)
        last = stretches[-1].first - timedelta(days=1) if stretches else date.max
        if stretches and stretches[-1].finding == finding:
            last = stretches.pop().last
        stretches.append(Stretch(day, last, finding))
    return tuple(reversed(stretches))


class _Suspects(NamedTuple):
    """The versions that a play can be; where `altered`, those that it only pretends to be."""

    versions: list[ContentVersion]
    altered: bool = False

    @classmethod
    def of(cls, versions: Iterable[ContentVersion], ref: str, sha256: str | None) -> _Suspects:
        known = [one for one in versions if not one.deleted and one.touches(ref, sha256)]
        if sha256 is None:
            return cls(known)
        if by_bytes := [one for one in known if one.sha256 == sha256]:
            return cls(by_bytes)
        approved = [one for one in known if one.approval]
        if approved and all(one.sha256 for one in approved):
            return cls(approved, altered=True)
        return cls([one for one in known if one.sha256 is None] or known)


def _best(suspects: _Suspects, ref: str, day: date) -> Finding:
    if not suspects.versions:
        return Finding("unknown")
    best = min(suspects.versions, key=lambda one: _rank(one, ref, day))
    return Finding("altered" if suspects.altered else best.verdict_on(day), best.code, best.version)


def _rank(version: ContentVersion, ref: str, day: date) -> tuple[int, bool, int, int, str]:
    """The lower, the better."""
    verdict = version.verdict_on(day)
    far = 0
    if verdict == "expired" and version.ends_on is not None:
        far = -version.ends_on.toordinal()
    elif verdict == "not_yet_valid":
        far = version.valid_from.toordinal()
    return _BEST_FIRST.index(verdict), ref not in version.refs, far, -version.version, version.code
