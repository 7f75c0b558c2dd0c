"""Each login sees its own rows, and zero foreign ones, in every view that there is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from hub.store.presence_store import PresenceStore
from hub.store.roles import Reader, wanted
from tests.hub.report.border import MOVED, MOVED_AT, NOBODY, NOW, PROVINCES
from tests.hub.report.conftest import Connection, LogIn, views
from tests.regenerate import ROOT

EXACT = {"event_hour", "interaction_hour", "stream", "visit", "visit_hour"}
"""Views that are not for the ministry."""
COMMON = {"content", "topic"}
"""Views of what is of no province."""
TIMELESS = {
    *("activity", "campaign", "content", "device", "device_group", "organisation", "plan_item", "province", "site"),
    *("site_hours", "topic"),
}


def texts(connection: Connection, view: str) -> list[str]:
    return [row[0] for row in connection.execute(f"SELECT v::text FROM report.{view} v".encode()).fetchall()]


def seen(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


@pytest.mark.parametrize("province", PROVINCES)
def test_a_province_sees_its_own_rows_in_every_view_and_no_foreign_one(
    hub: Connection, log_in: LogIn, province: str
) -> None:
    reader = log_in(f"report_{province}")
    own, foreign = f"p{province}", {"p20", "p22", NOBODY} - {f"p{province}"}
    for view in views(hub):
        rows = texts(reader, view)
        assert rows, f"{view}: {own} sees nothing; fill it in tests/hub/report/border.py"
        for row in rows:
            assert own in row or view in COMMON, f"{view}: whose is {row}"
            assert not any(other in row for other in foreign), f"{view}: {row}"


def test_the_ministry_sees_all_provinces_but_no_exact_figure(hub: Connection, log_in: LogIn) -> None:
    ministry = log_in("report_all")
    for view in views(hub):
        if view in EXACT:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                texts(ministry, view)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                ministry.execute(f"EXPLAIN SELECT * FROM {view}".encode())
        else:
            rows = texts(ministry, view)
            assert rows, view
            assert view in COMMON or all(any(mark in row for row in rows) for mark in ("p20", "p22")), view
    assert seen(ministry, "SELECT report.my_visitors(), report.is_exact()") == [([], False)]
    assert (NOBODY,) in seen(ministry, "SELECT device FROM device")
    for column, view in (
        ("queue_events", "device"),
        ("bytes_sent", "health"),
        ("bytes_received", "health"),
        ("queue_events", "health"),
        ("queue_sum", "health_hour"),
        ("events", "hole"),
        ("first_number", "hole"),
        ("last_number", "hole"),
        ("acknowledged_by", "incident"),
    ):
        assert seen(ministry, f"SELECT DISTINCT {column} FROM {view}") == [(None,)], column
        assert (None,) not in seen(log_in("report_20"), f"SELECT DISTINCT {column} FROM {view}"), column
    assert seen(ministry, "SELECT DISTINCT kind, events FROM loss") == [("play", 3)]
    hub.execute("UPDATE loss SET lost_kind = NULL WHERE lost_kind = 'play'")
    assert seen(ministry, "SELECT DISTINCT kind, events FROM loss") == [(None, None)]
    assert seen(log_in("report_20"), "SELECT DISTINCT events FROM loss WHERE kind IS NULL") == [(3,)]
    assert seen(ministry, "SELECT site, sessions, flag FROM visitors_published ORDER BY site") == [
        ("S-p20", 35, None),
        ("S-p22", None, "c"),
    ]


def test_what_was_shown_is_judged_by_the_catalogue(hub: Connection, log_in: LogIn) -> None:
    reader = log_in("report_20")
    hub.execute("UPDATE resolved SET verdict = 'approved', code = 'c-1', version = 1")
    for view in ("play", "play_hour", "screen_now"):
        assert seen(reader, f"SELECT DISTINCT verdict, code FROM {view}") == [("approved", "c-1")]
        (plan,) = seen(reader, f"EXPLAIN (FORMAT JSON) SELECT content FROM {view}")
        assert ("SubPlan" in str(plan), "resolved" in str(plan)) == (False, view == "screen_now")  # asked for nothing


def test_no_view_shows_numbers_of_events(hub: Connection) -> None:
    """Missing numbers would count the acts of visitors."""
    rows = seen(
        hub,
        "SELECT c.relname, attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
        " WHERE relnamespace = 'report'::regnamespace AND attname IN ('seq', 'session', 'committed', 'ranges')",
    )
    assert rows == []


def test_every_view_is_a_barrier_and_has_a_plain_time(hub: Connection) -> None:
    for view in views(hub):
        found = hub.execute("SELECT relkind, reloptions FROM pg_class WHERE oid = %s::regclass", (f"report.{view}",))
        assert found.fetchall() == [("v", ["security_barrier=true"])], view
        columns = hub.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass", (f"report.{view}",))
        assert {row[0] for row in columns} & {"time", "bucket"} or view in TIMELESS, view


def test_no_view_shows_a_moment_that_drivers_cannot_read(hub: Connection, log_in: LogIn) -> None:
    """From the beginning, and still: null. psycopg and Grafana know no infinity."""
    moments = seen(
        hub,
        "SELECT c.relname, attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
        " WHERE relnamespace = 'report'::regnamespace AND attnum > 0"
        " AND atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)",
    )
    assert ("placement", "since") in moments
    reader = log_in("report_20")
    for view, column in moments:
        query = f'SELECT count(*) FROM report.{view} WHERE NOT isfinite("{column}")'
        assert seen(reader, query) == [(0,)], f"{view}.{column}"
    assert (None,) in seen(reader, "SELECT since FROM device")
    for view in views(hub):
        reader.execute(f"SELECT * FROM report.{view}".encode()).fetchall()


def test_presence_goes_by_the_settings_of_the_ingest(hub: Connection, log_in: LogIn) -> None:
    hub.execute("UPDATE presence SET seen_at = now() - interval '5 minutes'")
    presence = "SELECT DISTINCT presence FROM device"
    reader = log_in("report_20")
    assert seen(reader, presence) == [("offline",)]
    PresenceStore(hub).set_silence(600, 30)
    assert seen(reader, presence) == [("online",)]
    hub.execute("UPDATE hub_link SET seen_at = now() - interval '1 minute'")
    assert seen(reader, presence) == [("unknown",)]
    PresenceStore(hub).set_silence(600, 90)
    assert seen(reader, presence) == [("online",)]


def test_every_view_is_documented(hub: Connection) -> None:
    text = (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")
    assert [view for view in views(hub) if f"`{view}`" not in text] == []
    exact = next(line for line in text.splitlines() if "only `report_NN`" in line)
    assert {word.strip("`") for word in exact.split("|")[1].split()} == EXACT


def test_a_kiosk_that_moved_leaves_its_past_where_it_was(hub: Connection, log_in: LogIn) -> None:
    before, now = log_in("report_20"), log_in("report_22")
    plays = f"SELECT content_ref, site FROM play WHERE device = '{MOVED}' GROUP BY 1, 2"
    assert seen(before, plays) == [("p20.mp4", "S-p20")]
    assert seen(now, plays) == [("p22.mp4", "S-p22")]
    visits = f"SELECT sum(sessions)::int, min(site) FROM visit_hour WHERE device = '{MOVED}'"
    assert (seen(before, visits), seen(now, visits)) == ([(1, "S-p20")], [(1, "S-p22")])
    holes = f"SELECT site, events FROM hole WHERE device = '{MOVED}'"
    assert (seen(before, holes), seen(now, holes)) == ([("S-p20", 2)], [("S-p22", 2)])
    assert seen(before, f"SELECT 1 FROM device WHERE device = '{MOVED}'") == []
    assert seen(now, f"SELECT site, presence FROM device WHERE device = '{MOVED}'") == [("S-p22", "online")]
    moved_at = MOVED_AT.replace(minute=0, second=0, microsecond=0)
    stays = f"SELECT site, since, until FROM placement WHERE device = '{MOVED}'"
    assert (seen(before, stays), seen(now, stays)) == ([("S-p20", None, moved_at)], [("S-p22", moved_at, None)])
    connected = f"SELECT since, until, ended FROM presence WHERE device = '{MOVED}'"
    assert seen(before, connected) == [(NOW - timedelta(hours=5), moved_at, "moved")]
    assert seen(now, connected) == [(moved_at, None, None)]
    incidents = f"SELECT site FROM incident WHERE device = '{MOVED}'"
    assert (seen(before, incidents), seen(now, incidents)) == ([("S-p20",)], [])


def test_what_a_screen_showed_at_the_place_before_is_not_shown(hub: Connection, log_in: LogIn) -> None:
    hub.execute("UPDATE screen_now SET time = %s", (MOVED_AT - timedelta(hours=1),))
    rows = seen(log_in("report_22"), "SELECT device FROM screen_now")
    assert rows == [("k-p22",)]


def test_what_a_device_told_at_the_place_before_is_not_told(hub: Connection, log_in: LogIn) -> None:
    moved_at = MOVED_AT.replace(minute=0, second=0, microsecond=0)
    told = "event_time, stored_at, queue_events, queue_oldest_s, queue_full, queue_refused, presence_since, seen_at"
    row = f"SELECT {told} FROM device WHERE device = '{MOVED}'"
    hub.execute(
        "UPDATE device_now SET event_time = %(at)s, stored_at = %(at)s, queue_events = 7, queue_oldest_s = 7,"
        " queue_full = true, queue_refused = 7",
        {"at": moved_at},
    )
    hub.execute("UPDATE presence SET since = %(at)s, seen_at = %(at)s", {"at": moved_at})
    reader = log_in("report_22")
    assert seen(reader, row) == [(moved_at, moved_at, 7, 7, True, 7, moved_at, moved_at)]
    before = {"at": moved_at - timedelta(milliseconds=1)}
    hub.execute("UPDATE presence SET since = %(at)s", before)
    assert seen(reader, row) == [(moved_at, moved_at, 7, 7, True, 7, None, moved_at)]
    hub.execute("UPDATE presence SET seen_at = %(at)s", before)
    hub.execute("UPDATE device_now SET event_time = %(at)s", before)
    assert seen(reader, row) == [(None,) * 8]
    assert seen(reader, f"SELECT version FROM device WHERE device = '{MOVED}'") == [("1",)]
    assert seen(reader, "SELECT queue_events FROM device WHERE device = 'k-p22'") == [(7,)]


def test_a_stranger_sees_nothing_even_with_grants(hub: Connection, log_in: LogIn) -> None:
    """Who sees what is said by the table of readers, not by grants."""
    hub.execute("DELETE FROM reader WHERE role = 'report_20'")
    reader = log_in("report_20")
    for view in views(hub):
        assert texts(reader, view) == [], view


def test_a_province_that_went_into_another_is_seen_from_there(hub: Connection) -> None:
    hub.execute("UPDATE province_period SET valid_until = '2026-01-01', merged_into = '20' WHERE code = '22'")
    assert wanted(hub) == [Reader("report_all", None, exact=False), Reader("report_20", ["20", "22"], exact=True)]
    hub.execute("INSERT INTO province_period (code, valid_from, name_vi) VALUES ('22', '2026-02-01', 'another')")
    assert [reader.provinces for reader in wanted(hub)] == [None, ["20"], ["22"]]
