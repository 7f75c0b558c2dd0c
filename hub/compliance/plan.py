"""What must be shown how often, and in which windows of local time. One content on one device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple, get_args

from hub.compliance.intervals import Interval, Intervals
from hub.compliance.local_time import HOUR_MS, day_begin_ms

Unit = Literal["plays_per_hour", "plays_per_day", "seconds_per_day"]
UNITS: Final[tuple[Unit, ...]] = get_args(Unit)

EVERY_DAY: Final = frozenset(range(1, 8))
ALL_DAY: Final = frozenset(range(24))


class LanguageShare(NamedTuple):
    """At least so many percent of what is required in this language: a BCP 47 tag, which covers its subtags."""

    language: str
    percent: int


@dataclass(frozen=True, slots=True)
class PlanItem:
    """How often one content must be shown on one device. ValueError for what nobody could mean."""

    first_day: date
    last_day: date
    unit: Unit
    least: int
    """Plays or seconds in every window."""
    weekdays: frozenset[int] = EVERY_DAY
    """ISO: Monday is 1, Sunday 7."""
    hours: frozenset[int] = ALL_DAY
    """Local hours, 0 to 23: 7 is from 07:00 to 08:00."""
    languages: tuple[LanguageShare, ...] = ()
    shortest_play_ms: int | None = None
    """No play of it is shorter, which bounds what a gap can hold; None: a gap may hold any number of plays."""
    screens: int = 1
    """How many screens of the device can show it at once; their plays and times add up."""

    def __post_init__(self) -> None:
        if problems := list(_problems(self)):
            raise ValueError(f"{'; '.join(problems)}: {self}")

    @property
    def required(self) -> int:
        """What every window needs: plays, or ms."""
        return self.least * 1000 if self.unit == "seconds_per_day" else self.least


class Window(NamedTuple):
    """Where a requirement has to be met: a local day's hours, or one of them."""

    day: date
    hour: int | None
    time: Intervals


def windows(item: PlanItem, first_day: date, last_day: date) -> tuple[Window, ...]:
    """The windows of `item` on local days from `first_day` to `last_day`, both included; rising and disjoint."""
    days = _days(max(first_day, item.first_day), min(last_day, item.last_day))
    wanted = (day for day in days if day.isoweekday() in item.weekdays)
    return tuple(window for day in wanted for window in _windows_of(item, day))


def stayed(item: PlanItem, asked: tuple[Window, ...], stay: Interval) -> tuple[PlanItem, tuple[Window, ...]]:
    """What `item` asks of a device that stood at a place for a part of one day only: the windows within its stay.

    Of a window of the whole day it asks for as much as the stay has of it, rounded up. Hours are whole: so are stays.
    """
    kept = tuple(window._replace(time=window.time.within(*stay)) for window in asked)
    kept = tuple(window for window in kept if window.time)
    if item.unit == "plays_per_hour" or not kept:
        return item, kept
    whole_ms = sum(window.time.length_ms for window in asked)
    here_ms = sum(window.time.length_ms for window in kept)
    return replace(item, least=-(-item.least * here_ms // whole_ms)), kept


def _windows_of(item: PlanItem, day: date) -> list[Window]:
    hours = {hour: _hour(day, hour) for hour in sorted(item.hours)}
    if item.unit == "plays_per_hour":
        return [Window(day, hour, Intervals.of([span])) for hour, span in hours.items()]
    return [Window(day, None, Intervals.of(hours.values()))]


def _hour(day: date, hour: int) -> tuple[int, int]:
    begin_ms = day_begin_ms(day) + hour * HOUR_MS
    return begin_ms, begin_ms + HOUR_MS


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=more) for more in range((last - first).days + 1))


def _problems(item: PlanItem) -> Iterator[str]:
    percents = [share.percent for share in item.languages]
    sound = {
        "least must be at least 1": item.least >= 1,
        "weekdays must be some of 1 to 7": bool(item.weekdays) and item.weekdays <= EVERY_DAY,
        "hours must be some of 0 to 23": bool(item.hours) and item.hours <= ALL_DAY,
        "shares must be above 0 %": all(percent > 0 for percent in percents),
        "shares must be at most 100 % together": sum(percents) <= 100,
        "a language may have one share only": len({share.language for share in item.languages}) == len(percents),
        "shortest_play_ms must be at least 1": item.shortest_play_ms is None or item.shortest_play_ms >= 1,
        "screens must be at least 1": item.screens >= 1,
    }
    return (problem for problem, good in sound.items() if not good)
