"""What each content that was ever seen is by the catalogue, kept for every day; and what a change makes of it.

Two moments make a verdict: a content is seen for the first time (`resolve_new`, on the ingest's way), or the catalogue
changes (`resolve_again`). A lock keeps them apart: whoever changes the catalogue holds it alone, and so sees every
content that anybody has resolved; those who resolve something new, record days or raise incidents by what is resolved
hold it together, and take it before any lock of devices and streams.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

import psycopg

from hub.catalogue.changes import Change, changes
from hub.catalogue.versions import in_force
from hub.compliance.verdict import Approval, ContentVersion, Finding, Stretch, timeline
from hub.store.named import named

PORTION: Final = 2_000
_DAYS: Final = ("content", "first_day", "last_day")
_RESOLVED: Final = (*_DAYS, "verdict", "code", "version")
_CHANGED: Final = (*_DAYS, "old_verdict", "old_code", "old_version", "new_verdict", "new_code", "new_version")
Connection = psycopg.Connection[Any]


class Reresolved(NamedTuple):
    """What a change of the catalogue came to."""

    contents: int
    """Contents as they were seen that have another verdict on some day."""
    days: int
    """Recorded days of a place that are to be recorded again."""


NOTHING: Final = Reresolved(0, 0)


class _Shown(NamedTuple):
    """A content as it was seen."""

    id: int
    ref: str
    sha256: str | None


def hold_catalogue(connection: Connection) -> None:
    """Until the transaction that is open ends, the catalogue does not change."""
    connection.execute(named("resolution")["hold"])


def hold_catalogue_alone(connection: Connection) -> None:
    """Until the transaction that is open ends, nobody else changes the catalogue, or acts by what is resolved."""
    connection.execute(named("resolution")["change"])


def resolve_new(connection: Connection, shown_content: int) -> None:
    """Give a content that is seen for the first time its verdicts, in the transaction that made its row."""
    hold_catalogue(connection)
    for shown in _shown(connection, [shown_content]):
        stretches = _timelines(connection, [shown])[shown.id]
        _put(connection, {shown.id: stretches})


def resolve_again(connection: Connection, shown_contents: Sequence[int], change: int) -> Reresolved:
    """Give contents that were seen before the verdicts that hold by now, and note where they differ.

    In the transaction of a catalogue change, whose number is `change`, under `hold_catalogue_alone`.
    """
    done = NOTHING
    for at in range(0, len(shown_contents), PORTION):
        more = _resolve_portion(connection, shown_contents[at : at + PORTION], change)
        done = Reresolved(*map(sum, zip(done, more, strict=True)))
    return done


def touched_by(connection: Connection, codes: Iterable[str]) -> list[int]:
    """Contents as they were seen in which the versions of these codes, old and new, have a say."""
    return [row[0] for row in connection.execute(named("resolution")["touched"], {"codes": list(codes)})]


def everything_shown(connection: Connection) -> list[int]:
    """All contents that were ever seen."""
    return [row[0] for row in connection.execute(named("resolution")["everything"])]


def _resolve_portion(connection: Connection, ids: Sequence[int], change: int) -> Reresolved:
    before = _resolved(connection, ids)
    after = _timelines(connection, _shown(connection, ids))
    other = {content: stretches for content, stretches in after.items() if before.get(content) != stretches}
    if not other:
        return NOTHING
    connection.execute(named("resolution")["forget"], {"ids": list(other)})
    _put(connection, other)
    found = {content: changes(before.get(content, ()), stretches) for content, stretches in other.items()}
    return Reresolved(len(other), _note(connection, found, change))


def _shown(connection: Connection, ids: Sequence[int]) -> list[_Shown]:
    return [_Shown(*row) for row in connection.execute(named("resolution")["shown"], {"ids": list(ids)})]


def _timelines(connection: Connection, shown: Sequence[_Shown]) -> dict[int, tuple[Stretch, ...]]:
    suspects = _Suspects(_versions(connection, shown))
    return {one.id: timeline(suspects.of(one), one.ref, one.sha256) for one in shown}


class _Suspects:
    """Versions in force by what they touch: a catalogue of thousands is not gone through for each content."""

    def __init__(self, versions: Iterable[ContentVersion]) -> None:
        self._by_ref: dict[str, list[ContentVersion]] = defaultdict(list)
        self._by_sha256: dict[str, list[ContentVersion]] = defaultdict(list)
        for version in in_force(versions):
            for ref in version.refs:
                self._by_ref[ref].append(version)
            if version.sha256 is not None:
                self._by_sha256[version.sha256].append(version)

    def of(self, shown: _Shown) -> list[ContentVersion]:
        by_ref = self._by_ref.get(shown.ref, [])
        by_sha256 = self._by_sha256.get(shown.sha256, []) if shown.sha256 is not None else []
        return [*by_ref, *(version for version in by_sha256 if version not in by_ref)]


def _versions(connection: Connection, shown: Sequence[_Shown]) -> list[ContentVersion]:
    given = {
        "refs": sorted({one.ref for one in shown}),
        "sha256s": sorted({one.sha256 for one in shown if one.sha256 is not None}),
    }
    return [_version(row) for row in connection.execute(named("resolution")["suspects"], given)]


def _version(row: tuple[Any, ...]) -> ContentVersion:
    code, version, refs, sha256, number, body, on, valid_from, valid_until, withdrawn_on = row
    approval = None if number is None else Approval(number, body, on)
    names = frozenset(ref for ref in refs if ref is not None)
    return ContentVersion(code, version, names, sha256, approval, valid_from, valid_until, withdrawn_on)


def _resolved(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[Stretch, ...]]:
    found: dict[int, list[Stretch]] = defaultdict(list)
    for content, first, last, *finding in connection.execute(named("resolution")["resolved"], {"ids": list(ids)}):
        found[content].append(Stretch(first, last, Finding(*finding)))
    return {content: tuple(stretches) for content, stretches in found.items()}


def _put(connection: Connection, timelines: Mapping[int, Sequence[Stretch]]) -> None:
    rows = [(id_, one.first, one.last, *one.finding) for id_, stretches in timelines.items() for one in stretches]
    connection.execute(named("resolution")["put"], _columns(rows, _RESOLVED) | {"at": datetime.now(UTC)})


def _note(connection: Connection, found: Mapping[int, Sequence[Change]], change: int) -> int:
    """Returns how many recorded days are to be recorded again."""
    rows = [(id_, one.first, one.last, *one.before, *one.after) for id_, those in found.items() for one in those]
    if not rows:
        return 0
    given = _columns(rows, _CHANGED)
    connection.execute(named("resolution")["note"], given | {"change": change})
    row = connection.execute(named("resolution")["mark_days"], given).fetchone()
    return 0 if row is None else int(row[0])


def _columns(rows: Sequence[tuple[int | str | date | None, ...]], names: Sequence[str]) -> dict[str, Any]:
    return {name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
