"""Opening hours of an information point, by weekday, in local time: `07:00-11:30, 13:30-17:00`."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, NamedTuple

DAY_MIN: Final = 24 * 60
CLOSED: Final = "nghỉ"
ALL_DAY: Final = "cả ngày"
_SPAN: Final = re.compile(r"\s*(\d{1,2})[:hg](\d{2})\s*[-–]\s*(\d{1,2})[:hg](\d{2})\s*", re.ASCII)


class Span(NamedTuple):
    """Minutes of a local day: from `opens_min` until `closes_min`."""

    opens_min: int
    closes_min: int


Day = tuple[Span, ...] | None
"""Rising and apart from each other; (): closed; None: nobody has said."""
Week = tuple[Day, Day, Day, Day, Day, Day, Day]
"""From Monday."""
UNKNOWN_WEEK: Final[Week] = (None,) * 7


def read_day(text: str) -> Day:
    """What a cell says of a day. ValueError: what is wrong and what is expected, in Vietnamese."""
    folded = text.strip().casefold()
    if not folded:
        return None
    if folded == CLOSED:
        return ()
    if folded == ALL_DAY:
        return (Span(0, DAY_MIN),)
    spans = tuple(_span(part) for part in re.split(r"[,;]", folded))
    for before, after in pairwise(spans):
        if after.opens_min <= before.closes_min:
            raise ValueError(f"{text!r}: các khoảng giờ trùng nhau hoặc sai thứ tự; cần tăng dần, cách nhau dấu phẩy")
    return spans


def day_text(day: Day) -> str:
    """As `read_day` reads it."""
    if day is None:
        return ""
    if day == (Span(0, DAY_MIN),):
        return ALL_DAY
    return ", ".join(f"{_clock(span.opens_min)}-{_clock(span.closes_min)}" for span in day) or CLOSED


def week_text(week: Week) -> str:
    """In one line, as a preview shows it."""
    told = [f"{_WEEKDAYS[place]} {day_text(day)}" for place, day in enumerate(week) if day is not None]
    return "; ".join(told)


_WEEKDAYS: Final = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is not None:
        opens_hour, opens_min, closes_hour, closes_min = map(int, match.groups())
        span = Span(opens_hour * 60 + opens_min, closes_hour * 60 + closes_min)
        if opens_min < 60 and closes_min < 60 and span.opens_min < span.closes_min <= DAY_MIN:
            return span
    expected = f"07:00-11:30, 13:30-17:00 trong cùng một ngày, hoặc '{CLOSED}', hoặc '{ALL_DAY}'"
    raise ValueError(f"{text.strip()!r} không phải khoảng giờ; cần như {expected}")


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
