"""Organisations by their agency codes (mã định danh, Decision 20/2020: `H49.3.12`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from hub.registry.cells import DAY_VI, PROVINCE_VI, matching, span_of_days
from hub.registry.columns import Column
from hub.registry.entries import Organisation
from hub.registry.known import Known
from hub.registry.rows import BadCell, Row, optional, required

_AGENCY_CODE: Final = re.compile(r"(?=.{3,35}\Z)[A-Z][0-9]{2}(?:\.[A-Z0-9]{1,5})*")
_AGENCY_CODE_VI: Final = "mã định danh điện tử, như H49.3 hoặc H49.3.12, tối đa 35 ký tự"
COLUMNS: Final = (
    Column("agency_code", "Mã định danh", _AGENCY_CODE_VI, "H37.16", needed=True),
    Column("name_vi", "Tên cơ quan, đơn vị", "tên đầy đủ, có dấu", "Sở Văn hóa, Thể thao và Du lịch", needed=True),
    Column("province", "Mã tỉnh", f"{PROVINCE_VI}; để trống: cơ quan trung ương", "20"),
    Column("parent", "Mã định danh cấp trên", "mã đã có trong danh mục hoặc trong tệp này; để trống: không có", "H37"),
    Column("valid_from", "Có hiệu lực từ ngày", f"{DAY_VI}; để trống: từ đầu", "01/07/2025", holds="date"),
    Column("valid_until", "Hết hiệu lực từ ngày", f"{DAY_VI}; để trống: còn hiệu lực", "", holds="date"),
)


def read(row: Row, known: Known) -> Organisation:
    """An organisation of a file. BadCell."""
    code = matching(row, "agency_code", _AGENCY_CODE, _AGENCY_CODE_VI)
    parent = optional(row, "parent")
    if parent is not None and parent not in known.organisations and parent not in known.also:
        raise BadCell("parent", f"{parent!r} không có trong danh mục cơ quan và trong tệp; cần mã đã có, hoặc để trống")
    valid_from, valid_until = span_of_days(row, "valid_from", "valid_until")
    province = province_of(row, known)
    return Organisation(code, required(row, "name_vi"), province, parent, valid_from, valid_until)


def before(entry: Organisation, known: Known) -> Organisation | None:
    """The same as it is known."""
    return known.organisations.get(entry.agency_code)


def touched(entry: Organisation, known: Known) -> set[str | None]:
    """Its province, and the one that it had."""
    former = before(entry, known)
    return {entry.province} | ({former.province} if former is not None else set())


def circles(entries: Sequence[Organisation], known: Known) -> Iterator[tuple[int, BadCell]]:
    """Places of rows whose organisations would be above themselves."""
    parents = {one.agency_code: one.parent for one in (*known.organisations.values(), *entries)}
    for place, (code, *_) in enumerate(entries):
        above, seen = parents[code], set[str]()
        while above is not None and above != code and above not in seen:
            seen.add(above)
            above = parents.get(above)
        if above == code:
            yield place, BadCell("parent", f"{code!r} nằm dưới chính nó; cần cấp trên không thuộc đơn vị này")


def province_of(row: Row, known: Known, column: str = "province") -> str | None:
    """A known province's code, or None where the cell is empty. BadCell."""
    code = optional(row, column)
    if code is not None and code not in known.provinces:
        raise BadCell(column, f"{code!r} chưa có trong danh mục tỉnh; cần {PROVINCE_VI}; nhập tệp provinces trước")
    return code


def organisation_of(row: Row, known: Known, column: str = "organisation") -> str | None:
    """A known organisation's agency code, or None where the cell is empty. BadCell."""
    code = optional(row, column)
    if code is not None and code not in known.organisations:
        raise BadCell(column, f"{code!r} chưa có trong danh mục cơ quan; nhập tệp organisations trước, hoặc sửa mã")
    return code
