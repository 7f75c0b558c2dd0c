"""The catalogue in the database: files in, all or nothing; each change with what it makes of the past.

A change is one transaction: new versions, the verdicts of every content that they touch, a note of each verdict that is
another one now, and marks on the recorded days that rest on it. A preview is the same transaction, taken back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Final, Literal, NamedTuple

from psycopg.rows import dict_row

from hub.catalogue import frame_hash
from hub.catalogue.contents import Content, differences, read_contents
from hub.catalogue.topics import Topic, read_topics
from hub.catalogue.versions import Version, following, withdrawn
from hub.compliance.verdict import Approval, Verdict
from hub.errors import HubError
from hub.registry.cells import shown
from hub.store.incidents import follow_catalogue
from hub.store.named import named
from hub.store.resolution import (
    NOTHING,
    Connection,
    Reresolved,
    everything_shown,
    hold_catalogue_alone,
    resolve_again,
    touched_by,
)

Deed = Literal["imported", "withdrawn", "deleted", "restored", "resolved"]
_TOLD_CONTENT: Final = ("title_vi", "title_foreign", "title_language", "language", "topic", "kind", "priority")


class CatalogueRefused(HubError):
    """Nothing was changed: the text says why, in Vietnamese, and what to do."""


class Recorded(NamedTuple):
    """A new version of a content; `fields` are what is said otherwise than before, as the file has it: old and new."""

    code: str
    version: int
    fields: dict[str, tuple[str, str]]


class Imported(NamedTuple):
    """What a file did, or would do. Importing it again changes nothing."""

    added: int
    changed: int
    unchanged: int
    resolved: Reresolved = NOTHING
    recorded: tuple[Recorded, ...] = ()
    """Of contents."""


class Seen(NamedTuple):
    """What was seen that rests on a version, from `first_day` to `last_day`."""

    content_ref: str
    content_sha256: str | None
    first_day: date
    last_day: date
    verdict: Verdict
    version: int
    first_seen: datetime


class Hand(NamedTuple):
    """Who changes the catalogue, when and why."""

    who: str
    now: datetime
    reason: str | None = None


def import_topics(connection: Connection, data: bytes, *, preview: bool = False) -> Imported:
    """Add and change subjects as a file says; none is removed. ImportRefused: nothing was taken."""
    with _changing(connection, preview=preview):
        put = [
            connection.execute(named("catalogue")["put_topic"], topic._asdict()).fetchone()
            for topic in read_topics(data)
        ]
    done = [row[0] for row in put if row is not None]
    return Imported(sum(done), len(done) - sum(done), len(put) - len(done))


def import_contents(connection: Connection, data: bytes, hand: Hand, *, preview: bool = False) -> Imported:
    """Record what a file says of contents: what differs is a new version; none is removed. ImportRefused as above."""
    with _changing(connection, preview=preview):
        topics = {row[0] for row in connection.execute(named("catalogue")["topic_codes"])}
        deleted: dict[str, date] = dict(connection.execute(named("catalogue")["deleted"]).fetchall())
        said = read_contents(data, topics, deleted)
        known = versions(connection, [one.code for one in said])
        new = [one for one in (following(known[its.code], its, hand.now, hand.who) for its in said) if one is not None]
        resolved = _record(connection, "imported", new, hand)
    recorded = tuple(_recorded(known[version.content.code], version) for version in new)
    added = sum(one.version == 1 for one in recorded)
    return Imported(added, len(new) - added, len(said) - len(new), resolved, recorded)


def withdraw(connection: Connection, code: str, on: date, hand: Hand, version: int | None = None) -> Reresolved:
    """The approvals of a content end before the day `on`: all that hold then, or that of one version."""
    with _changing(connection):
        _refuse_unknown(connection, code)
        new = withdrawn(versions(connection, [code])[code], on, hand.now, hand.who, version)
        if not new:
            which = "" if version is None else f" (phiên bản {version})"
            raise CatalogueRefused(f"{code}{which}: không có phê duyệt nào còn hiệu lực từ ngày {shown(on)} để rút")
        return _record(connection, "withdrawn", new, hand)


def delete(connection: Connection, code: str, hand: Hand) -> Reresolved:
    """A content was a mistake: for plays it never was. What is recorded by day keeps its name and its approval."""
    with _changing(connection):
        _refuse_unknown(connection, code)
        return _turn(connection, "deleted", code, hand)


def restore(connection: Connection, code: str, hand: Hand) -> Reresolved:
    """A content that was deleted is there again, with all its versions."""
    with _changing(connection):
        row = connection.execute(named("catalogue")["known"], {"code": code}).fetchone()
        if row is None or not row[0]:
            raise CatalogueRefused(f"{code}: không nằm trong nội dung đã xóa; xem: ttdn-hub catalogue list --deleted")
        return _turn(connection, "restored", code, hand)


def resolve_everything(connection: Connection, hand: Hand) -> Reresolved:
    """Look at every content that was ever seen. Finds nothing, unless somebody changed tables by hand."""
    with _changing(connection):
        change = _note(connection, "resolved", [], hand)
        return _resolve(connection, everything_shown(connection), change, hand)


def versions(connection: Connection, codes: Sequence[str] | None = None) -> dict[str, list[Version]]:
    """All versions of contents, by code; an empty list for a code that is not known."""
    found: dict[str, list[Version]] = defaultdict(list)
    for row in _rows(connection, codes):
        found[row["code"]].append(version_of(row))
    return found


def topics(connection: Connection) -> list[Topic]:
    """All subjects of all letters."""
    return [Topic(*row) for row in connection.execute(named("catalogue")["topics"])]


def deleted_codes(connection: Connection) -> dict[str, date]:
    """Codes that were deleted, and on which local day."""
    return dict(connection.execute(named("catalogue")["deleted"]).fetchall())


def seen(connection: Connection, code: str) -> list[Seen]:
    """What was seen that rests on a content's versions, day by day."""
    given = {"code": code, "provinces": None}
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(named("catalogue_reading")["seen"], given).fetchall()
    return [Seen(**row) for row in rows]


