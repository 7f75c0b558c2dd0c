"""Information points: one row of `sites.csv` each."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from hub.registry.rows import BadCell, Row, one_of, optional, read_csv, required

COLUMNS: Final = (
    "code", "name_vi", "province_vi", "province_code", "neighbour", "gate_type", "lat", "lon", "confidence",
)  # fmt: skip
NEIGHBOURS: Final = ("CN", "LA", "KH")
GATE_TYPES: Final = ("quoc_te", "chinh", "phu", "loi_mo", "loi_thong_quan", "duong_chuyen_dung")
_CODE: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{0,31}")
_PROVINCE: Final = re.compile(r"[0-9]{2}")
_LATITUDES: Final = (8.0, 24.0)
_LONGITUDES: Final = (102.0, 110.0)


class Site(NamedTuple):
    """An information point. Coordinates are degrees (WGS 84); `confidence` says how far they can be trusted."""

    code: str
    name_vi: str
    province_vi: str
    province_code: str
    neighbour: str
    gate_type: str
    lat: float | None
    lon: float | None
    confidence: str


def read_sites(data: bytes) -> list[Site]:
    """The sites of a file; ImportRefused with every problem."""
    return read_csv(data, COLUMNS, _site, key="code")


def _site(row: Row) -> Site:
    latitude = _degrees(row, "lat", _LATITUDES)
    longitude = _degrees(row, "lon", _LONGITUDES)
    if (latitude is None) != (longitude is None):
        raise BadCell("lat" if latitude is None else "lon", "để trống; lat và lon cần có cả hai, hoặc trống cả hai")
    return Site(
        code=_matching(row, "code", _CODE, "chữ in hoa không dấu, số, dấu gạch ngang, như BG-20-CMA"),
        name_vi=required(row, "name_vi"),
        province_vi=required(row, "province_vi"),
        province_code=_matching(row, "province_code", _PROVINCE, "hai chữ số, như 04 (Excel hay bỏ mất số 0 ở đầu)"),
        neighbour=one_of(row, "neighbour", NEIGHBOURS),
        gate_type=one_of(row, "gate_type", GATE_TYPES),
        lat=latitude,
        lon=longitude,
        confidence=optional(row, "confidence", 16) or "",
    )


def _matching(row: Row, column: str, pattern: re.Pattern[str], expected: str) -> str:
    text = required(row, column)
    if not pattern.fullmatch(text):
        raise BadCell(column, f"{text!r} không hợp lệ; cần {expected}")
    return text


def _degrees(row: Row, column: str, bounds: tuple[float, float]) -> float | None:
    text = optional(row, column)
    if text is None:
        return None
    try:
        degrees = float(text)
    except ValueError:
        raise BadCell(column, f"{text!r} không phải số; cần độ thập phân với dấu chấm, như 21.8111") from None
    if not bounds[0] <= degrees <= bounds[1]:
        expected = f"cần từ {bounds[0]:g} đến {bounds[1]:g} (lat và lon có bị đảo không?)"
        raise BadCell(column, f"{text} ngoài khoảng tọa độ của các cửa khẩu trên đất liền; {expected}")
    return degrees
