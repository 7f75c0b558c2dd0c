"""Contents: one row of `contents.csv` each, which says what a content is now.

What it was before stays as an earlier version (`hub.catalogue.versions`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, get_args

from hub.catalogue import cells
from hub.catalogue.cells import LANGUAGE_VI
from hub.catalogue.frame_hash import from_hex, to_hex
from hub.catalogue.refs import BETWEEN, refs
from hub.compliance.verdict import Approval
from hub.registry.cells import CODE_VI, DAY_VI, day, shown
from hub.registry.cells import code as read_code
from hub.registry.columns import Choice, Column
from hub.registry.form import Form
from hub.registry.rows import BadCell, Row, one_of, optional, read_table, required

Kind = Literal["video", "image", "page", "audio", "text"]
Priority = Literal["thong_thuong", "uu_tien", "khan_cap"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)
KIND_CHOICES: Final = (
    Choice("video", "Phim, video"),
    Choice("image", "Hình ảnh"),
    Choice("page", "Trang web"),
    Choice("audio", "Âm thanh"),
    Choice("text", "Bài viết"),
)
PRIORITY_CHOICES: Final = (
    Choice("thong_thuong", "Thông thường"),
    Choice("uu_tien", "Ưu tiên"),
    Choice("khan_cap", "Khẩn cấp"),
)
_COLUMNS: Final = (
    Column("code", "Mã nội dung", CODE_VI, "ND-2026-015", needed=True),
    Column("title_vi", "Tên nội dung", "tên đầy đủ, có dấu", "Lễ hội Lồng Tồng", needed=True),
    Column("title_foreign", "Tên tiếng nước ngoài", "để trống nếu không có", "Long Tong festival"),
    Column("title_language", "Ngôn ngữ của tên đó", LANGUAGE_VI, "en"),
    Column("language", "Ngôn ngữ nội dung", LANGUAGE_VI, "vi", needed=True),
    Column("topic", "Mã chủ đề", "đã có trong danh sách chủ đề", "hinh_anh_van_hoa", needed=True),
    Column("kind", "Loại", "một loại trong danh sách", "video", needed=True, choices=KIND_CHOICES),
    Column("priority", "Mức ưu tiên", "để trống: thông thường", "thong_thuong", choices=PRIORITY_CHOICES),
    Column("approval_no", "Số, ký hiệu văn bản phê duyệt", "để trống: chưa phê duyệt", "12/QĐ-SVHTTDL"),
    Column("approval_body", "Cơ quan phê duyệt", "tên đầy đủ", "Sở VHTTDL Lạng Sơn"),
    Column("approval_date", "Ngày phê duyệt", DAY_VI, "05/01/2026", holds="date"),
    Column("valid_from", "Được phát từ ngày", DAY_VI, "01/02/2026", needed=True, holds="date"),
    Column("valid_until", "Được phát đến hết ngày", f"{DAY_VI}; để trống: chưa có hạn", "31/12/2026", holds="date"),
    Column("refs", "Tên tệp, URL", f"như phần mềm phát gọi, cách nhau bằng {BETWEEN}", "le-hoi-long-tong_vi.mp4"),
    Column("source", "Nguồn", "bài gốc hoặc nơi cung cấp", "https://vietnam.vn/le-hoi-long-tong"),
    Column("media_sha256", "SHA-256 của tệp", "64 chữ số thập lục phân (lệnh sha256sum TỆP)"),
    Column("frame_hash", "Mã khung hình mẫu", "16 chữ số thập lục phân (lệnh ttdn-hub catalogue frame-hash ẢNH.png)"),
)
FORM: Final = Form(name="contents", title_vi="Nội dung", columns=_COLUMNS, key=("code",))
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_APPROVAL: Final = ("approval_no", "approval_body", "approval_date")
_AS_THEY_ARE: Final = (
    "code", "title_vi", "title_foreign", "title_language", "language", "topic", "kind", "priority", "source",
    "media_sha256",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Content:
    """What is said of a content."""

    code: str
    title_vi: str
    title_foreign: str | None
    title_language: str | None
    """BCP 47, of the foreign title."""
    language: str
    """BCP 47, of the content itself."""
    topic: str
    kind: Kind
    priority: Priority
    approval: Approval | None
    valid_from: date
    valid_until: date | None
    refs: frozenset[str]
    source: str | None
    media_sha256: str | None
    """Lower-case hex."""
    frame_hash: int | None
    """64 bits (`hub.catalogue.frame_hash`)."""


def read_contents(data: bytes, topics: Collection[str], deleted: Mapping[str, date]) -> list[Content]:
    """The contents of a file; ImportRefused with every problem. `deleted`: codes that were deleted, and when."""
    return read_table(data, FORM.columns, lambda row: _content(row, topics, deleted), FORM.key)


def cells_of(content: Content) -> dict[str, str]:
    """The row of a file that says this content."""
    approval = content.approval
    cells = {name: str(getattr(content, name) or "") for name in _AS_THEY_ARE}
    cells |= dict(zip(_APPROVAL, (approval.number, approval.body, shown(approval.on)), strict=True)) if approval else {}
    cells |= {name: shown(getattr(content, name)) for name in ("valid_from", "valid_until")}
    cells["refs"] = f" {BETWEEN} ".join(sorted(content.refs))
    cells["frame_hash"] = "" if content.frame_hash is None else to_hex(content.frame_hash)
    return {column.name: cells.get(column.name, "") for column in FORM.columns}


def differences(before: Content, after: Content) -> dict[str, tuple[str, str]]:
    """What is said otherwise than before: old and new, as a file has it."""
    old, new = cells_of(before), cells_of(after)
    return {name: (old[name], new[name]) for name in old if old[name] != new[name]}


def _content(row: Row, topics: Collection[str], deleted: Mapping[str, date]) -> Content:
    first, last = cells.span_of_days(row, "valid_from", "valid_until")
    title_foreign, title_language = _foreign_title(row)
    names, sha256 = refs(optional(row, "refs", cells.LONGEST_LIST), "refs"), _sha256(row)
    if not names and sha256 is None:
        raise BadCell("refs", "để trống, mà media_sha256 cũng trống; cần ít nhất một: tên tệp, URL hoặc SHA-256")
    return Content(
        code=_code(row, deleted),
        title_vi=required(row, "title_vi", 500),
        title_foreign=title_foreign,
        title_language=title_language,
        language=cells.language(required(row, "language"), "language"),
        topic=_topic(row, topics),
        kind=_kind(row),
        priority=_priority(row),
        approval=_approval(row),
        valid_from=first,
        valid_until=last,
        refs=names,
        source=optional(row, "source", 1_000),
        media_sha256=sha256,
        frame_hash=_frame_hash(row),
    )


def _code(row: Row, deleted: Mapping[str, date]) -> str:
    code = read_code(row)
    if code in deleted:
        how = f"bỏ dòng này, dùng mã khác, hoặc khôi phục: ttdn-hub catalogue restore {code}"
        raise BadCell("code", f"{code!r} đã bị xóa khỏi danh mục ngày {shown(deleted[code])}; {how}")
    return code


def _foreign_title(row: Row) -> tuple[str | None, str | None]:
    title, its_language = optional(row, "title_foreign", 500), optional(row, "title_language")
    if (title is None) != (its_language is None):
        column = "title_foreign" if title is None else "title_language"
        told = "để trống; {} và {} cần có cả hai, hoặc trống cả hai"
        raise BadCell(column, told, "title_foreign", "title_language")
    return title, its_language and cells.language(its_language, "title_language")


def _topic(row: Row, topics: Collection[str]) -> str:
    code = cells.topic_code(row, "topic")
    if code not in topics:
        known = (
            f"cần một trong: {', '.join(sorted(topics))}"
            if topics
            else "ttdn-hub catalogue import topics nhập danh sách"
        )
        raise BadCell("topic", f"{code!r} chưa có trong danh sách chủ đề; {known}")
    return code


def _kind(row: Row) -> Kind:
    text = one_of(row, "kind", KIND_CHOICES)
    return next(kind for kind in KINDS if kind == text)


def _priority(row: Row) -> Priority:
    if not row["priority"]:
        return "thong_thuong"
    text = one_of(row, "priority", PRIORITY_CHOICES)
    return next(priority for priority in PRIORITIES if priority == text)


def _approval(row: Row) -> Approval | None:
    """The document, or None where nobody has approved yet."""
    number, body, on = optional(row, _APPROVAL[0]), optional(row, _APPROVAL[1]), day(row, _APPROVAL[2])
    if number and body and on:
        return Approval(number, body, on)
    given = {name: value for name, value in zip(_APPROVAL, (number, body, on), strict=True) if value is not None}
    if given:
        missing = next(name for name in _APPROVAL if name not in given)
        raise BadCell(missing, f"để trống; {', '.join(_APPROVAL)} cần có cả ba, hoặc trống cả ba nếu chưa phê duyệt")
    return None


def _sha256(row: Row) -> str | None:
    text = optional(row, "media_sha256")
    if text is None:
        return None
    if not _SHA256.fullmatch(text.lower()):
        raise BadCell("media_sha256", f"{text[:20]!r}… không hợp lệ; cần 64 chữ số thập lục phân (lệnh sha256sum TỆP)")
    return text.lower()


def _frame_hash(row: Row) -> int | None:
    text = optional(row, "frame_hash")
    if text is None:
        return None
    found = from_hex(text)
    if found is None:
        raise BadCell(
            "frame_hash",
            f"{text[:20]!r} không hợp lệ; cần 16 chữ số thập lục phân (lệnh ttdn-hub catalogue frame-hash ẢNH.png)",
        )
    return found
