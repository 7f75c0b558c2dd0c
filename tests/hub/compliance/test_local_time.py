"""Local days are those of UTC+7."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from contract.limits import MAX_TIME_MS
from hub.compliance.local_time import DAY_MS, HOUR_MS, day_begin_ms, local_date

HO_CHI_MINH = timezone(timedelta(hours=7))


def ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@given(st.integers(0, MAX_TIME_MS))
def test_a_moment_lies_in_its_local_day(time_ms: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    assert local_date(time_ms) == moment.astimezone(HO_CHI_MINH).date()


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_a_day_begins_at_local_midnight(day: date) -> None:
    begin_ms = day_begin_ms(day)
    assert begin_ms == ms(datetime.combine(day, time(), HO_CHI_MINH))
    assert local_date(begin_ms) == local_date(begin_ms + DAY_MS - 1) == day
    assert local_date(begin_ms - 1) == day - timedelta(days=1)


def test_a_local_hour_is_a_utc_hour() -> None:
    assert day_begin_ms(date(2026, 3, 1)) % HOUR_MS == 0
