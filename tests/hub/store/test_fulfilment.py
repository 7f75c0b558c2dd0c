"""Plan against evidence, out of the tables and back: shown, short, not at all, and what nobody knows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest

from contract.events import AnyEvent, Health
from hub.catalogue.topics import shipped
from hub.compliance.coverage import CoverageRules
from hub.compliance.local_time import DAY_MS, HOUR_MS, day_begin_ms, local_date
from hub.store import catalogue
from hub.store.catalogue import Hand
from hub.store.fulfilment import close_days, judge_some
from hub.store.ledger_store import LedgerStore
from hub.store.moment import unix_ms
from hub.store.placements import place
from hub.store.plan_results import ResultFilter, results
from hub.store.plans import import_plan
from tests.hub.catalogue.making import AT, A, contents_file, plan_file
from tests.hub.making import DEVICE, STREAM, delivery, loss, play
from tests.hub.registry.making import put_site

HAND: Final = Hand("command:an", AT)
NOW: Final = datetime.now(UTC)
DAY: Final = local_date(unix_ms(NOW)) - timedelta(days=2)
"""A day that is over by the database's own clock."""
BEGIN_MS: Final = day_begin_ms(DAY)
RULES: Final = CoverageRules(heartbeat_ms=600_000, reach_ms=0)
MINUTE_MS: Final = 60_000


def awake(first: int = 1, *, from_hour: float = -1, to_hour: float = 25, without: range = range(0)) -> list[AnyEvent]:
    """Health every ten minutes, numbered from `first`; some numbers may not have arrived."""
    times = range(BEGIN_MS + round(from_hour * HOUR_MS), BEGIN_MS + round(to_hour * HOUR_MS), 10 * MINUTE_MS)
    return [Health(seq=seq, time=time) for seq, time in enumerate(times, first) if seq not in without]


@pytest.fixture
def store(connection: psycopg.Connection) -> LedgerStore:
    """One kiosk at one site, a catalogue of one content, a plan that asks for three plays from 8 to 10 o'clock."""
    catalogue.import_topics(connection, shipped())
    catalogue.import_contents(connection, contents_file({"refs": "chao-mung.mp4", "media_sha256": A}), HAND)
    put_site(connection, "S-1")
    LedgerStore(connection).commit(
        [delivery([play(1, content_ref="x")], stream="c3" * 16)], [], unix_ms(NOW) - 60 * DAY_MS
    )
    connection.execute("UPDATE device SET registered_at = now()")
    with connection.transaction():
        place(connection, DEVICE, "S-1")
    asked = {
        "target_kind": "device",
        "target": DEVICE,
        "first_day": f"{DAY - timedelta(days=3):%d/%m/%Y}",
        "last_day": f"{DAY + timedelta(days=30):%d/%m/%Y}",
        "hours": "8-10",
        "unit": "plays_per_day",
        "least": "3",
    }
    import_plan(connection, plan_file(asked), "an", NOW)
    return LedgerStore(connection)


def shows(first: int, *hours: float, rendering: bool | None = True) -> list[AnyEvent]:
    """A play of the content at each of these hours, with a proof or none."""
    from contract.events import Facts

    facts = Facts(reported=True, rendering=rendering, panel="on")
    return [
        play(
            first + number,
            play_id=first + number,
            time=BEGIN_MS + round(hour * HOUR_MS),
            content_ref="chao-mung.mp4",
            content_sha256=A,
            facts=facts,
        )
        for number, hour in enumerate(hours)
    ]


