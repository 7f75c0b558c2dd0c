"""Campaigns (đợt tuyên truyền): a stretch of days for a subject."""

from __future__ import annotations

from typing import Final

from hub.registry.cells import CODE_VI, DAY_VI, code, needed_day, shown
from hub.registry.columns import Column
from hub.registry.entries import Campaign
from hub.registry.known import Known
from hub.registry.organisations import organisation_of
from hub.registry.rows import BadCell, Row, optional, required

COLUMNS: Final = (
    Column("code", "Mã đợt", CODE_VI, "DT-2025-01", needed=True),
    Column("name_vi", "Tên đợt tuyên truyền", "tên đầy đủ, có dấu", "Kỷ niệm 80 năm Quốc khánh", needed=True),
    Column("begins_on", "Từ ngày", DAY_VI, "15/08/2025", needed=True, holds="date"),
    Column("ends_on", "Đến hết ngày", f"{DAY_VI}, không trước ngày bắt đầu", "05/09/2025", needed=True, holds="date"),
    Column("organisation", "Mã định danh đơn vị chủ trì", "đã có trong danh mục cơ quan; để trống: chưa rõ", "H37.16"),
    Column("document", "Số, ký hiệu văn bản", "số, ký hiệu và ngày của văn bản", "123/KH-SVHTTDL ngày 01/08/2025"),
)


def read(row: Row, known: Known) -> Campaign:
    """A campaign of a file. BadCell."""
    begins_on, ends_on = needed_day(row, "begins_on"), needed_day(row, "ends_on")
    if ends_on < begins_on:
        told = f"{shown(ends_on)} trước ngày bắt đầu {shown(begins_on)}; cần cùng ngày hoặc sau đó"
        raise BadCell("ends_on", told)
    organisation = organisation_of(row, known)
    return Campaign(
        code(row), required(row, "name_vi"), begins_on, ends_on, organisation, optional(row, "document", 500)
    )


def before(entry: Campaign, known: Known) -> Campaign | None:
    """The same as it is known."""
    return known.campaigns.get(entry.code)


def touched(entry: Campaign, known: Known) -> set[str | None]:
    """Provinces of the organisations; that of nobody is a national one."""
    former = before(entry, known)
    organisations = [entry.organisation] + ([former.organisation] if former is not None else [])
    return {known.province_of_organisation(one) for one in organisations}
