"""Plan against evidence, out of the tables and back: shown, short, not at all, and what nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest
from msgspec.structs import replace
from psycopg import sql

from contract.events import AnyEvent, Health, Kind
from hub.catalogue.topics import shipped
from hub.compliance.coverage import CoverageRules
from hub.compliance.local_time import DAY_MS, HOUR_MS, day_begin_ms, local_date
from hub.store import catalogue
from hub.store.catalogue import Hand
from hub.store.fulfilment import close_days, judge_some
from hub.store.ledger_store import LedgerStore
from hub.store.moment import moment, unix_ms
from hub.store.placements import place
from hub.store.plan_results import ResultFilter, results
from hub.store.plans import import_plan, remove_item
from tests.hub.catalogue.making import AT, A, contents_file, plan_file
from tests.hub.making import DEVICE, STREAM, delivery, loss, play
from tests.hub.registry.making import put_site

OTHER: Final = "S-2"
HAND: Final = Hand("command:an", AT)
NOW: Final = datetime.now(UTC)
DAY: Final = local_date(unix_ms(NOW)) - timedelta(days=2)
"""A day that is over by the database's own clock."""
BEGIN_MS: Final = day_begin_ms(DAY)
RULES: Final = CoverageRules(heartbeat_ms=600_000, reach_ms=0)
DEFAULTS: Final = CoverageRules()
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


def minutely(first: int, begin_ms: int, end_ms: int) -> list[AnyEvent]:
    """Health as a kiosk tells it by default, numbered from `first`."""
    return [Health(seq=seq, time=time) for seq, time in enumerate(range(begin_ms, end_ms, MINUTE_MS), first)]


def judged_at(connection: psycopg.Connection, at_ms: int, rules: CoverageRules = DEFAULTS) -> int:
    """The chore's turn at a moment; how many days it judged."""
    close_days(connection, moment(at_ms), rules)
    done = 0
    while more := judge_some(connection, rules, "rendering", moment(at_ms)):
        done += more
    return done


def unknown(connection: psycopg.Connection, day: date = DAY) -> list[tuple[float, float, list[str]]]:
    """Hours of the day at which times begin and end of which something is unknown, and why."""
    rows = connection.execute(
        "SELECT begins, ends, reasons FROM unknown_time WHERE day = %s ORDER BY begins", (day,)
    ).fetchall()
    begin_ms = day_begin_ms(day)
    return [
        ((unix_ms(begins) - begin_ms) / HOUR_MS, (unix_ms(ends) - begin_ms) / HOUR_MS, reasons)
        for begins, ends, reasons in rows
    ]


def test_a_day_is_judged_when_its_end_can_be_known(store: LedgerStore, connection: psycopg.Connection) -> None:
    end_ms = BEGIN_MS + DAY_MS
    first = minutely(1, BEGIN_MS - HOUR_MS, end_ms + 40_000)
    store.commit([delivery(first)], [], end_ms + 40_000)
    judged_at(connection, end_ms + 40_000)
    assert results(connection, ResultFilter(DAY, DAY)) == []  # a mark that came in for it makes it no sooner due
    rest = minutely(len(first) + 1, end_ms + MINUTE_MS, end_ms + 2 * HOUR_MS)
    store.commit([delivery(rest)], [], end_ms + 2 * HOUR_MS)
    judged_at(connection, end_ms + 2 * HOUR_MS)
    assert (len(results(connection, ResultFilter(DAY, DAY))), unknown(connection)) == (1, [])
    assert judged_at(connection, end_ms + 2 * HOUR_MS) == 0


def test_a_silent_device_s_day_is_due_at_the_first_later_sign_of_life(
    store: LedgerStore, connection: psycopg.Connection
) -> None:
    end_ms = BEGIN_MS + DAY_MS
    first = minutely(1, BEGIN_MS - HOUR_MS, end_ms)
    store.commit([delivery(first)], [], end_ms)
    later_ms = end_ms + 5 * HOUR_MS
    judged_at(connection, later_ms)
    ((begins, ends, reasons),) = unknown(connection)
    assert (round(begins * 60), ends, reasons) == (23 * 60 + 54, 24, ["late"])
    assert judged_at(connection, later_ms) == 0
    # What is of today marks nothing by itself.
    connection.execute("ALTER TABLE event_hour DISABLE TRIGGER mark_judge")
    store.commit([delivery(minutely(len(first) + 1, end_ms, later_ms))], [], later_ms)
    assert judged_at(connection, later_ms) == 1
    assert unknown(connection) == []
    assert connection.execute("SELECT count(*) FROM judge_wait WHERE day = %s", (DAY,)).fetchone() == (0,)


def test_a_number_that_was_missing_after_midnight_tells_of_the_day_before(
    store: LedgerStore, connection: psycopg.Connection
) -> None:
    end_ms = BEGIN_MS + DAY_MS
    events = minutely(1, BEGIN_MS - HOUR_MS, end_ms + 2 * HOUR_MS)
    gone = [event for event in events if event.time == end_ms + 2 * MINUTE_MS]
    store.commit([delivery([event for event in events if event not in gone])], [], end_ms + 2 * HOUR_MS)
    judged_at(connection, end_ms + 2 * HOUR_MS)
    assert [(ends, reasons) for _, ends, reasons in unknown(connection)] == [(24, ["hole"])]
    store.commit([delivery(gone)], [], end_ms + 3 * HOUR_MS)
    connection.execute("DELETE FROM judge_due")  # as if it was of today when it came
    judged_at(connection, end_ms + 3 * HOUR_MS + DAY_MS)
    assert unknown(connection) == []


