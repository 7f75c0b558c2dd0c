"""Activities of an organisation: training classes and the like, with how many people came. No names of anybody."""

from __future__ import annotations

from typing import Final

from hub.registry.cells import CODE_VI, DAY_VI, code, needed_day, whole_number
from hub.registry.columns import Choice, Column
from hub.registry.entries import Activity
from hub.registry.known import Known
from hub.registry.organisations import organisation_of
from hub.registry.rows import Row, one_of, required
from hub.strings import ACTIVITIES

KIND_CHOICES: Final = tuple(Choice(*one) for one in ACTIVITIES.items())
MOST_PEOPLE: Final = 1_000_000
COLUMNS: Final = (
    Column("code", "Mã hoạt động", CODE_VI, "TH-2025-01", needed=True),
    Column("kind", "Loại hoạt động", "một loại trong danh sách", "tap_huan", needed=True, choices=KIND_CHOICES),
    Column("name_vi", "Tên hoạt động", "tên đầy đủ, có dấu", "Tập huấn vận hành tủ tra cứu", needed=True),
    Column("place", "Địa điểm", "nơi tổ chức", "Thành phố Lạng Sơn", needed=True),
    Column("held_on", "Ngày tổ chức", f"{DAY_VI}; nhiều ngày: ngày đầu", "20/10/2025", needed=True, holds="date"),
    Column("people", "Số người tham dự", f"số nguyên từ 0 đến {MOST_PEOPLE}", "45", needed=True, holds="number"),
    Column("organisation", "Mã định danh đơn vị tổ chức", "đã có trong danh mục cơ quan", "H37.16", needed=True),
)


def read(row: Row, known: Known) -> Activity:
    """An activity of a file. BadCell."""
    return Activity(
        code=code(row),
        kind=one_of(row, "kind", KIND_CHOICES),
        name_vi=required(row, "name_vi"),
        place=required(row, "place"),
        held_on=needed_day(row, "held_on"),
        people=whole_number(row, "people", MOST_PEOPLE),
        organisation=organisation_of(row, known) or required(row, "organisation"),
    )


def before(entry: Activity, known: Known) -> Activity | None:
    """The same as it is known."""
    return known.activities.get(entry.code)


def touched(entry: Activity, known: Known) -> set[str | None]:
    """Provinces of the organisations."""
    former = before(entry, known)
    organisations = [entry.organisation] + ([former.organisation] if former is not None else [])
    return {known.province_of_organisation(one) for one in organisations}