def judged(connection: psycopg.Connection, day: date = DAY) -> list[tuple[Any, ...]]:
    close_days(connection, NOW)
    while judge_some(connection, RULES, "rendering", NOW):
        pass
    found = results(connection, ResultFilter(day, day))
    return [(one["result"], one["shown"], one["unknown_ms"] // MINUTE_MS) for one in found]


def commit(store: LedgerStore, events: list[AnyEvent], stream: str = STREAM) -> None:
    ordered = sorted(events, key=lambda event: event.time)
    numbered = [
        type(event)(**{**{n: getattr(event, n) for n in event.__struct_fields__}, "seq": seq})
        for seq, event in enumerate(ordered, 1)
    ]
    store.commit([delivery(numbered, stream=stream)], [], unix_ms(NOW))


def test_enough(store: LedgerStore, connection: psycopg.Connection) -> None:
    commit(store, [*awake(), *shows(500, 8.1, 8.5, 9.9, 12)])
    assert judged(connection) == [("enough", 3, 0)]


def test_too_little_and_not_at_all_need_full_knowledge(store: LedgerStore, connection: psycopg.Connection) -> None:
    commit(store, [*awake(), *shows(500, 8.1, 11)])
    assert judged(connection) == [("too_little", 1, 0)]
    connection.execute("DELETE FROM play WHERE time > %s", (datetime.fromtimestamp(BEGIN_MS / 1000, UTC),))
    connection.execute("INSERT INTO judge_all DEFAULT VALUES")
    assert judged(connection)[0][0] == "not_at_all"


def test_a_kiosk_that_says_nothing_is_unknown(store: LedgerStore, connection: psycopg.Connection) -> None:
    assert judged(connection) == [("unknown", 0, 120)]
    commit(store, awake())
    assert judged(connection) == [("not_at_all", 0, 0)]  # what came late was judged again


def test_a_hole_in_the_window_is_unknown_and_enough_is_enough(
    store: LedgerStore, connection: psycopg.Connection
) -> None:
    events = sorted([*awake(), *shows(500, 8.1, 8.2)], key=lambda event: event.time)
    numbered = [
        type(event)(**{**{n: getattr(event, n) for n in event.__struct_fields__}, "seq": seq})
        for seq, event in enumerate(events, 1)
    ]
    inside = next(event.seq for event in numbered if event.time > BEGIN_MS + 9 * HOUR_MS)
    store.commit([delivery([event for event in numbered if event.seq != inside])], [], unix_ms(NOW))
    ((result, shown, unknown),) = judged(connection)
    assert (result, shown) == ("unknown", 2)
    assert unknown >= 10
    store.commit([delivery([event for event in numbered if event.seq == inside])], [], unix_ms(NOW))
    assert judged(connection) == [("too_little", 2, 0)]


def test_a_declared_loss_is_unknown(store: LedgerStore, connection: psycopg.Connection) -> None:
    numbered = awake()
    gone = next(event.seq for event in numbered if event.time > BEGIN_MS + 9 * HOUR_MS)
    kept = [event for event in numbered if event.seq != gone]
    store.commit([delivery(kept)], [], unix_ms(NOW))
    store.commit([delivery([loss(1, (gone, gone))], stream="d4" * 16)], [], unix_ms(NOW))
    ((result, _, _),) = judged(connection)
    assert result == "unknown"
    reasons = connection.execute("SELECT DISTINCT unnest(reasons) FROM unknown_time WHERE day = %s", (DAY,)).fetchall()
    assert ("declared_loss",) in reasons


def test_below_rendering_does_not_count(store: LedgerStore, connection: psycopg.Connection) -> None:
    commit(store, [*awake(), *shows(500, 8.1, 8.2, 8.3, rendering=False)])
    assert judged(connection) == [("not_at_all", 0, 0)]


def test_a_day_is_judged_once_unless_something_changes(store: LedgerStore, connection: psycopg.Connection) -> None:
    commit(store, [*awake(), *shows(500, 8.1)])
    judged(connection)
    for _ in range(3):
        close_days(connection, NOW)  # minute by minute: nothing new is over
        assert judge_some(connection, RULES, "rendering", NOW) == 0
    catalogue.withdraw(connection, "ND-1", DAY, HAND)
    close_days(connection, NOW)
    assert judge_some(connection, RULES, "rendering", NOW) > 0
