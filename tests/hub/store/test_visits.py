"""Facts of visitors' sessions: those of all acts that are stored, however they came in; counts that stay."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest

from contract.events import KINDS, AnyEvent, Interaction, Kind
from hub.chores.chores import CHORES
from hub.store import maintain as maintain_module
from hub.store import recount
from hub.store.audit import audit
from hub.store.ledger_store import LedgerStore
from hub.store.maintain import maintain
from hub.store.placements import place
from hub.store.visits import settle
from hub.visitors.visit import fold
from tests.hub.making import DEVICE, NOW_MS, STREAM, delivery, play
from tests.hub.store.test_counts import SITES, empty

HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000


def act(seq: int, session: int, at_ms: int, action: Any, **values: Any) -> Interaction:
    return Interaction(seq=seq, time=at_ms, session=session, action=action, **values)


def visitor(first: int, session: int, at_ms: int, language: str, *, rating: int | None = None) -> list[AnyEvent]:
    """Somebody who looks at two pages in one language and leaves."""
    events: list[AnyEvent] = [
        act(first, session, at_ms, "session_start"),
        act(first + 1, session, at_ms + 1_000, "language", language=language),
        act(first + 2, session, at_ms + 9_000, "page_view", target="visa", language=language, duration_ms=8_000),
        act(first + 3, session, at_ms + 19_000, "page_view", target="map", language=language, duration_ms=9_000),
    ]
    if rating is not None:
        events.append(act(first + 4, session, at_ms + 20_000, "feedback", language=language, rating=rating))
    return [*events, act(first + 5, session, at_ms + 50_000, "session_end", language=language, duration_ms=20_000)]


def settle_all(connection: psycopg.Connection) -> None:
    while settle(connection, 3):
        pass


def counted(connection: psycopg.Connection) -> dict[tuple[str, str | None], tuple[int, ...]]:
    rows = connection.execute(
        "SELECT language, content_ref, sum(sessions)::int, sum(page_views)::int, sum(duration_ms)::int,"
        " sum(feedbacks)::int, sum(feedback_sum)::int FROM visit_hour LEFT JOIN shown_content c ON c.id = content"
        " GROUP BY 1, 2 HAVING sum(sessions) <> 0 OR sum(page_views) <> 0"
    ).fetchall()
    return {(row[0], row[1]): tuple(row[2:]) for row in rows}


@pytest.fixture
def store(connection: psycopg.Connection) -> LedgerStore:
    empty(connection)
    connection.execute("TRUNCATE visit, visit_due, visit_hour")
    return LedgerStore(connection)


def test_a_visit_with_what_was_on_screen(store: LedgerStore, connection: psycopg.Connection) -> None:
    shown = play(1, time=NOW_MS - MINUTE_MS, content_ref="trang-chu")
    store.commit([delivery([shown, *visitor(2, 7, NOW_MS, "lo", rating=4)])], [], NOW_MS)
    settle_all(connection)
    row = connection.execute(
        "SELECT session, started, duration_ms, main_language, languages, page_views, pages, rating, content_ref,"
        " (extract(epoch FROM began_at) * 1000)::bigint FROM visit JOIN shown_content c ON c.id = content"
    ).fetchall()
    assert row == [(7, True, 20_000, "lo", ["lo"], 2, ["map", "visa"], 4, "trang-chu", NOW_MS)]
    assert counted(connection) == {("lo", "trang-chu"): (1, 2, 20_000, 1, 4)}
    assert connection.execute("SELECT * FROM visit_due").fetchall() == []


def test_any_order_and_any_grouping_gives_the_same(store: LedgerStore, connection: psycopg.Connection) -> None:
    chance = random.Random(5)
    languages = ("vi", "en", "zh", "lo", "km")
    events: list[AnyEvent] = []
    for session in range(1, 9):
        at_ms = NOW_MS - chance.randrange(5 * HOUR_MS)
        events += visitor(10 * session, session, at_ms, chance.choice(languages), rating=chance.choice((None, 2, 5)))
    chance.shuffle(events)
    while events:
        count = chance.randint(1, 7)
        batch, events = sorted(events[:count], key=lambda event: event.seq), events[count:]
        store.commit([delivery(batch)], [], NOW_MS)
        if chance.random() < 0.5:
            settle(connection, 2)
    settle_all(connection)
    acts = store_acts(connection)
    expected: Counter[tuple[int, str]] = Counter()
    for session, these in acts.items():
        visit = fold(these)
        assert visit is not None
        row = connection.execute(
            "SELECT started, duration_ms, main_language, page_views FROM visit WHERE session = %s", (session,)
        ).fetchone()
        assert row == (visit.started, visit.duration_ms, visit.main_language, visit.page_views)
        expected[visit.began_ms // HOUR_MS, visit.main_language or "und"] += 1
    rows = connection.execute(
        "SELECT (extract(epoch FROM bucket) / 3600)::bigint, language, sum(sessions)::int FROM visit_hour"
        " GROUP BY 1, 2 HAVING sum(sessions) <> 0"
    ).fetchall()
    assert {(hour, language): sessions for hour, language, sessions in rows} == expected


def store_acts(connection: psycopg.Connection) -> dict[int, list[Interaction]]:
    found: dict[int, list[Interaction]] = {}
    for session, seq, ms, action, target, language, duration_ms, rating in connection.execute(
        "SELECT session, seq, (extract(epoch FROM time) * 1000)::bigint, action::text, target, language, duration_ms,"
        " rating FROM interaction"
    ):
        values = {"target": target, "language": language, "duration_ms": duration_ms, "rating": rating}
        found.setdefault(session, []).append(act(seq, session, ms, action, **values))
    return found


def test_what_arrives_again_changes_nothing(store: LedgerStore, connection: psycopg.Connection) -> None:
    batch = delivery(visitor(1, 7, NOW_MS, "vi"))
    for _ in range(3):
        store.commit([batch], [], NOW_MS)
        settle_all(connection)
    assert counted(connection) == {("vi", None): (1, 2, 20_000, 0, 0)}


def test_facts_and_acts_go_after_30_days_and_counts_stay(store: LedgerStore, connection: psycopg.Connection) -> None:
    now = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    kept: dict[Kind, int] = dict.fromkeys(KINDS, 800) | {"interaction": 30}
    long_ago = NOW_MS - 40 * 24 * HOUR_MS
    store.commit([delivery(visitor(1, 7, long_ago, "km"))], [], NOW_MS)  # not even settled
    done = maintain(connection, kept, 60, now, lambda _text: None)
    assert (done.visits_forgotten, done.retired["interaction"]) == (1, 5)
    store.commit([delivery(visitor(11, 8, long_ago + 5 * MINUTE_MS, "km"))], [], NOW_MS)  # arrives later still
    maintain(connection, kept, 60, now + timedelta(hours=1), lambda _text: None)
    assert counted(connection) == {("km", None): (2, 4, 40_000, 0, 0)}
    assert connection.execute("SELECT (SELECT count(*) FROM visit), (SELECT count(*) FROM interaction)").fetchone() == (
        0,
        0,
    )


def visits_every(hours: int, store: LedgerStore, first: datetime, count: int) -> list[datetime]:
    """When they began."""
    began = [first + timedelta(hours=hours * number) for number in range(count)]
    for number, moment in enumerate(began):
        at_ms = round(moment.timestamp() * 1000)
        store.commit([delivery(visitor(10 * number + 1, number + 1, at_ms, "vi"))], [], at_ms)
    return began


def left_of_visits(connection: psycopg.Connection) -> tuple[list[datetime], list[datetime]]:
    """When the acts that begin a visit were done, and when the visits of which there are facts began."""
    acts = connection.execute("SELECT time FROM interaction WHERE action = 'session_start' ORDER BY 1").fetchall()
    facts = connection.execute("SELECT began_at FROM visit ORDER BY 1").fetchall()
    return [row[0] for row in acts], [row[0] for row in facts]


@pytest.mark.parametrize("minute", [0, 17 * 60 + 59, 18 * 60])
def test_visits_are_gone_after_30_days_at_most_and_after_28_at_least(
    store: LedgerStore, connection: psycopg.Connection, minute: int
) -> None:
    """By upkeep that runs when the chore is due, asked every hour; visits begin at midnight or when it is due."""
    (chore,) = (chore for chore in CHORES if chore.name == "maintain")
    kept: dict[Kind, int] = dict.fromkeys(KINDS, 800) | {"interaction": 30}
    first = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=minute)
    began = visits_every(8, store, first, 9)
    done_at = now = first + timedelta(days=26)
    there_after: dict[int, int] = {}
    while now < first + timedelta(days=34):
        now += timedelta(hours=1)
        if chore.is_due(done_at, now):
            maintain(connection, kept, 60, now, lambda _text: None)
            done_at = now
            for left in left_of_visits(connection):
                assert set(left) >= {moment for moment in began if now - moment < timedelta(days=28)}, now
        for left in left_of_visits(connection):
            assert all(now - moment <= timedelta(days=30) for moment in left), now
        for days in (29, 30, 31):
            if now - first == timedelta(days=days):
                there_after[days] = len([moment for moment in left_of_visits(connection)[0] if moment == first])
    assert there_after == {29: int(minute < 18 * 60), 30: 0, 31: 0}
    assert left_of_visits(connection) == ([], [])
    assert counted(connection) == {("vi", None): (9, 18, 180_000, 0, 0)}
    assert audit(connection).ok


def test_after_a_missed_night_visits_go_at_once(store: LedgerStore, connection: psycopg.Connection) -> None:
    (chore,) = (chore for chore in CHORES if chore.name == "maintain")
    kept: dict[Kind, int] = dict.fromkeys(KINDS, 800) | {"interaction": 30}
    began = visits_every(6, store, datetime(2026, 6, 1, tzinfo=UTC), 8)
    last_night = datetime(2026, 6, 29, 18, 0, tzinfo=UTC)
    maintain(connection, kept, 60, last_night, lambda _text: None)
    started = last_night + timedelta(hours=29, minutes=30)  # off all of the night after
    assert chore.is_due(last_night, started)
    maintain(connection, kept, 60, started, lambda _text: None)
    assert left_of_visits(connection) == ([moment for moment in began if moment.day == 2],) * 2
    assert began[0] >= started - timedelta(days=30), "nothing has been there for too long meanwhile"
    assert counted(connection) == {("vi", None): (8, 16, 160_000, 0, 0)}


def test_a_chunk_border_is_where_visits_expire(store: LedgerStore, connection: psycopg.Connection) -> None:
    """Acts of the last moment before it and of the first after it; one session lies across."""
    kept: dict[Kind, int] = dict.fromkeys(KINDS, 800) | {"interaction": 30}
    now = datetime(2026, 7, 1, 18, 0, tzinfo=UTC)
    border = datetime(2026, 6, 3, tzinfo=UTC)
    border_ms = round(border.timestamp() * 1000)
    acts = [act(1, 1, border_ms - 1, "session_start"), act(2, 2, border_ms, "session_start")]
    across = [act(3, 3, border_ms - 1_000, "session_start"), act(4, 3, border_ms + 1_000, "session_end")]
    store.commit([delivery([*acts, *across])], [], border_ms)
    done = maintain(connection, kept, 60, now, lambda _text: None)
    assert done.before["interaction"] == border
    assert (done.retired["interaction"], done.visits_forgotten) == (2, 2)
    assert connection.execute("SELECT seq FROM interaction ORDER BY 1").fetchall() == [(2,), (4,)]
    assert connection.execute("SELECT session FROM visit").fetchall() == [(2,)]
    assert connection.execute("SELECT sum(sessions)::int FROM visit_hour").fetchall() == [(3,)]
    maintain(connection, kept, 60, now + timedelta(days=1), lambda _text: None)
    assert connection.execute("SELECT count(*) FROM interaction").fetchall() == [(0,)]
    assert connection.execute("SELECT sum(sessions)::int FROM visit_hour").fetchall() == [(3,)]
    assert audit(connection).ok


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # the other keeps them away by a lock
def test_acts_that_come_in_while_their_session_expires_are_counted_first(
    store: LedgerStore, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[Kind, int] = dict.fromkeys(KINDS, 800) | {"interaction": 30}
    now = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    long_ago = NOW_MS - 40 * 24 * HOUR_MS
    first, *others = visitor(1, 7, long_ago, "km")
    store.commit([delivery([first])], [], NOW_MS)
    with monkeypatch.context() as patched:
        patched.setattr(maintain_module, "settle", lambda _connection: 0)  # they come in after it has looked
        settle_all(connection)
        store.commit([delivery(others)], [], NOW_MS)
        assert maintain(connection, kept, 60, now, lambda _text: None).retired["interaction"] == 0
    done = maintain(connection, kept, 60, now + timedelta(days=1), lambda _text: None)
    assert (done.retired["interaction"], done.visits_forgotten) == (5, 1)
    assert counted(connection) == {("km", None): (1, 2, 20_000, 0, 0)}
    assert audit(connection).ok


def test_counts_of_visits_are_verified_and_rebuilt(store: LedgerStore, connection: psycopg.Connection) -> None:
    """As far back as facts and acts are kept; what is older stays as it was counted."""
    kept: dict[Kind, int] = dict.fromkeys(KINDS, 800) | {"interaction": 30}
    long_ago = NOW_MS - 40 * 24 * HOUR_MS
    store.commit([delivery(visitor(1, 7, long_ago, "km"))], [], NOW_MS)
    maintain(connection, kept, 60, datetime.fromtimestamp(NOW_MS / 1000, UTC), lambda _text: None)
    store.commit([delivery([*visitor(11, 8, NOW_MS, "vi", rating=4), *visitor(21, 9, NOW_MS, "lo")])], [], NOW_MS)
    settle_all(connection)
    right = counted(connection)
    assert right == {
        ("km", None): (1, 2, 20_000, 0, 0),
        ("vi", None): (1, 2, 20_000, 1, 4),
        ("lo", None): (1, 2, 20_000, 0, 0),
    }
    assert recount.differences(connection, DEVICE) == []
    connection.execute("UPDATE visit_hour SET sessions = 9 WHERE language = 'vi'")
    assert [(one.table, one.side) for one in recount.differences(connection, DEVICE)] == [
        ("visit_hour", "counted"),
        ("visit_hour", "recounted"),
    ]
    connection.execute("DELETE FROM visit WHERE session = 9")
    connection.execute("UPDATE visit SET page_views = 5")
    for _ in range(2):
        recount.rebuild(connection, DEVICE)
        assert counted(connection) == right
        assert recount.differences(connection, DEVICE) == []


def test_a_visit_moves_with_its_device(store: LedgerStore, connection: psycopg.Connection) -> None:
    now = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    store.commit([delivery(visitor(1, 7, NOW_MS - 5 * HOUR_MS, "vi"))], [], NOW_MS)
    settle_all(connection)
    store.commit([delivery(visitor(11, 8, NOW_MS - 5 * HOUR_MS, "lo"))], [], NOW_MS)
    with connection.transaction():
        place(connection, DEVICE, SITES[0])
        place(connection, DEVICE, SITES[1], now - timedelta(hours=9))
    settle_all(connection)
    rows = connection.execute(
        "SELECT p.site, language, sum(sessions)::int FROM visit_hour JOIN placement p ON p.id = placement GROUP BY 1, 2"
    ).fetchall()
    assert sorted(rows) == [(SITES[1], "lo", 1), (SITES[1], "vi", 1)]
    assert STREAM
