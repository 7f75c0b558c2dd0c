"""Ranges of local days that an endpoint is asked for."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Final, NamedTuple

from fastapi import HTTPException, Query

from hub.compliance.local_time import local_date
from hub.store.moment import unix_ms

MOST_DAYS: Final = 366
_USUAL: Final = timedelta(days=6)
FirstDay = Annotated[date | None, Query(description="First local day (UTC+7). Else: six days before the last.")]
LastDay = Annotated[date | None, Query(description="Last local day, included. Else: yesterday.")]


class Days(NamedTuple):
    """Local days, both included."""

    first: date
    last: date


def days_of(first: date | None, last: date | None, now: datetime) -> Days:
    """The range that was asked for. HTTPException 422 for one that is empty, too long, or at an end of the calendar."""
    try:
        last = last or local_date(unix_ms(now)) - timedelta(days=1)
        found = Days(first or last - _USUAL, last)
    except OverflowError:
        raise HTTPException(422, "there are no such days") from None
    if found.first > found.last:
        raise HTTPException(422, f"first_day {found.first} is after last_day {found.last}")
    if (found.last - found.first).days >= MOST_DAYS:
        raise HTTPException(422, f"at most {MOST_DAYS} days at once, not {found.first} to {found.last}")
    return found
