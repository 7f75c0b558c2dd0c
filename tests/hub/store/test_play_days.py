"""The daily record: what the hours say, with names that outlive the catalogue, restated when either changes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from contract.events import AnyEvent, Facts
from hub.catalogue.topics import shipped
from hub.compliance.local_time import DAY_MS, HOUR_MS, day_begin_ms, local_date
from hub.ingest.committer import commit
from hub.store import catalogue, recount
from hub.store import migrate as migrate_module
from hub.store.catalogue import CatalogueRefused, Hand
from hub.store.connection import connect
from hub.store.ledger_store import LedgerStore
from hub.store.migrate import migrate, migrations
from hub.store.placements import place
from hub.store.play_days import DaysRecorded, record_days
from tests.hub.catalogue.making import AT, DRAFT, A, B, contents_file
from tests.hub.making import delivery, play
from tests.hub.registry.making import put_site
from tests.hub.store.test_migrate import OLD

HAND: Final = Hand("command:an", AT)
FIRST: Final = date(2025, 6, 10)
"""Days well in the past of the database's own clock: whatever comes for them is late."""
SITES: Final = ("S-1", "S-2")
ROW: Final = "SELECT verdict::text, code, version, title_vi, approval_no, plays, shown_ms, restated FROM play_day"


def at(day: int, hour: float = 12) -> int:
    """Unix ms of a local hour, days after FIRST."""
    return day_begin_ms(FIRST) + day * DAY_MS + round(hour * HOUR_MS)


def night(day: int, hour: float = 2) -> datetime:
    """A moment when `day` days after FIRST are over."""
    return datetime.fromtimestamp(at(day, hour) / 1000, UTC)


@pytest.fixture
def connection(connection: psycopg.Connection) -> psycopg.Connection:
    """With subjects and sites."""
    catalogue.import_topics(connection, shipped())
    for site in SITES:
        put_site(connection, site)
    return connection


def show(connection: psycopg.Connection, *plays: AnyEvent, device: str = "k1") -> None:
    LedgerStore(connection).commit([delivery(plays, device=device)], [], at(60))


def slices(seq: int, time: int, sha256: str | None = A, **values: Any) -> list[AnyEvent]:
    """A play of half a minute: numbers `seq` and the one after it."""
    common: dict[str, Any] = {"play_id": seq, "content_sha256": sha256, **values}
    end = play(seq + 1, time=time + 30_000, slice=1, duration_ms=30_000, status="success", **common)
    return [play(seq, time=time, **common), end]


def put(connection: psycopg.Connection, **cells: str) -> None:
    catalogue.import_contents(connection, contents_file({"media_sha256": A, **cells}), HAND)


