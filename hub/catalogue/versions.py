"""Versions of a content: each change is a new one, and what each of them still has to say.

A version speaks of one medium: a file by its SHA-256, or where the bytes are not known by its names. A later version of
the same content that speaks of the same medium takes its place, for past days too: that is how an approval that comes
late, a corrected date, or a withdrawal answers for the past. One that speaks of another medium stands beside it: the
film's new cut is approved by its own document, and the old cut's approval holds as long as it says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from hub.catalogue.contents import Content
from hub.compliance.verdict import ContentVersion


@dataclass(frozen=True, slots=True)
class Version:
    """One version as it is kept."""

    number: int
    content: Content
    withdrawn_on: date | None
    """The first day on which its approval no longer holds."""
    recorded_at: datetime
    recorded_by: str

    @property
    def as_evidence(self) -> ContentVersion:
        """What the rules of `hub.compliance.verdict` need of it."""
        said = self.content
        return ContentVersion(
            code=said.code,
            version=self.number,
            refs=said.refs,
            sha256=said.media_sha256,
            approval=said.approval,
            valid_from=said.valid_from,
            valid_until=said.valid_until,
            withdrawn_on=self.withdrawn_on,
        )


def following(versions: Sequence[Version], said: Content, at: datetime, by: str) -> Version | None:
    """The version that records what is said of a content now; None where one that is in force says it already.

    `versions` are all of that content. A withdrawal stays until another document approves the content, or it is about
    another medium.
    """
    held = standing(versions)
    if any(version.content == said for version in held):
        return None
    new = Version(max((version.number for version in versions), default=0) + 1, said, None, at, by)
    withdrawn_on = [
        version.withdrawn_on
        for version in held
        if version.content.approval == said.approval and same_medium(version.as_evidence, new.as_evidence)
    ]
    return replace(new, withdrawn_on=min((day for day in withdrawn_on if day is not None), default=None))


def withdrawn(versions: Sequence[Version], on: date, at: datetime, by: str, number: int | None = None) -> list[Version]:
    """New versions by which the approvals of one content end: of all that are in force, or the one of this number.

    `versions` are all of that content. What ends earlier already, or has no approval, stays as it is.
    """
    chosen = [one for one in standing(versions) if number in (None, one.number) and _holds_on(one, on)]
    newest = max((version.number for version in versions), default=0)
    return [
        replace(one, number=newest + more, withdrawn_on=on, recorded_at=at, recorded_by=by)
        for more, one in enumerate(chosen, 1)
    ]


def standing(versions: Iterable[Version]) -> list[Version]:
    """Those of one content that are in force, by number."""
    known = {version.number: version for version in versions}
    return [known[number] for number in sorted(one.version for one in in_force(v.as_evidence for v in known.values()))]


def in_force(versions: Iterable[ContentVersion]) -> list[ContentVersion]:
    """Those that no later version of the same content took the place of. All versions of each content must be given."""
    by_code: dict[str, list[ContentVersion]] = defaultdict(list)
    for version in versions:
        by_code[version.code].append(version)
    return [
        one
        for those in by_code.values()
        for one in those
        if not any(other.version > one.version and same_medium(one, other) for other in those)
    ]


def same_medium(one: ContentVersion, other: ContentVersion) -> bool:
    """Whether two versions of a content are about the same bytes, or, where those are not known, the same name."""
    if one.sha256 is not None and other.sha256 is not None:
        return one.sha256 == other.sha256
    return not one.refs.isdisjoint(other.refs)


def _holds_on(version: Version, on: date) -> bool:
    ends_on = version.as_evidence.ends_on
    return version.content.approval is not None and (ends_on is None or ends_on > on)