def moves_at_noon(connection: psycopg.Connection) -> None:
    with connection.transaction():
        place(connection, DEVICE, OTHER, moment(BEGIN_MS + 12 * HOUR_MS))


@pytest.fixture
def moving(store: LedgerStore, connection: psycopg.Connection) -> LedgerStore:
    """A line for each of two sites, on the one day, besides the kiosk's own line."""
    put_site(connection, OTHER, "22")
    days = {"first_day": f"{DAY:%d/%m/%Y}", "last_day": f"{DAY:%d/%m/%Y}", "unit": "plays_per_day"}
    lines = (
        {"code": "KH-2", "target_kind": "site", "target": "S-1", "hours": "6-12", "least": "1", **days},
        {"code": "KH-3", "target_kind": "site", "target": OTHER, "hours": "6-22", "least": "4", **days},
    )
    import_plan(connection, plan_file(*lines), "an", NOW)
    return store


def by_place(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    judged(connection)
    found = results(connection, ResultFilter(DAY, DAY))
    return sorted((one["item"], one["site"], one["result"], one["required"], one["shown"]) for one in found)


@pytest.mark.parametrize("order", ["plays, move", "move, plays", "plays, judged, move", "move, judged, plays"])
def test_on_the_day_of_a_move_each_place_is_judged_for_itself(
    moving: LedgerStore, connection: psycopg.Connection, order: str
) -> None:
    steps: dict[str, Callable[[], object]] = {
        "plays": lambda: commit(moving, [*awake(), *shows(500, 8.1, 8.5, 9.9)]),
        "move": lambda: moves_at_noon(connection),
        "judged": lambda: by_place(connection),
    }
    for step in order.split(", "):
        steps[step]()
    assert by_place(connection) == [
        ("KH-1", "S-1", "enough", 3, 3),  # from 8 to 10: all of it was at the first place
        ("KH-2", "S-1", "enough", 1, 3),
        ("KH-3", OTHER, "not_at_all", 3, 0),  # 10 of 16 hours
    ]


def test_a_late_event_of_the_morning_changes_no_place(moving: LedgerStore, connection: psycopg.Connection) -> None:
    moves_at_noon(connection)
    events = awake()
    late = [next(event for event in events if event.time > BEGIN_MS + 3 * HOUR_MS)]
    moving.commit([delivery([event for event in events if event not in late])], [], unix_ms(NOW))
    before = by_place(connection)
    assert before == [
        ("KH-1", "S-1", "not_at_all", 3, 0),
        ("KH-2", "S-1", "not_at_all", 1, 0),
        ("KH-3", OTHER, "not_at_all", 3, 0),
    ]
    assert {ends <= 12 for _, ends, _ in unknown(connection)} == {True}
    moving.commit([delivery(late)], [], unix_ms(NOW))
    assert (by_place(connection), unknown(connection)) == (before, [])


def test_a_play_that_goes_on_over_a_move_may_have_been_shown(
    moving: LedgerStore, connection: psycopg.Connection
) -> None:
    moves_at_noon(connection)
    asked = {"code": "KH-2", "target_kind": "site", "target": "S-1", "hours": "6-12", "unit": "plays_per_day"}
    days = {"first_day": f"{DAY:%d/%m/%Y}", "last_day": f"{DAY:%d/%m/%Y}"}
    import_plan(connection, plan_file({**asked, **days, "least": "1", "shortest_play_s": "60"}), "an", NOW)
    begun = shows(500, 12 - 1 / 60, rendering=False)
    goes_on = replace(begun[0], slice=1, time=BEGIN_MS + 12 * HOUR_MS, duration_ms=MINUTE_MS)
    commit(moving, [*awake(without=range(80, 90)), *begun, goes_on])  # silent from noon on: its rest may be missing
    assert by_place(connection)[1] == ("KH-2", "S-1", "unknown", 1, 0)


@pytest.mark.parametrize("kinds", [("play",), ("health",), ("lifecycle",), ("play", "health")])
def test_what_was_judged_stays_when_its_evidence_expires(
    store: LedgerStore, connection: psycopg.Connection, kinds: tuple[Kind, ...]
) -> None:
    commit(store, [*awake(), *shows(500, 8.1, 8.5, 9.9, 12)])
    assert judged(connection) == [("enough", 3, 0)]
    for kind in kinds:
        connection.execute("INSERT INTO expiry VALUES (%s, %s)", (kind, NOW))
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(kind)))
    connection.execute("INSERT INTO judge_all DEFAULT VALUES")
    assert judged(connection) == [("enough", 3, 0)]
    connection.execute("UPDATE plan_item SET code = 'KH-9'")
    ((result, shown, minutes),) = [one for one in judged(connection) if one[2]]  # the new line's
    assert (result, shown, minutes) == (("unknown", 0, 120) if "play" in kinds else ("enough", 3, 120))


def test_results_of_a_line_that_was_removed_stay(moving: LedgerStore, connection: psycopg.Connection) -> None:
    commit(moving, [*awake(), *shows(500, 8.1, 8.5, 9.9)])
    before = by_place(connection)
    assert before == [("KH-1", "S-1", "enough", 3, 3), ("KH-2", "S-1", "enough", 1, 3)]
    assert remove_item(connection, "KH-1", "an", NOW)
    connection.execute("UPDATE plan_item SET least = 4 WHERE code = 'KH-2'")
    assert by_place(connection) == [before[0], ("KH-2", "S-1", "too_little", 4, 3)]
    connection.execute("UPDATE plan_item SET first_day = first_day + 1, last_day = last_day + 1 WHERE code = 'KH-2'")
    assert by_place(connection) == [before[0]]  # a line that is still there and does not ask any more has none