def version_of(row: dict[str, Any]) -> Version:
    """From a row of the query `versions`."""
    number = row["approval_no"]
    content = Content(
        code=row["code"],
        **{name: row[name] for name in _TOLD_CONTENT},
        approval=None if number is None else Approval(number, row["approval_body"], row["approval_date"]),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        refs=frozenset(row["refs"]),
        source=row["source"],
        media_sha256=row["media_sha256"],
        frame_hash=None if row["frame_hash"] is None else int(row["frame_hash"], 16),
    )
    return Version(row["version"], content, row["withdrawn_on"], row["recorded_at"], row["recorded_by"])


@contextmanager
def _changing(connection: Connection, *, preview: bool = False) -> Iterator[None]:
    """A change of the catalogue: nobody else is at one. A preview is taken back at its end."""
    with connection.transaction(force_rollback=preview):
        hold_catalogue_alone(connection)
        yield


def _recorded(before: Sequence[Version], version: Version) -> Recorded:
    fields = differences(before[-1].content, version.content) if before else {}
    return Recorded(version.content.code, version.number, fields)


def _record(connection: Connection, deed: Deed, new: Sequence[Version], hand: Hand) -> Reresolved:
    if not new:
        return NOTHING
    for version in new:
        _put(connection, version)
    codes = sorted({version.content.code for version in new})
    change = _note(connection, deed, codes, hand)
    return _resolve(connection, touched_by(connection, codes), change, hand)


def _turn(connection: Connection, deed: Literal["deleted", "restored"], code: str, hand: Hand) -> Reresolved:
    query = {"deleted": "delete", "restored": "restore"}[deed]
    connection.execute(named("catalogue")[query], {"code": code, "at": hand.now, "who": hand.who})
    change = _note(connection, deed, [code], hand)
    return _resolve(connection, touched_by(connection, [code]), change, hand)


def _resolve(connection: Connection, shown_contents: Sequence[int], change: int, hand: Hand) -> Reresolved:
    done = resolve_again(connection, shown_contents, change)
    follow_catalogue(connection, change, hand.now)
    return done


def _note(connection: Connection, deed: Deed, codes: Iterable[str], hand: Hand) -> int:
    given = {"at": hand.now, "who": hand.who, "deed": deed, "contents": list(codes), "reason": hand.reason}
    row = connection.execute(named("catalogue")["change"], given).fetchone()
    if row is None:
        raise AssertionError(deed)
    return int(row[0])


def _refuse_unknown(connection: Connection, code: str) -> None:
    row = connection.execute(named("catalogue")["known"], {"code": code}).fetchone()
    if row is None or row[0]:
        what = "không có trong danh mục" if row is None else "đã bị xóa khỏi danh mục"
        raise CatalogueRefused(f"{code}: {what}; xem: ttdn-hub catalogue list")


def _put(connection: Connection, version: Version) -> None:
    said = version.content
    approval = said.approval
    given: dict[str, Any] = {name: getattr(said, name) for name in _TOLD_CONTENT}
    given |= {"code": said.code, "version": version.number, "source": said.source, "media_sha256": said.media_sha256}
    given |= {"valid_from": said.valid_from, "valid_until": said.valid_until, "withdrawn_on": version.withdrawn_on}
    given |= {"approval_no": approval and approval.number, "approval_body": approval and approval.body}
    given |= {"approval_date": approval and approval.on, "refs": sorted(said.refs)}
    given |= {"frame_hash": None if said.frame_hash is None else frame_hash.to_hex(said.frame_hash)}
    given |= {"recorded_at": version.recorded_at, "recorded_by": version.recorded_by}
    for query in ("put_content", "put_version", "put_refs"):
        connection.execute(named("catalogue")[query], given)


def _rows(connection: Connection, codes: Sequence[str] | None) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(named("catalogue")["versions"], {"codes": codes}).fetchall()
