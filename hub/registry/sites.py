"""Information points: each belongs to a gate, and a gate may have several."""

from __future__ import annotations

from typing import Final

from hub.registry.cells import CODE_VI, DAY_VI, code, day, position
from hub.registry.columns import Choice, Column
from hub.registry.entries import Site
from hub.registry.gates import LAT, LON
from hub.registry.known import Known
from hub.registry.opening import ALL_DAY, CLOSED, Day, Week, read_day
from hub.registry.organisations import organisation_of
from hub.registry.rows import BadCell, Row, one_of, optional, required
from hub.strings import FUNDINGS, SITE_STATUSES

STATUS_CHOICES: Final = tuple(Choice(*one) for one in SITE_STATUSES.items())
FUNDING_CHOICES: Final = tuple(Choice(*one) for one in FUNDINGS.items())
_HOURS_VI: Final = f"07:00-11:30, 13:30-17:00 (giờ Việt Nam); '{CLOSED}'; '{ALL_DAY}'; để trống: chưa rõ"
_WEEKDAYS: Final = (
    ("hours_mon", "Giờ mở cửa thứ hai"),
    ("hours_tue", "Giờ mở cửa thứ ba"),
    ("hours_wed", "Giờ mở cửa thứ tư"),
    ("hours_thu", "Giờ mở cửa thứ năm"),
    ("hours_fri", "Giờ mở cửa thứ sáu"),
    ("hours_sat", "Giờ mở cửa thứ bảy"),
    ("hours_sun", "Giờ mở cửa chủ nhật"),
)
COLUMNS: Final = (
    Column("code", "Mã điểm", CODE_VI, "BG-20-CMA", needed=True),
    Column("gate", "Mã cửa khẩu", f"{CODE_VI}, đã có trong danh mục cửa khẩu", "BG-20-CMA", needed=True),
    Column("name_vi", "Tên điểm", "tên đầy đủ, có dấu", "Điểm TTĐN cửa khẩu Chi Ma", needed=True),
    Column("status", "Tình trạng", "một trong danh sách", "operating", needed=True, choices=STATUS_CHOICES),
    Column("invested_at", "Ngày đầu tư", f"{DAY_VI}; để trống: chưa rõ", "15/03/2023", holds="date"),
    Column("funding", "Nguồn kinh phí", "một trong danh sách; để trống: chưa rõ", "ngan_sach_dia_phuong",
           choices=FUNDING_CHOICES),
    Column("organisation", "Mã định danh đơn vị quản lý", "đã có trong danh mục cơ quan; để trống: chưa rõ", "H37.16"),
    LAT._replace(expected_vi=f"{LAT.expected_vi}; để trống: như cửa khẩu"),
    LON._replace(expected_vi=f"{LON.expected_vi}; để trống: như cửa khẩu"),
    *(Column(name, label, _HOURS_VI, "07:00-11:30, 13:30-17:00") for name, label in _WEEKDAYS),
)  # fmt: skip


def read(row: Row, known: Known) -> Site:
    """A site of a file. BadCell."""
    latitude, longitude = position(row)
    own_code = code(row)
    return Site(
        code=own_code,
        name_vi=required(row, "name_vi"),
        status=one_of(row, "status", STATUS_CHOICES),
        invested_at=day(row, "invested_at"),
        funding=one_of(row, "funding", FUNDING_CHOICES) if row["funding"] else None,
        organisation=organisation_of(row, known),
        lat=latitude,
        lon=longitude,
        hours=_week(row),
        gate=_gate(row, known.sites.get(own_code), known),
    )


def before(entry: Site, known: Known) -> Site | None:
    """The same as it is known."""
    return known.sites.get(entry.code)


def touched(entry: Site, known: Known) -> set[str | None]:
    """The gate's province."""
    return {known.gates[entry.gate].at(known.today).province_code}


def _gate(row: Row, site: Site | None, known: Known) -> str:
    gate = code(row, "gate")
    if gate not in known.gates:
        raise BadCell("gate", f"{gate!r} chưa có trong danh mục cửa khẩu; nhập tệp gates trước, hoặc sửa mã")
    if site is not None and site.gate != gate:
        # Its devices' past would move to the other gate with it.
        raise BadCell("gate", f"điểm này thuộc cửa khẩu {site.gate!r} và không đổi được; cần lập điểm với mã mới")
    return gate


def _week(row: Row) -> Week:
    days = []
    for column, _ in _WEEKDAYS:
        try:
            days.append(read_day(optional(row, column) or ""))
        except ValueError as error:
            raise error if isinstance(error, BadCell) else BadCell(column, str(error)) from None
    return _seven(days)


def _seven(days: list[Day]) -> Week:
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = days
    return monday, tuesday, wednesday, thursday, friday, saturday, sunday
