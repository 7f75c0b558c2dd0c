"""Provinces: codes of two digits, names, and how they merge. Their codes and names are data, known here in no rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from hub.registry.cells import DAY_VI, PROVINCE, PROVINCE_VI, matching, span_of_days
from hub.registry.columns import Column
from hub.registry.entries import Province
from hub.registry.known import Known
from hub.registry.rows import BadCell, Row, optional, required

COLUMNS: Final = (
    Column("code", "Mã tỉnh", PROVINCE_VI, "20", needed=True),
    Column("name_vi", "Tên tỉnh", "tên đầy đủ, có dấu", "Lạng Sơn", needed=True),
    Column("valid_from", "Có hiệu lực từ ngày", f"{DAY_VI}; để trống: từ đầu", "01/07/2025", holds="date"),
    Column("valid_until", "Hết hiệu lực từ ngày", f"{DAY_VI}; để trống: còn hiệu lực", "", holds="date"),
    Column("merged_into", "Sáp nhập vào tỉnh", f"mã tỉnh mới, {PROVINCE_VI}; chỉ khi đã hết hiệu lực", ""),
)


def read(row: Row, known: Known) -> Province:
    """A province of a file. BadCell."""
    valid_from, valid_until = span_of_days(row, "valid_from", "valid_until")
    merged_into = optional(row, "merged_into")
    if merged_into is not None:
        if merged_into not in known.provinces and merged_into not in known.also:
            raise BadCell("merged_into", f"{merged_into!r} không có trong danh mục tỉnh và trong tệp; cần mã đã có")
        if valid_until is None:
            raise BadCell("valid_until", "để trống; tỉnh đã sáp nhập cần ngày hết hiệu lực")
    code = matching(row, "code", PROVINCE, PROVINCE_VI)
    return Province(code, valid_from, required(row, "name_vi"), valid_until, merged_into)


def before(entry: Province, known: Known) -> Province | None:
    """The same as it is known."""
    same = (one for one in known.provinces.get(entry.code, ()) if one.valid_from == entry.valid_from)
    return next(same, None)


def touched(_entry: Province, _known: Known) -> set[str | None]:
    """What a province is called concerns everybody."""
    return {None}


def repeated(entries: Sequence[Province], _known: Known) -> Iterator[tuple[int, BadCell]]:
    """Places of rows that speak of the same province and day as a row before, spelt otherwise."""
    seen = set()
    for place, entry in enumerate(entries):
        if (entry.code, entry.valid_from) in seen:
            told = f"{entry.code!r} đã có với cùng ngày hiệu lực; mỗi mã chỉ được ghi một lần cho một ngày"
            yield place, BadCell("valid_from", told)
        seen.add((entry.code, entry.valid_from))
