"""Border gates and crossings; their type and province hold from a day on."""

from __future__ import annotations

from datetime import date
from typing import Final

from hub.registry.cells import (
    BEGINNING,
    BEGINNING_VI,
    CODE_VI,
    DAY_VI,
    PROVINCE,
    PROVINCE_VI,
    code,
    day,
    matching,
    position,
    shown,
)
from hub.registry.columns import Choice, Column
from hub.registry.entries import Gate
from hub.registry.known import Known
from hub.registry.rows import BadCell, Row, one_of, optional, required
from hub.strings import GATE_TYPES, NEIGHBOURS

NEIGHBOUR_CHOICES: Final = tuple(Choice(*one) for one in NEIGHBOURS.items())
TYPE_CHOICES: Final = tuple(Choice(*one) for one in GATE_TYPES.items())
LAT: Final = Column("lat", "Vĩ độ", "độ thập phân với dấu chấm, từ 8 đến 24", "21.8111", holds="number")
LON: Final = Column("lon", "Kinh độ", "độ thập phân với dấu chấm, từ 102 đến 110", "107.0488", holds="number")
CONFIDENCE: Final = Column("confidence", "Độ tin cậy", "nguồn của loại / của tọa độ, tối đa 16 ký tự", "W/M")
NEIGHBOUR: Final = Column(
    "neighbour", "Nước láng giềng", "một nước trong danh sách", "CN", needed=True, choices=NEIGHBOUR_CHOICES
)
GATE_TYPE: Final = Column("gate_type", "Loại", "một loại trong danh sách", "chinh", needed=True, choices=TYPE_CHOICES)
_SINCE_VI: Final = (
    f"{DAY_VI}: loại và tỉnh của dòng này đúng từ ngày đó; '{BEGINNING_VI}': sửa lại từ đầu; "
    "để trống: cửa khẩu mới thì từ đầu, cửa khẩu đã có thì từ hôm nay"
)
COLUMNS: Final = (
    Column("code", "Mã cửa khẩu", CODE_VI, "BG-20-CMA", needed=True),
    Column("name_vi", "Tên cửa khẩu, lối mở", "tên đầy đủ, có dấu", "Chi Ma", needed=True),
    NEIGHBOUR,
    GATE_TYPE,
    Column("province_code", "Mã tỉnh", f"{PROVINCE_VI}, đã có trong danh mục tỉnh", "20", needed=True),
    Column("since", "Áp dụng từ ngày", _SINCE_VI, "01/07/2025", may_lack=True, holds="date"),
    LAT,
    LON,
    CONFIDENCE,
)


def read(row: Row, known: Known) -> Gate:
    """A gate of a file. BadCell."""
    since = BEGINNING if row["since"].casefold() == BEGINNING_VI else day(row, "since")
    latitude, longitude = position(row)
    return Gate(
        code=code(row),
        name_vi=required(row, "name_vi"),
        neighbour=one_of(row, "neighbour", NEIGHBOUR_CHOICES),
        gate_type=one_of(row, "gate_type", TYPE_CHOICES),
        since=since,
        lat=latitude,
        lon=longitude,
        confidence=optional(row, "confidence", 16) or "",
        province_code=_province(row, since, known),
    )


def before(entry: Gate, known: Known) -> Gate | None:
    """The same as it is known of the day from which the row holds."""
    gate = known.gates.get(entry.code)
    if gate is None:
        return None
    period = gate.at(entry.since or known.today)
    named = (entry.code, gate.name_vi, gate.neighbour, period.gate_type, period.province_code, entry.since)
    return Gate(*named, gate.lat, gate.lon, gate.confidence)


def begins(entry: Gate, known: Known) -> date:
    """From which day on the row holds."""
    if entry.since is not None:
        return entry.since
    return BEGINNING if entry.code not in known.gates else known.today


def touched(entry: Gate, known: Known) -> set[str | None]:
    """Its provinces: as the row says, as it is now, and as it was from that day on."""
    gate = known.gates.get(entry.code)
    if gate is None:
        return {entry.province_code}
    now, then = gate.at(known.today), gate.at(entry.since or known.today)
    return {entry.province_code, now.province_code, then.province_code}


def _province(row: Row, since: date | None, known: Known) -> str:
    province = matching(row, "province_code", PROVINCE, PROVINCE_VI)
    if province not in known.provinces:
        raise BadCell("province_code", f"{province!r} chưa có trong danh mục tỉnh; nhập tệp provinces trước")
    over = [one.valid_until for one in known.provinces[province]]
    if since is not None and since != BEGINNING and all(last is not None and last <= since for last in over):
        raise BadCell("province_code", f"tỉnh {province!r} đã hết hiệu lực trước {shown(since)}; cần mã tỉnh mới")
    return province
