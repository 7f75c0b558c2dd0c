"""Opening hours of one weekday as people write them, also past midnight: `07:00-11:30, 22:00-06:00`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from contract.config import DAY_MIN, OpenSpan, clock
from hub.fleet.errors import BadSetting
from hub.registry.opening import ALL_DAY, CLOSED, Week

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN: Final = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*", re.ASCII)


def read_day(weekday: int, text: str) -> list[OpenSpan]:
    """What a text says of a weekday (1 is Monday). BadSetting."""
    folded = text.strip().casefold()
    if folded in (CLOSED, "closed"):
        return []
    if folded in (ALL_DAY, "all day"):
        return [OpenSpan(weekday, 0, DAY_MIN)]
    return [_span(weekday, part) for part in folded.split(",")]


def of_week(week: Week) -> list[OpenSpan]:
    """What the registry says of a site. BadSetting where nobody has said anything of it."""
    if all(day is None for day in week):
        raise BadSetting("the registry has no opening hours of this site; import them, or set opening.mon ... here")
    return [
        OpenSpan(weekday, span.opens_min, span.closes_min - span.opens_min)
        for weekday, day in enumerate(week, start=1)
        for span in day or ()
    ]


def week_text(opening: Iterable[OpenSpan]) -> dict[str, str]:
    """By weekday, as `read_day` reads it."""
    days: dict[str, list[str]] = {}
    for span in sorted(opening, key=lambda span: (span.weekday, span.from_min)):
        ends = clock((span.from_min + span.minutes) % DAY_MIN)
        text = ALL_DAY if span.minutes == DAY_MIN and span.from_min == 0 else f"{clock(span.from_min)}-{ends}"
        days.setdefault(WEEKDAYS[span.weekday - 1], []).append(text)
    return {day: ", ".join(spans) for day, spans in days.items()}


def _span(weekday: int, text: str) -> OpenSpan:
    match = _SPAN.fullmatch(text)
    if match is not None:
        opens_hour, opens_min, closes_hour, closes_min = map(int, match.groups())
        opens, closes = opens_hour * 60 + opens_min, closes_hour * 60 + closes_min
        if opens_min < 60 and closes_min < 60 and opens < DAY_MIN and closes <= DAY_MIN and opens != closes:
            return OpenSpan(weekday, opens, (closes - opens) % DAY_MIN or DAY_MIN)
    raise BadSetting(f"{text.strip()!r} is no opening; expected 07:00-11:30, 22:00-06:00 or '{CLOSED}' or '{ALL_DAY}'")
