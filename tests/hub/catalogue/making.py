"""Files of catalogue and plan as tests write them down."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from hub.catalogue import contents, groups, plan_items
from hub.catalogue.contents import Content
from hub.compliance.verdict import Approval
from hub.registry.columns import Column

A, B = "a" * 64, "b" * 64
AT: Final = datetime(2026, 9, 21, 14, 30, tzinfo=UTC)
NUMBER: Final = Approval("12/QĐ-SVHTTDL", "Sở VHTTDL Lạng Sơn", date(2025, 1, 5))
APPROVED: Final = {"approval_no": NUMBER.number, "approval_body": NUMBER.body, "approval_date": "05/01/2025"}
DRAFT: Final = dict.fromkeys(APPROVED, "")
_CONTENT: Final = {
    "code": "ND-1",
    "title_vi": "Chào mừng quý khách",
    "language": "vi",
    "topic": "quan_ly_ttdn",
    "kind": "video",
    **APPROVED,
    "valid_from": "2025-01-01",
    "refs": "chao-mung.mp4",
}
_ITEM: Final = {
    "code": "KH-1",
    "target_kind": "site",
    "target": "BG-20-CMA",
    "contents": "ND-1",
    "first_day": "2025-06-01",
    "last_day": "2025-06-30",
    "unit": "plays_per_hour",
    "least": "4",
}


def table(columns: Sequence[Column], *rows: Mapping[str, str]) -> bytes:
    """A CSV file."""
    text = io.StringIO()
    names = [column.name for column in columns]
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def contents_file(*rows: Mapping[str, str]) -> bytes:
    """Each row with what a content needs at least, and an approval."""
    return table(contents.FORM.columns, *({**_CONTENT, **row} for row in rows))


def plan_file(*rows: Mapping[str, str]) -> bytes:
    """Each row with what a line of the plan needs at least."""
    return table(plan_items.FORM.columns, *({**_ITEM, **row} for row in rows))


def groups_file(*rows: Mapping[str, str]) -> bytes:
    return table(groups.FORM.columns, *rows)


def content(**values: Any) -> Content:
    """As `contents_file` says it."""
    said: dict[str, Any] = {
        "code": "ND-1",
        "title_vi": "Chào mừng quý khách",
        "title_foreign": None,
        "title_language": None,
        "language": "vi",
        "topic": "quan_ly_ttdn",
        "kind": "video",
        "priority": "thong_thuong",
        "approval": NUMBER,
        "valid_from": date(2025, 1, 1),
        "valid_until": None,
        "refs": frozenset({"chao-mung.mp4"}),
        "source": None,
        "media_sha256": None,
        "frame_hash": None,
    }
    return Content(**said | values)
