"""Visitors by topic, weekday and hour: what was on screen is what the catalogue says of that day, times are local."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from hub.compliance.local_time import local_date
from hub.store.moment import unix_ms
from tests.hub.report.border import NOW
from tests.hub.report.conftest import Connection, LogIn
from tests.hub.report.test_rows import seen

VIEWS = ("visit", "visit_hour")
SUNDAY_NIGHT = datetime(2026, 5, 3, 16, 59, tzinfo=UTC)
BEFORE_ALL = local_date(unix_ms(NOW)) - timedelta(days=1)
"""A local day before that of any visit, or the same day."""


def resolve(connection: Connection, *stretches: tuple[str | date, str | date, str | None]) -> None:
    """Every content that was seen rests on this content of the catalogue from one local day to another."""
    connection.execute("DELETE FROM resolved")
    for first, last, code in stretches:
        connection.execute(
            "INSERT INTO resolved SELECT id, %s, %s, %s, %s, %s, now() FROM shown_content",
            (first, last, "approved" if code else "unknown", code, 1 if code else None),
        )


@pytest.mark.parametrize("view", VIEWS)
def test_the_topic_is_that_of_the_version_of_the_day(hub: Connection, log_in: LogIn, view: str) -> None:
    reader, topics = log_in("report_20"), f"SELECT DISTINCT topic FROM {view}"
    assert seen(reader, topics) == [(None,)], "nothing of it is in the catalogue"
    resolve(hub, ("0001-01-01", BEFORE_ALL - timedelta(days=1), None), (BEFORE_ALL, "9999-12-31", "c-1"))
    assert seen(reader, topics) == [("kinh_te",)]
    resolve(hub, ("0001-01-01", BEFORE_ALL - timedelta(days=1), "c-1"), (BEFORE_ALL, "9999-12-31", None))
    assert seen(reader, topics) == [(None,)], "what it was before says nothing of that day"


@pytest.mark.parametrize("view", VIEWS)
def test_what_was_on_screen_is_not_always_known(hub: Connection, log_in: LogIn, view: str) -> None:
    resolve(hub, ("0001-01-01", "9999-12-31", "c-1"))
    hub.execute("UPDATE visit SET content = NULL")
    hub.execute("UPDATE visit_hour SET content = 0")
    assert seen(log_in("report_20"), f"SELECT DISTINCT content_ref, topic FROM {view}") == [(None, None)]


def test_weekday_and_hour_are_local(hub: Connection, log_in: LogIn) -> None:
    reader, midnight = log_in("report_20"), SUNDAY_NIGHT + timedelta(minutes=1)
    for at, local in ((SUNDAY_NIGHT, (7, 23)), (midnight, (1, 0)), (midnight + timedelta(hours=9.5), (1, 9))):
        hub.execute("UPDATE visit SET began_at = %s", (at,))
        hub.execute("DELETE FROM visit_hour")
        hub.execute(
            "INSERT INTO visit_hour SELECT date_trunc('hour', %s::timestamptz), id, 'lo', 0, 1, 0, 0, 0, 0"
            " FROM placement",
            (at,),
        )
        for view in VIEWS:
            assert seen(reader, f"SELECT DISTINCT weekday, hour FROM {view}") == [local], (view, at)


@pytest.mark.parametrize("view", VIEWS)
def test_the_catalogue_is_not_asked_for_nothing(hub: Connection, log_in: LogIn, view: str) -> None:
    reader = log_in("report_20")
    (unasked,) = seen(reader, f"EXPLAIN (FORMAT JSON) SELECT content, weekday, hour FROM {view}")
    (asked,) = seen(reader, f"EXPLAIN (FORMAT JSON) SELECT topic FROM {view}")
    assert ("resolved" in str(unasked), "content_version" in str(unasked)) == (False, False)
    assert ("resolved" in str(asked), "content_version" in str(asked)) == (True, True)