def rows(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    return connection.execute(f"{ROW} ORDER BY day, placement, content, grade".encode()).fetchall()


def differences(connection: psycopg.Connection, through: date) -> list[tuple[Any, ...]]:
    """Between the record and the hours, up to a day."""
    hours = (
        "SELECT placement, local_day(bucket) AS day, content, grade, sum(plays)::bigint AS plays,"
        " sum(shown_ms)::bigint AS shown_ms, sum(failed)::bigint AS failed FROM play_hour GROUP BY 1, 2, 3, 4"
    )
    days = "SELECT placement, day, content, grade, plays, shown_ms, failed FROM play_day"
    query = (
        f"(SELECT 'hours', * FROM ({hours}) h WHERE day <= %(through)s EXCEPT ALL SELECT 'hours', * FROM ({days}) d)"
        f" UNION ALL (SELECT 'days', * FROM ({days}) d EXCEPT ALL SELECT 'days', * FROM ({hours}) h)"
    )
    return connection.execute(query.encode(), {"through": through}).fetchall()


# -- one after another ------------------------------------------------------------------------------------------------


def test_a_day_is_recorded_once_it_is_over(connection: psycopg.Connection) -> None:
    put(connection)
    show(connection, *slices(1, at(0, 0)), *slices(3, at(0, 23.9)), *slices(5, at(1, 0)), *slices(7, at(1, 0.5), B))
    connection.execute("TRUNCATE day_dirty")  # as the ingest leaves it on that day itself
    assert record_days(connection, night(1, 0.99)) == DaysRecorded(FIRST - timedelta(days=1))
    assert rows(connection) == []
    assert record_days(connection, night(1, 1)) == DaysRecorded(FIRST, recorded=1)
    assert rows(connection) == [("approved", "ND-1", 1, "Chào mừng quý khách", "12/QĐ-SVHTTDL", 2, 60_000, 0)]
    assert record_days(connection, night(1, 3)) == DaysRecorded(FIRST)
    assert record_days(connection, night(2)) == DaysRecorded(FIRST + timedelta(days=1), recorded=1)
    assert [row[0] for row in rows(connection)] == ["approved", "approved", "altered"]
    assert record_days(connection, night(9)).through == FIRST + timedelta(days=8)
    assert differences(connection, FIRST + timedelta(days=8)) == []


def test_late_plays_restate_their_day(connection: psycopg.Connection) -> None:
    show(connection, *slices(1, at(0)), *slices(3, at(1)))
    record_days(connection, night(5))
    show(connection, *slices(5, at(0, 13)), *slices(7, at(3)))
    assert record_days(connection, night(5)) == DaysRecorded(FIRST + timedelta(days=4), recorded=1, restated=1)
    assert [row[5:] for row in rows(connection)] == [(2, 60_000, 1), (1, 30_000, 0), (1, 30_000, 0)]
    days = connection.execute("SELECT restated, restated_at FROM day_recorded ORDER BY day").fetchall()
    assert days == [(1, night(5)), (0, None), (0, None)]


def test_readers_also_see_days_that_are_not_on_record_as_counted(connection: psycopg.Connection) -> None:
    connection.execute("INSERT INTO reader VALUES (session_user, NULL, true)")
    put(connection)
    show(connection, *slices(1, at(0)), *slices(3, at(1)))
    connection.execute("TRUNCATE day_dirty")  # as the ingest leaves it on that day itself
    seen = "SELECT day - %s, recorded, plays, verdict, title_vi FROM report.play_day ORDER BY day"
    title = "Chào mừng quý khách"
    open_ = [(0, False, 1, "approved", title), (1, False, 1, "approved", title)]
    assert connection.execute(seen, (FIRST,)).fetchall() == open_
    record_days(connection, night(1))
    assert connection.execute(seen, (FIRST,)).fetchall() == [(0, True, 1, "approved", title), open_[1]]
    show(connection, *slices(5, at(-3), B))  # late, for a day of which nothing was known
    assert connection.execute(seen, (FIRST,)).fetchall()[0] == (-3, False, 1, "altered", title)
    record_days(connection, night(2))
    assert [row[1] for row in connection.execute(seen, (FIRST,))] == [True, True, True]


def test_marks_of_a_day_that_is_not_closed_wait(connection: psycopg.Connection) -> None:
    show(connection, *slices(1, at(1, 0)))
    assert record_days(connection, night(1)) == DaysRecorded(FIRST)
    show(connection, *slices(3, at(0)))
    assert record_days(connection, night(1)) == DaysRecorded(FIRST, recorded=1)
    assert record_days(connection, night(2)).recorded == 1


def test_counts_of_today_mark_nothing(connection: psycopg.Connection) -> None:
    row = connection.execute("SELECT extract(epoch FROM now())::bigint * 1000").fetchone()
    assert row is not None
    today = day_begin_ms(local_date(row[0]))
    show(connection, play(1, time=today), play(2, time=today + 86_399_999), play(3, time=today + 5 * DAY_MS))
    show(connection, play(4, time=today))
    assert connection.execute("SELECT count(*) FROM day_dirty").fetchall() == [(0,)]
    show(connection, play(5, time=today - 1), play(6, time=today - 2), play(7, time=today - DAY_MS - 1))
    marked = connection.execute("SELECT day FROM day_dirty ORDER BY day").fetchall()
    assert marked == [(local_date(today - DAY_MS - 1),), (local_date(today - 1),)]


def test_a_late_approval_restates_the_past(connection: psycopg.Connection) -> None:
    put(connection, **DRAFT)
    show(connection, *slices(1, at(0)), *slices(3, at(1)), *slices(5, at(1), B, content_ref="other.mp4"))
    record_days(connection, night(5))
    assert {row[0] for row in rows(connection)} == {"unknown"}
    done = catalogue.import_contents(connection, contents_file({"media_sha256": A}), HAND)
    assert done.resolved == (1, 2)
    assert record_days(connection, night(5)) == DaysRecorded(FIRST + timedelta(days=4), restated=2)
    approved = ("approved", "ND-1", 2, "Chào mừng quý khách", "12/QĐ-SVHTTDL", 1, 30_000, 1)
    assert rows(connection) == [approved, approved, ("unknown", None, None, None, None, 1, 30_000, 0)]


def test_history_survives_a_deleted_content(connection: psycopg.Connection) -> None:
    put(connection)
    show(connection, *slices(1, at(0)))
    record_days(connection, night(5))
    before = rows(connection)
    catalogue.delete(connection, "ND-1", HAND)
    assert record_days(connection, night(5)) == DaysRecorded(FIRST + timedelta(days=4))
    assert rows(connection) == before
    # What comes in late for a recorded day is told as that day was, at another place too; another day never knew it.
    show(connection, *slices(3, at(0)), *slices(5, at(2)))
    show(connection, *slices(1, at(0)), device="k2")
    record_days(connection, night(5))
    name = ("approved", "ND-1", 1, "Chào mừng quý khách", "12/QĐ-SVHTTDL")
    assert rows(connection) == [
        (*name, 2, 60_000, 1),
        (*name, 1, 30_000, 0),
        ("unknown", None, None, None, None, 1, 30_000, 0),
    ]
    catalogue.restore(connection, "ND-1", HAND)
    record_days(connection, night(5))
    assert rows(connection) == [(*name, 2, 60_000, 1), (*name, 1, 30_000, 0), (*name, 1, 30_000, 1)]


def test_another_content_takes_over_from_a_deleted_one(connection: psycopg.Connection) -> None:
    put(connection)
    show(connection, *slices(1, at(0)))
    record_days(connection, night(5))
    catalogue.delete(connection, "ND-1", HAND)
    put(connection, code="ND-2", title_vi="Đúng", approval_no="77", valid_until="2025-01-31")
    record_days(connection, night(5))
    assert [row[:5] for row in rows(connection)] == [("expired", "ND-2", 1, "Đúng", "77")]


@pytest.mark.parametrize(("column", "day"), [("valid_from", 2), ("valid_until", 1)])
def test_a_change_reaches_its_first_and_its_last_day(connection: psycopg.Connection, column: str, day: int) -> None:
    put(connection)
    show(connection, *slices(1, at(1)), *slices(3, at(2)))
    record_days(connection, night(5))
    assert [row[0] for row in rows(connection)] == ["approved", "approved"]
    put(connection, **{column: str(FIRST + timedelta(days=day))})
    assert record_days(connection, night(5)).restated == 2, "both days are of another version"
    assert sorted(row[0] for row in rows(connection)) != ["approved", "approved"]
    put(connection, **{column: str(FIRST + timedelta(days=day)), "title_vi": "khác"})
    put(connection)
    record_days(connection, night(5))
    assert [row[:3] for row in rows(connection)] == [("approved", "ND-1", 4)] * 2


def test_counts_that_were_wrong_are_right_in_the_record_once_they_are_rebuilt(connection: psycopg.Connection) -> None:
    show(connection, *slices(1, at(0)))
    connection.execute(
        "INSERT INTO play_hour SELECT bucket, placement, content, 'unknown', 9, 9, 9, 9, 9 FROM play_hour"
    )
    connection.execute("UPDATE play_hour SET bucket = bucket - interval '2 days' WHERE grade = 'unknown'")
    record_days(connection, night(5))
    assert len(rows(connection)) == 2
    recount.rebuild(connection, "k1")
    record_days(connection, night(5))
    assert len(rows(connection)) == 1
    assert differences(connection, FIRST) == []


def test_a_moved_device_takes_its_days_along(connection: psycopg.Connection) -> None:
    show(connection, *slices(1, at(0, 8)), *slices(3, at(0, 16)), *slices(5, at(1)))
    with connection.transaction():
        place(connection, "k1", "S-1")
    record_days(connection, night(5))
    with connection.transaction():
        place(connection, "k1", "S-2", datetime.fromtimestamp(at(0, 12) / 1000, UTC))
    for _ in range(2):
        assert differences(connection, FIRST + timedelta(days=4)) == []
        assert connection.execute("SELECT count(*) FROM play_day").fetchall() == [(3,)]
        days = connection.execute("SELECT day - %s, restated FROM day_recorded ORDER BY 1, 2", (FIRST,)).fetchall()
        assert days == [(0, 0), (0, 1), (1, 0), (1, 1)]
        assert record_days(connection, night(5)) == DaysRecorded(FIRST + timedelta(days=4))


@pytest.mark.parametrize(("day", "hour"), [(1, 0), (0, 12), (-3, 5)])
def test_readers_see_every_play_once_whatever_the_record_has_of_a_move(
    connection: psycopg.Connection, day: int, hour: int
) -> None:
    """Day 0 is on record, those after it are not, nor is day -3, of which something came in late."""
    connection.execute("INSERT INTO reader VALUES (session_user, NULL, true)")
    show(
        connection, *slices(1, at(0, 8)), *slices(3, at(0, 16)), *slices(5, at(1)), *slices(7, at(2)), *slices(9, at(3))
    )
    with connection.transaction():
        place(connection, "k1", "S-1")
    record_days(connection, night(1))
    show(connection, *slices(11, at(-3)))

    def told(view: str) -> list[tuple[Any, ...]]:
        query = (
            f"SELECT {'day' if view == 'play_day' else 'local_day'} - %s, site, sum(plays)::int, sum(shown_ms)::int,"
            f" sum(failed)::int FROM report.{view} GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return connection.execute(query.encode(), (FIRST,)).fetchall()

    assert told("play_day") == told("play_hour")
    moment = datetime.fromtimestamp(at(day, hour) / 1000, UTC)
    with connection.transaction():
        place(connection, "k1", "S-2", moment)
    assert {row[1] for row in told("play_hour")} == ({"S-1", "S-2"} if day > -3 else {"S-2"})
    assert told("play_day") == told("play_hour")
    for through in (1, 5):
        record_days(connection, night(through))
        assert told("play_day") == told("play_hour")
    with connection.transaction():
        place(connection, "k1", "S-1", moment)  # it was a mistake
    assert {row[1] for row in told("play_hour")} == {"S-1"}
    assert told("play_day") == told("play_hour")


def test_names_of_a_deleted_content_go_along_with_a_move(connection: psycopg.Connection) -> None:
    put(connection)
    show(connection, *slices(1, at(0)))
    with connection.transaction():
        place(connection, "k1", "S-1")
    record_days(connection, night(5))
    catalogue.delete(connection, "ND-1", HAND)
    with connection.transaction():
        place(connection, "k1", "S-2", datetime.fromtimestamp(at(0, 0) / 1000, UTC))
    assert [row[:4] for row in rows(connection)] == [("approved", "ND-1", 1, "Chào mừng quý khách")]
    record_days(connection, night(5))
    assert [row[:4] for row in rows(connection)] == [("approved", "ND-1", 1, "Chào mừng quý khách")]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_what_is_under_way_while_days_are_recorded_is_recorded_later(
    database: str, connection: psycopg.Connection
) -> None:
    show(connection, *slices(1, at(0)))
    with connect(database, "ingest", autocommit=True) as ingest:
        with ingest.transaction():
            show(ingest, *slices(3, at(0)))
            assert record_days(connection, night(5)).recorded == 1
        assert differences(connection, FIRST) != []
    assert record_days(connection, night(5)).restated == 1
    assert differences(connection, FIRST) == []


def test_what_an_old_hub_stored_is_resolved_and_recorded(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(migrate_module, "migrations", lambda: migrations()[:1])
        migrate(empty_database)
    with connect(empty_database, "test", autocommit=True) as old:
        old.execute((OLD / "0001.sql").read_bytes())
        migrate(empty_database)
        done = record_days(old, datetime.now(UTC))
        assert (done.recorded, done.restated) == (2, 0)
        assert differences(old, done.through) == []
        assert {row[0] for row in rows(old)} == {"unknown"}
        assert old.execute(
            "SELECT count(*) FROM shown_content s LEFT JOIN resolved r ON r.content = s.id WHERE r.content IS NULL"
        ).fetchall() == [(0,)]


# -- whatever happens -------------------------------------------------------------------------------------------------

_FACTS = st.sampled_from((Facts(rendering=True, panel="on"), Facts(listed=True), Facts(panel="off"), Facts()))
_PLAYS = st.builds(
    play,
    st.just(1),
    time=st.builds(at, st.integers(0, 6), st.integers(0, 23)),
    slice=st.integers(0, 1),
    content_ref=st.sampled_from(("chao-mung.mp4", "b.mp4")),
    content_sha256=st.sampled_from((None, A, B)),
    duration_ms=st.integers(0, 300_000),
    status=st.sampled_from(("running", "success", "content_failure")),
    facts=_FACTS,
)
_SAID = st.fixed_dictionaries(
    {
        "code": st.sampled_from(("ND-1", "ND-2")),
        "title_vi": st.sampled_from(("x", "y")),
        "refs": st.sampled_from(("chao-mung.mp4", "b.mp4")),
        "media_sha256": st.sampled_from(("", A, B)),
        "valid_until": st.sampled_from(("", str(FIRST + timedelta(days=3)))),
    }
)


class Life(RuleBasedStateMachine):
    """A hub's nights; `connection` is to a database with subjects and sites."""

    def __init__(self, connection: psycopg.Connection) -> None:
        super().__init__()
        self.connection = connection
        connection.execute(
            "TRUNCATE play, play_hour, event_hour, stream, device, placement, screen_now, device_now, shown_content,"
            " content, catalogue_change, day_dirty, day_closed CASCADE"
        )
        self.store = LedgerStore(connection)
        self.seq = 0
        self.day = 0

    @rule(plays=st.lists(_PLAYS, min_size=1, max_size=6), device=st.sampled_from(("k1", "k2")))
    def deliver(self, plays: Sequence[AnyEvent], device: str) -> None:
        """In time, late, or of a clock that is ahead."""
        batch = [msgspec.structs.replace(one, seq=self.seq + number) for number, one in enumerate(plays, 1)]
        self.seq += len(batch)
        stream = f"{device[-1]}a" * 16
        commit(self.store, [delivery(batch, device=device, stream=stream)], [], at(30))

    @rule(said=_SAID)
    def say(self, said: dict[str, str]) -> None:
        """The catalogue changes."""
        if said["code"] not in catalogue.deleted_codes(self.connection):
            catalogue.import_contents(self.connection, contents_file(said), HAND)

    @rule(code=st.sampled_from(("ND-1", "ND-2")), deed=st.sampled_from((catalogue.delete, catalogue.restore)))
    def turn(self, code: str, deed: Any) -> None:
        """A content is deleted, or restored."""
        with suppress(CatalogueRefused):
            deed(self.connection, code, HAND)

    @rule(device=st.sampled_from(("k1", "k2")), site=st.sampled_from(SITES), day=st.none() | st.integers(0, 6))
    def move(self, device: str, site: str, day: int | None) -> None:
        """A device stands elsewhere, or stood there."""
        since = None if day is None else datetime.fromtimestamp(at(day, 9) / 1000, UTC)
        if device in recount.devices(self.connection):
            with self.connection.transaction():
                place(self.connection, device, site, since)

    @precondition(lambda self: self.seq)
    @rule()
    def rebuild(self) -> None:
        """Counts are made again from the rows."""
        for device in recount.devices(self.connection):
            recount.rebuild(self.connection, device)

    @rule(nights=st.integers(0, 3))
    def record(self, nights: int) -> None:
        """Days go by; the record is what the hours and the catalogue say."""
        self.day = min(self.day + nights, 8)
        before = self._told_before()
        done = record_days(self.connection, night(self.day))
        assert differences(self.connection, done.through) == []
        waiting = self.connection.execute("SELECT count(*) FROM day_dirty WHERE day <= %s", (done.through,)).fetchall()
        assert waiting == [(0,)]
        gone = catalogue.deleted_codes(self.connection)
        for (content, day), told in self._told().items():
            resolved = self._resolved(content, day)
            kept = {one for one in before.get((content, day), ()) if one[1] in gone}
            if resolved[1] is None and kept:
                assert told in kept
            else:
                assert told == resolved

    def teardown(self) -> None:
        self.record(8)
        again = record_days(self.connection, night(self.day))
        assert (again.recorded, again.restated) == (0, 0)

    def _told_before(self) -> dict[tuple[int, date], set[tuple[Any, ...]]]:
        """The same before days are recorded: after a move one place may be ahead of others if the catalogue changed."""
        found: dict[tuple[int, date], set[tuple[Any, ...]]] = {}
        for content, day, *told in self.connection.execute(
            "SELECT content, day, verdict::text, code, version, title_vi FROM play_day"
        ).fetchall():
            found.setdefault((content, day), set()).add(tuple(told))
        return found

    def _told(self) -> dict[tuple[int, date], tuple[Any, ...]]:
        """What a content is recorded as on a day: the same at every place."""
        found: dict[tuple[int, date], tuple[Any, ...]] = {}
        for content, day, *told in self.connection.execute(
            "SELECT content, day, verdict::text, code, version, title_vi FROM play_day"
        ).fetchall():
            assert found.setdefault((content, day), tuple(told)) == tuple(told)
        return found

    def _resolved(self, content: int, day: date) -> tuple[Any, ...]:
        (row,) = self.connection.execute(
            "SELECT verdict::text, r.code, r.version, v.title_vi FROM resolved r"
            " LEFT JOIN content_version v ON v.content = r.code AND v.version = r.version"
            " WHERE r.content = %s AND %s BETWEEN first_day AND last_day",
            (content, day),
        ).fetchall()
        return tuple(row)


def test_the_record_is_what_hours_and_catalogue_say(connection: psycopg.Connection) -> None:
    run: Any = run_state_machine_as_test  # it is declared to take a class only
    run(
        lambda: Life(connection),
        settings=settings(
            max_examples=40, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
