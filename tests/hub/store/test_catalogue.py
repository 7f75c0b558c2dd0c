"""The catalogue: files in, all or nothing, and what each change makes of what was shown before."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest

from hub.catalogue.topics import shipped
from hub.errors import ImportRefused
from hub.store import catalogue
from hub.store.catalogue import CatalogueRefused, Hand, Imported, Recorded
from hub.store.contents import Contents
from hub.store.resolution import NOTHING
from tests.hub.catalogue.making import AT, DRAFT, A, B, content, contents_file

HAND = Hand("command:an", AT, "văn bản đến muộn")
FOREVER = (date.min, date.max)
BEFORE, FROM = (date.min, date(2024, 12, 31)), (date(2025, 1, 1), date.max)
Findings = list[tuple[Any, ...]]


@pytest.fixture
def connection(connection: psycopg.Connection) -> psycopg.Connection:
    """With subjects."""
    catalogue.import_topics(connection, shipped())
    return connection


def see(connection: psycopg.Connection, ref: str = "chao-mung.mp4", sha256: str | None = A) -> int:
    """As the ingest does."""
    return Contents(connection).id(ref, sha256)


def resolved(connection: psycopg.Connection, shown: int) -> Findings:
    return connection.execute(
        "SELECT first_day, last_day, verdict::text, code, version FROM resolved WHERE content = %s ORDER BY 1", (shown,)
    ).fetchall()


def changes(connection: psycopg.Connection) -> Findings:
    return connection.execute(
        "SELECT c.deed, c.reason, c.who, r.first_day, r.last_day, r.old_verdict::text, r.old_version,"
        " r.new_verdict::text, r.new_version"
        " FROM resolution_change r JOIN catalogue_change c ON c.id = r.change ORDER BY r.id"
    ).fetchall()


def put(connection: psycopg.Connection, *rows: dict[str, str]) -> Imported:
    return catalogue.import_contents(connection, contents_file(*rows), HAND)


def test_importing_again_changes_nothing(connection: psycopg.Connection) -> None:
    assert catalogue.import_topics(connection, shipped()) == Imported(0, 0, 11)
    rows = [{"media_sha256": A, "title_foreign": "Welcome", "title_language": "en"}, {"code": "ND-2", "refs": "x | y"}]
    assert put(connection, *rows)[:3] == (2, 0, 0)
    before = catalogue.versions(connection)
    assert put(connection, *rows) == Imported(0, 0, 2)
    assert catalogue.versions(connection) == before
    done = put(connection, {**rows[0], "valid_until": "31/12/2026", "frame_hash": "ff" * 8}, rows[1])
    fields = {"valid_until": ("", "31/12/2026"), "frame_hash": ("", "ff" * 8)}
    assert done == Imported(0, 1, 1, recorded=(Recorded("ND-1", 2, fields),))
    assert catalogue.versions(connection)["ND-1"][1].content == content(
        media_sha256=A,
        title_foreign="Welcome",
        title_language="en",
        valid_until=date(2026, 12, 31),
        frame_hash=2**64 - 1,
    )
    deeds = connection.execute("SELECT deed, contents FROM catalogue_change ORDER BY id").fetchall()
    assert deeds == [("imported", ["ND-1", "ND-2"]), ("imported", ["ND-1"])]


def test_one_bad_row_and_nothing_is_taken(connection: psycopg.Connection) -> None:
    with pytest.raises(ImportRefused, match="dòng 3, cột kind"):
        put(connection, {}, {"code": "ND-2", "kind": "phim"})
    assert catalogue.versions(connection) == {}


def test_a_preview_tells_and_changes_nothing(connection: psycopg.Connection) -> None:
    shown = see(connection)
    file = contents_file({}, {"code": "ND-2", "refs": "x"})
    told = catalogue.import_contents(connection, file, HAND, preview=True)
    assert told == (2, 0, 0, (1, 0), (("ND-1", 1, {}), ("ND-2", 1, {})))
    assert resolved(connection, shown) == [(*FOREVER, "unknown", None, None)]
    assert (catalogue.versions(connection), changes(connection)) == ({}, [])
    assert catalogue.import_contents(connection, file, HAND) == told


def test_with_an_empty_catalogue_all_is_unknown(connection: psycopg.Connection) -> None:
    assert resolved(connection, see(connection)) == [(*FOREVER, "unknown", None, None)]


def test_what_is_seen_after_it_was_catalogued_is_known_at_once(connection: psycopg.Connection) -> None:
    put(connection, {"media_sha256": A})
    assert resolved(connection, see(connection)) == [
        (*BEFORE, "not_yet_valid", "ND-1", 1),
        (*FROM, "approved", "ND-1", 1),
    ]
    assert changes(connection) == []


def test_a_late_approval_answers_for_the_past_and_is_recorded(connection: psycopg.Connection) -> None:
    shown, other = see(connection), see(connection, "other.mp4", B)
    put(connection, {"media_sha256": A, **DRAFT})
    assert resolved(connection, shown) == [(*FOREVER, "unknown", "ND-1", 1)]
    assert put(connection, {"media_sha256": A})[:4] == (0, 1, 0, (1, 0))
    assert resolved(connection, shown) == [(*BEFORE, "not_yet_valid", "ND-1", 2), (*FROM, "approved", "ND-1", 2)]
    assert resolved(connection, other) == [(*FOREVER, "unknown", None, None)]
    said = ("imported", "văn bản đến muộn", "command:an")
    assert changes(connection) == [
        (*said, *FOREVER, "unknown", None, "unknown", 1),
        (*said, *BEFORE, "unknown", 1, "not_yet_valid", 2),
        (*said, *FROM, "unknown", 1, "approved", 2),
    ]


def test_altered_bytes(connection: psycopg.Connection) -> None:
    right, altered, unread = see(connection), see(connection, sha256=B), see(connection, sha256=None)
    renamed = see(connection, "other.mp4")
    put(connection, {"media_sha256": A})
    for shown in (right, unread, renamed):
        assert resolved(connection, shown)[-1] == (*FROM, "approved", "ND-1", 1)
    assert resolved(connection, altered) == [(*FOREVER, "altered", "ND-1", 1)]
    put(connection, {"media_sha256": B})
    assert resolved(connection, altered)[-1] == (*FROM, "approved", "ND-1", 2)
    assert resolved(connection, right)[-1] == (*FROM, "approved", "ND-1", 1), "the former cut is still approved"


def test_a_withdrawal_keeps_its_past(connection: psycopg.Connection) -> None:
    shown = see(connection)
    put(connection, {"media_sha256": A})
    assert catalogue.withdraw(connection, "ND-1", date(2026, 7, 1), HAND) == (1, 0)
    assert resolved(connection, shown) == [
        (*BEFORE, "not_yet_valid", "ND-1", 2),
        (date(2025, 1, 1), date(2026, 6, 30), "approved", "ND-1", 2),
        (date(2026, 7, 1), date.max, "expired", "ND-1", 2),
    ]
    assert put(connection, {"media_sha256": A}) == Imported(0, 0, 1), "the file says nothing new"
    assert resolved(connection, shown)[-1][2] == "expired"
    with pytest.raises(CatalogueRefused, match=r"ND-1: không có phê duyệt nào còn hiệu lực từ ngày 01/08/2026"):
        catalogue.withdraw(connection, "ND-1", date(2026, 8, 1), HAND)
    put(connection, {"media_sha256": A, "approval_no": "99/QĐ"})
    assert resolved(connection, shown)[-1] == (*FROM, "approved", "ND-1", 3)


def test_a_deleted_content_never_was_and_can_be_restored(connection: psycopg.Connection) -> None:
    shown = see(connection)
    put(connection, {"media_sha256": A})
    before = resolved(connection, shown)
    catalogue.delete(connection, "ND-1", HAND)
    assert resolved(connection, shown) == [(*FOREVER, "unknown", None, None)]
    with pytest.raises(ImportRefused, match="'ND-1' đã bị xóa khỏi danh mục ngày 21/09/2026"):
        put(connection, {})
    with pytest.raises(CatalogueRefused, match="ND-1: đã bị xóa"):
        catalogue.delete(connection, "ND-1", HAND)
    with pytest.raises(CatalogueRefused, match="ND-1: đã bị xóa"):
        catalogue.withdraw(connection, "ND-1", date(2026, 1, 1), HAND)
    catalogue.restore(connection, "ND-1", HAND)
    assert resolved(connection, shown) == before
    with pytest.raises(CatalogueRefused, match="ND-1: không nằm trong nội dung đã xóa"):
        catalogue.restore(connection, "ND-1", HAND)
    with pytest.raises(CatalogueRefused, match="ND-7: không có trong danh mục"):
        catalogue.delete(connection, "ND-7", HAND)
    assert [change[0] for change in changes(connection)] == ["imported"] * 2 + ["deleted"] * 2 + ["restored"] * 2


def test_looking_at_everything_again_finds_nothing(connection: psycopg.Connection) -> None:
    shown = see(connection)
    put(connection, {"media_sha256": A})
    assert catalogue.resolve_everything(connection, HAND) == NOTHING
    connection.execute("UPDATE resolved SET verdict = 'expired' WHERE content = %s", (shown,))
    assert catalogue.resolve_everything(connection, HAND) == (1, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE content_version SET title_vi = 'x'",
        "DELETE FROM content_ref",
        "UPDATE catalogue_change SET who = 'x'",
        "DELETE FROM resolution_change",
    ],
)
def test_history_cannot_be_changed(connection: psycopg.Connection, statement: str) -> None:
    see(connection)
    put(connection, {"media_sha256": A})
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is append-only"):
        connection.execute(statement.encode())
