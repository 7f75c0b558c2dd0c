"""Cells of more than text: codes, days, numbers, coordinates; each says what is expected when it is not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final, TypeVar

from hub.registry.rows import BadCell, Row, optional, required

LOCAL: Final = timezone(timedelta(hours=7))
"""Asia/Ho_Chi_Minh has had no daylight saving since 1945."""
BEGINNING: Final = date.min
"""From the beginning of time, as far as anybody has said."""
BEGINNING_VI: Final = "từ đầu"
CODE: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{0,31}")
CODE_VI: Final = "chữ in hoa không dấu, số, dấu gạch ngang, tối đa 32 ký tự, như BG-20-CMA"
PROVINCE: Final = re.compile(r"[0-9]{2}")
PROVINCE_VI: Final = "hai chữ số, như 04 (Excel hay bỏ mất số 0 ở đầu)"
DAY_VI: Final = "ngày/tháng/năm, như 31/12/2025"
MOMENT_VI: Final = "ngày/tháng/năm, thêm giờ nếu cần, như 31/12/2025 08:00"
_T = TypeVar("_T")
_DAY: Final = re.compile(r"(?:(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})|(\d{4})-(\d{2})-(\d{2}))", re.ASCII)
_MOMENT: Final = re.compile(rf"({_DAY.pattern})(?:[ T]+(\d{{1,2}})[:hg](\d{{2}})(?::\d\d)?)?", re.ASCII)
_YEARS: Final = (1900, 2200)
_DEGREES: Final = re.compile(r"\d{1,3}(?:\.\d{1,20})?", re.ASCII)
_LATITUDES: Final = (8.0, 24.0)
_LONGITUDES: Final = (102.0, 110.0)


def matching(row: Row, column: str, pattern: re.Pattern[str], expected: str) -> str:
    """A text of a certain form."""
    text = required(row, column)
    if not pattern.fullmatch(text):
        raise BadCell(column, f"{text!r} không hợp lệ; cần {expected}")
    return text


def code(row: Row, column: str = "code") -> str:
    """A code that people gave."""
    return matching(row, column, CODE, CODE_VI)


def day(row: Row, column: str) -> date | None:
    """A day, or None where the cell is empty."""
    return _read_as(row, column, read_day, f"không phải ngày; cần {DAY_VI}")


def needed_day(row: Row, column: str) -> date:
    """A day that must be there."""
    required(row, column)
    found = day(row, column)
    if found is None:
        raise BadCell(column, f"để trống; cần {DAY_VI}")
    return found


def span_of_days(row: Row, first: str, until: str) -> tuple[date | None, date | None]:
    """A beginning and the day on which it is over; each may be empty."""
    begin, end = day(row, first), day(row, until)
    if begin is not None and end is not None and end <= begin:
        raise BadCell(until, f"{shown(end)} không sau {shown(begin)}; cần một ngày sau đó, hoặc để trống")
    return begin, end


def read_day(text: str) -> date | None:
    """31/12/2025 or 2025-12-31; None if it is no day."""
    match = _DAY.fullmatch(text.strip())
    if match is None:
        return None
    day_, month, year, year_, month_, day__ = match.groups()
    numbers = (int(year or year_), int(month or month_), int(day_ or day__))
    if not _YEARS[0] <= numbers[0] < _YEARS[1]:
        return None
    try:
        return date(*numbers)
    except ValueError:
        return None


def moment(row: Row, column: str) -> datetime | None:
    """A moment in local time, or None where the cell is empty; a day alone is its beginning."""
    return _read_as(row, column, read_moment, f"không phải ngày giờ; cần {MOMENT_VI}")


def read_moment(text: str) -> datetime | None:
    """31/12/2025 or 31/12/2025 08:00, local time, as a moment in UTC; None if it is none."""
    match = _MOMENT.fullmatch(text.strip())
    found = read_day(match.group(1)) if match is not None else None
    if match is None or found is None:
        return None
    hour, minute = int(match.groups()[-2] or 0), int(match.groups()[-1] or 0)
    if hour > 23 or minute > 59:
        return None
    return datetime.combine(found, time(hour, minute), LOCAL).astimezone(UTC)


def whole_number(row: Row, column: str, most: int) -> int:
    """A number of things, from 0 on."""
    text = required(row, column)
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) > most:
        raise BadCell(column, f"{text!r} không hợp lệ; cần số nguyên từ 0 đến {most}, không có dấu chấm hay chữ")
    return int(text)


def position(row: Row) -> tuple[float | None, float | None]:
    """Latitude and longitude, or neither."""
    latitude, longitude = _degrees(row, "lat", _LATITUDES), _degrees(row, "lon", _LONGITUDES)
    if (latitude is None) != (longitude is None):
        column = "lat" if latitude is None else "lon"
        raise BadCell(column, "để trống; {} và {} cần có cả hai, hoặc trống cả hai", "lat", "lon")
    return latitude, longitude


def shown(moment: date | datetime | None) -> str:
    """As people write it here."""
    if isinstance(moment, datetime):
        return f"{moment.astimezone(LOCAL):%d/%m/%Y %H:%M}"
    if moment == BEGINNING:
        return BEGINNING_VI
    return "" if moment is None else f"{moment:%d/%m/%Y}"


def _degrees(row: Row, column: str, bounds: tuple[float, float]) -> float | None:
    text = optional(row, column)
    if text is None:
        return None
    if not _DEGREES.fullmatch(text):
        raise BadCell(column, f"{text!r} không phải số; cần độ thập phân với dấu chấm, như 21.8111")
    degrees = float(text)
    if not bounds[0] <= degrees <= bounds[1]:
        expected = f"cần từ {bounds[0]:g} đến {bounds[1]:g} ({{}} và {{}} có bị đảo không?)"
        told = f"{text} ngoài khoảng tọa độ của các cửa khẩu trên đất liền; {expected}"
        raise BadCell(column, told, "lat", "lon")
    return degrees


def _read_as(row: Row, column: str, read: Callable[[str], _T | None], wrong: str) -> _T | None:
    text = optional(row, column)
    found = None if text is None else read(text)
    if text is not None and found is None:
        raise BadCell(column, f"{text!r} {wrong}")
    return found
