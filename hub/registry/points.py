"""A gate with its one information point, in one row: the short way, where a gate has no more than one point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from hub.registry import gates
from hub.registry.cells import CODE_VI, PROVINCE, PROVINCE_VI, code, matching, position
from hub.registry.columns import Column
from hub.registry.entries import Gate, Point
from hub.registry.known import Known
from hub.registry.rows import BadCell, Row, one_of, optional, required

COLUMNS: Final = (
    Column("code", "Mã điểm và cửa khẩu", CODE_VI, "BG-20-CMA", needed=True),
    Column("name_vi", "Tên cửa khẩu, lối mở", "tên đầy đủ, có dấu", "Chi Ma", needed=True),
    Column("province_vi", "Tên tỉnh", "như trong danh mục tỉnh; tỉnh chưa có thì được thêm", "Lạng Sơn", needed=True),
    Column("province_code", "Mã tỉnh", PROVINCE_VI, "20", needed=True),
    gates.NEIGHBOUR,
    gates.GATE_TYPE,
    gates.LAT,
    gates.LON,
    gates.CONFIDENCE,
)


def read(row: Row, known: Known) -> Point:
    """A point of a file. BadCell."""
    latitude, longitude = position(row)
    own_code = code(row)
    site = known.sites.get(own_code)
    if site is not None and site.gate != own_code:
        raise BadCell("code", f"điểm {own_code!r} thuộc cửa khẩu {site.gate!r}; sửa bằng tệp gates và tệp sites")
    return Point(
        code=own_code,
        name_vi=required(row, "name_vi"),
        province_code=matching(row, "province_code", PROVINCE, PROVINCE_VI),
        neighbour=one_of(row, "neighbour", gates.NEIGHBOUR_CHOICES),
        gate_type=one_of(row, "gate_type", gates.TYPE_CHOICES),
        lat=latitude,
        lon=longitude,
        confidence=optional(row, "confidence", 16) or "",
        province_vi=_province_name(row, known),
    )


def gate_of(point: Point) -> Gate:
    """The gate that a row speaks of."""
    named = (point.code, point.name_vi, point.neighbour, point.gate_type, point.province_code, None)
    return Gate(*named, point.lat, point.lon, point.confidence)


def before(entry: Point, known: Known) -> Point | None:
    """The same as it is known; None if gate or point are missing."""
    gate, site = gates.before(gate_of(entry), known), known.sites.get(entry.code)
    if gate is None or site is None:
        return None
    province_vi = known.province_name(gate.province_code, known.today) or ""
    name = gate.name_vi if gate.name_vi != entry.name_vi else site.name_vi
    type_and_place = (gate.neighbour, gate.gate_type, gate.lat, gate.lon, gate.confidence)
    return Point(entry.code, name, province_vi, gate.province_code, *type_and_place)


def touched(entry: Point, known: Known) -> set[str | None]:
    """As of the gate; a province that nobody knows yet concerns everybody."""
    return gates.touched(gate_of(entry), known) | (set() if entry.province_code in known.provinces else {None})


def two_names(entries: Sequence[Point], _known: Known) -> Iterator[tuple[int, BadCell]]:
    """Places of rows that call a province otherwise than the first row of it does."""
    names: dict[str, str] = {}
    for place, point in enumerate(entries):
        first = names.setdefault(point.province_code, point.province_vi)
        if first != point.province_vi:
            told = f"{point.province_vi!r} khác một dòng trước: tỉnh {point.province_code} là {first!r}; sửa cho giống"
            yield place, BadCell("province_vi", told)


def _province_name(row: Row, known: Known) -> str:
    name, province = required(row, "province_vi"), row["province_code"]
    named = known.province_name(province, known.today)
    if named not in {None, name}:
        raise BadCell("province_vi", f"{name!r} khác danh mục: tỉnh {province} là {named!r}; sửa tên hoặc mã tỉnh")
    return name
