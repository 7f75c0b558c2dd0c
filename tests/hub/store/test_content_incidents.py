"""What is shown and not approved raises an incident with the rows; a late approval ends it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest

from contract import codec
from hub.catalogue.topics import shipped
from hub.compliance.local_time import DAY_MS, HOUR_MS, local_date
from hub.ingest.committer import commit
from hub.ledger.reading import Unreadable
from hub.store import catalogue
from hub.store.catalogue import Hand
from hub.store.connection import connect
from hub.store.incidents import Responder, acknowledge, close, incidents
from hub.store.ledger_store import LedgerStore
from hub.store.moment import moment
from hub.store.placements import place
from hub.store.rejected import retry
from tests.hub.catalogue.making import AT, DRAFT, A, B, contents_file
from tests.hub.making import DEVICE, KEY, NOW_MS, delivery, play
from tests.hub.registry.making import put_site

HAND = Hand("command:an", AT)
TWO_TRANSACTIONS = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


@pytest.fixture
def store(connection: psycopg.Connection) -> LedgerStore:
    catalogue.import_topics(connection, shipped())
    return LedgerStore(connection)


def put(connection: psycopg.Connection, *rows: dict[str, str]) -> None:
    catalogue.import_contents(connection, contents_file(*rows), HAND)


def show(store: LedgerStore, seq: int, ref: str, sha256: str | None = None, **values: Any) -> None:
    commit(store, [delivery([play(seq, content_ref=ref, content_sha256=sha256, **values)])], [], NOW_MS)


def found(connection: psycopg.Connection) -> list[tuple[str, str, str, int]]:
    return [(one["kind"], one["device"], one["subject"], one["times"]) for one in incidents(connection, only_open=True)]


def ended(connection: psycopg.Connection) -> dict[str, str]:
    """What has closed those that are closed, the newest of each kind."""
    every = sorted(incidents(connection, only_open=False), key=lambda one: one["id"])
    return {one["kind"]: one["closed_by"] for one in every if one["closed_at"]}


def spans(connection: psycopg.Connection) -> dict[str, tuple[date, date]]:
    """First and last day of those that are open, by kind."""
    rows = connection.execute("SELECT kind, first_day, last_day FROM incident WHERE closed_at IS NULL")
    return {kind: (first, last) for kind, first, last in rows}


def test_nothing_is_said_before_there_is_a_catalogue(store: LedgerStore, connection: psycopg.Connection) -> None:
    show(store, 1, "anything.mp4")
    assert found(connection) == []


def test_unknown_altered_and_approved(store: LedgerStore, connection: psycopg.Connection) -> None:
    put(connection, {"refs": "chao-mung.mp4", "media_sha256": A})
    show(store, 1, "chao-mung.mp4", A)
    assert found(connection) == []
    show(store, 2, "chao-mung.mp4", B)
    show(store, 3, "la.mp4")
    show(store, 4, "la.mp4", slice=1)
    assert sorted(found(connection)) == [
        ("content_altered", DEVICE, "chao-mung.mp4", 1),
        ("content_unknown", DEVICE, "la.mp4", 2),
    ]
    show(store, 4, "la.mp4", slice=1)  # again: it happened once
    assert ("content_unknown", DEVICE, "la.mp4", 2) in found(connection)


def test_what_goes_on_at_another_place_is_another_incident(store: LedgerStore, connection: psycopg.Connection) -> None:
    put(connection, {"refs": "chao-mung.mp4"})
    for site, province in (("S-1", "20"), ("S-2", "22")):
        put_site(connection, site, province)
    connection.execute("INSERT INTO device (name) VALUES (%s)", (DEVICE,))
    with connection.transaction():
        place(connection, DEVICE, "S-1", datetime.fromtimestamp(NOW_MS / 1000 - 7_200, UTC))
    with connection.transaction():
        place(connection, DEVICE, "S-2", datetime.fromtimestamp(NOW_MS / 1000 - 3_600, UTC))
    show(store, 1, "la.mp4", time=NOW_MS - 5_000_000)
    show(store, 2, "la.mp4", time=NOW_MS)
    show(store, 3, "la.mp4", time=NOW_MS - 4_900_000, slice=1)  # late, of where it was
    opened = [(one["province_code"], one["times"]) for one in incidents(connection, only_open=True)]
    assert sorted(opened) == [("20", 2), ("22", 1)]


def test_a_late_approval_ends_it(store: LedgerStore, connection: psycopg.Connection) -> None:
    put(connection, {"refs": "chao-mung.mp4"}, {"code": "ND-2", "refs": "moi.mp4", **DRAFT})
    show(store, 1, "moi.mp4")
    show(store, 2, "la.mp4")
    assert len(found(connection)) == 2
    put(connection, {"code": "ND-2", "refs": "moi.mp4"})
    assert found(connection) == [("content_unknown", DEVICE, "la.mp4", 1)]
    everything = incidents(connection, only_open=False)
    assert [one["closed_by"] for one in everything if one["subject"] == "moi.mp4"] == ["catalogue"]


def test_what_has_expired(store: LedgerStore, connection: psycopg.Connection) -> None:
    put(connection, {"refs": "cu.mp4", "valid_until": "31/12/2025"}, {"code": "ND-2", "refs": "x.mp4"})
    show(store, 1, "cu.mp4")
    assert found(connection) == [("content_expired", DEVICE, "cu.mp4", 1)]


def test_a_change_that_has_nothing_to_do_with_it_leaves_what_came_late(
    store: LedgerStore, connection: psycopg.Connection
) -> None:
    put(connection, {"refs": "chao-mung.mp4"})
    show(store, 1, "la.mp4", time=NOW_MS - 5 * DAY_MS)
    put(connection, {"code": "ND-9", "refs": "khac.mp4"})
    assert found(connection) == [("content_unknown", DEVICE, "la.mp4", 1)]
    put(connection, {"code": "ND-2", "refs": "la.mp4"})
    assert ended(connection) == {"content_unknown": "catalogue"}


def test_it_ends_when_every_day_that_it_speaks_of_is_approved(
    store: LedgerStore, connection: psycopg.Connection
) -> None:
    put(connection, {"refs": "chao-mung.mp4"})
    show(store, 1, "la.mp4", time=NOW_MS)
    show(store, 2, "la.mp4", time=NOW_MS - 5 * DAY_MS, play_id=2)
    assert spans(connection) == {"content_unknown": (local_date(NOW_MS - 5 * DAY_MS), local_date(NOW_MS))}
    today = {"valid_from": f"{local_date(NOW_MS):%d/%m/%Y}"}
    put(connection, {"code": "ND-2", "refs": "la.mp4", **today})
    assert ended(connection) == {"content_unknown": "content_not_yet_valid"}
    assert spans(connection) == {"content_not_yet_valid": (local_date(NOW_MS - 5 * DAY_MS),) * 2}
    put(connection, {"code": "ND-2", "refs": "la.mp4"})
    assert ended(connection)["content_not_yet_valid"] == "catalogue"
    assert found(connection) == []


def test_what_a_change_makes_bad_in_another_way_is_an_incident_of_that_kind(
    store: LedgerStore, connection: psycopg.Connection
) -> None:
    put(connection, {"refs": "chao-mung.mp4"})
    show(store, 1, "la.mp4", B)
    put(connection, {"code": "ND-2", "refs": "la.mp4", "media_sha256": A})
    assert ended(connection) == {"content_unknown": "content_altered"}
    assert found(connection) == [("content_altered", DEVICE, "la.mp4", 1)]
    catalogue.delete(connection, "ND-2", HAND)
    assert ended(connection)["content_altered"] == "content_unknown"
    catalogue.restore(connection, "ND-2", HAND)
    assert found(connection) == [("content_altered", DEVICE, "la.mp4", 1)]
    put(connection, {"code": "ND-2", "refs": "la.mp4", "media_sha256": B})
    assert found(connection) == []
    closed = [(one["kind"], one["closed_by"]) for one in incidents(connection, only_open=False)]
    assert sorted(closed) == [
        ("content_altered", "catalogue"),
        ("content_altered", "content_unknown"),
        ("content_unknown", "content_altered"),
        ("content_unknown", "content_altered"),
    ]


def test_one_of_two_files_of_a_name_may_be_left(store: LedgerStore, connection: psycopg.Connection) -> None:
    put(connection, {"refs": "chao-mung.mp4"})
    show(store, 1, "la.mp4", A)
    show(store, 2, "la.mp4", B, play_id=2)
    put(connection, {"code": "ND-2", "refs": "la.mp4", "media_sha256": A})
    assert ended(connection) == {"content_unknown": "content_altered"}
    assert found(connection) == [("content_altered", DEVICE, "la.mp4", 1)]


def test_what_a_person_has_closed_stays_closed(store: LedgerStore, connection: psycopg.Connection) -> None:
    put(connection, {"refs": "chao-mung.mp4"})
    show(store, 1, "la.mp4", B)
    ((number,),) = connection.execute("SELECT id FROM incident").fetchall()
    close(connection, number, Responder("An", "person:an"), AT)
    put(connection, {"code": "ND-2", "refs": "la.mp4", "media_sha256": A})
    assert ended(connection) == {"content_unknown": "An"}
    assert found(connection) == []


def test_a_preview_closes_nothing(store: LedgerStore, connection: psycopg.Connection) -> None:
    put(connection, {"refs": "chao-mung.mp4"})
    show(store, 1, "la.mp4")
    file = contents_file({"code": "ND-2", "refs": "la.mp4"})
    catalogue.import_contents(connection, file, HAND, preview=True)
    assert found(connection) == [("content_unknown", DEVICE, "la.mp4", 1)]


@TWO_TRANSACTIONS
def test_what_comes_while_the_catalogue_changes_is_judged_by_what_it_becomes(
    store: LedgerStore, connection: psycopg.Connection, database: str
) -> None:
    put(connection, {"refs": "chao-mung.mp4"})
    show(store, 1, "la.mp4")
    rejected = codec.encode_event(play(2, play_id=2, content_ref="la.mp4"))
    store.commit([], [Unreadable(KEY, "", 2, rejected, "invalid: an older hub said so")], NOW_MS)
    with connect(database, "change", autocommit=True) as changing, ThreadPoolExecutor() as pool:
        with changing.transaction():
            put(changing, {"code": "ND-2", "refs": "la.mp4"})
            coming = [pool.submit(meanwhile, database, act) for act in (_comes, _is_retried)]
            until_waiting(connection, 2)
            # Who waits holds nothing that others need meanwhile.
            connection.execute("SELECT FROM stream FOR UPDATE NOWAIT")
            connection.execute("SELECT FROM device FOR UPDATE NOWAIT")
        for one in coming:
            one.result(timeout=30)
    assert found(connection) == []
    assert ended(connection) == {"content_unknown": "catalogue"}
    assert connection.execute("SELECT count(*) FROM play").fetchone() == (3,)


@TWO_TRANSACTIONS
def test_what_is_no_play_does_not_wait_for_the_catalogue(
    store: LedgerStore, connection: psycopg.Connection, database: str
) -> None:
    with connect(database, "change", autocommit=True) as changing, changing.transaction():
        put(changing, {"refs": "chao-mung.mp4"})
        store.commit([delivery([1])], [], NOW_MS)
    assert connection.execute("SELECT count(*) FROM fault").fetchone() == (1,)


def _comes(connection: psycopg.Connection) -> None:
    show(LedgerStore(connection), 3, "la.mp4", play_id=3)


def _is_retried(connection: psycopg.Connection) -> None:
    assert retry(connection, NOW_MS) == (1, 0)


def meanwhile(database: str, act: Callable[[psycopg.Connection], None]) -> None:
    with connect(database, "meanwhile", autocommit=True) as connection:
        act(connection)


def until_waiting(connection: psycopg.Connection, sessions: int) -> None:
    """Until so many wait for the catalogue."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    for _ in range(300):
        if connection.execute(waiting).fetchone() == (sessions,):
            return
        time.sleep(0.05)
    raise AssertionError("nobody waits for the catalogue")


@pytest.fixture
def placed(store: LedgerStore, connection: psycopg.Connection) -> LedgerStore:
    """A device that stands at S-1, and a catalogue that does not know `la.mp4`."""
    put(connection, {"refs": "chao-mung.mp4"})
    for site, province in (("S-1", "20"), ("S-2", "22"), ("S-3", "10")):
        put_site(connection, site, province)
    show(store, 1, "chao-mung.mp4")
    move(connection, "S-1")
    return store


def move(connection: psycopg.Connection, site: str, since_ms: int | None = None) -> None:
    with connection.transaction():
        place(connection, DEVICE, site, None if since_ms is None else moment(since_ms))


def stands(connection: psycopg.Connection) -> list[tuple[str, date, date, bool]]:
    """Where every incident of a content is, and of which days; whether it is open."""
    rows = connection.execute(
        "SELECT p.site, i.first_day, i.last_day, i.closed_at IS NULL"
        " FROM incident i JOIN placement p ON p.id = i.placement ORDER BY 1, 2, 4"
    )
    return [(site, first, last, is_open) for site, first, last, is_open in rows]


TODAY, BEFORE = local_date(NOW_MS), local_date(NOW_MS - 3 * DAY_MS)


def test_an_incident_goes_with_what_a_later_word_of_a_move_hands_over(
    placed: LedgerStore, connection: psycopg.Connection
) -> None:
    show(placed, 2, "la.mp4", play_id=2)
    ((number,),) = connection.execute("SELECT id FROM incident").fetchall()
    acknowledge(connection, number, Responder("An", "person:an"), AT)
    move(connection, "S-2", NOW_MS - 2 * HOUR_MS)
    assert stands(connection) == [("S-2", TODAY, TODAY, True)]
    (one,) = incidents(connection, only_open=True)
    assert (one["id"], one["acknowledged_by"], one["province_code"]) == (number, "An", "22")
    move(connection, "S-3", NOW_MS - HOUR_MS)
    assert stands(connection) == [("S-3", TODAY, TODAY, True)]
    put(connection, {"code": "ND-2", "refs": "la.mp4"})
    assert ended(connection) == {"content_unknown": "catalogue"}


def test_what_was_shown_before_and_after_a_move_is_an_incident_of_both_places(
    placed: LedgerStore, connection: psycopg.Connection
) -> None:
    show(placed, 2, "la.mp4", A, play_id=2, time=NOW_MS - 3 * DAY_MS)
    show(placed, 3, "la.mp4", B, play_id=3)
    move(connection, "S-2", NOW_MS - 2 * HOUR_MS)
    assert stands(connection) == [("S-1", BEFORE, BEFORE, True), ("S-2", TODAY, TODAY, True)]
    told = {one["province_code"]: one["detail"] for one in incidents(connection, only_open=True)}
    assert (told["20"]["content_sha256"], told["20"]["day"]) == (A, BEFORE.isoformat())
    assert (told["22"]["content_sha256"], told["22"]["day"]) == (B, TODAY.isoformat())
    show(placed, 4, "la.mp4", B, play_id=4, time=NOW_MS + 1)
    assert {one["province_code"]: one["times"] for one in incidents(connection, only_open=True)} == {"20": 2, "22": 2}
    put(connection, {"code": "ND-2", "refs": "la.mp4", "media_sha256": A})
    assert stands(connection) == [
        ("S-1", BEFORE, BEFORE, False),
        ("S-2", TODAY, TODAY, False),
        ("S-2", TODAY, TODAY, True),
    ]
    assert [kind for kind, *_ in found(connection)] == ["content_altered"]


def test_what_was_over_before_a_move_stays(placed: LedgerStore, connection: psycopg.Connection) -> None:
    show(placed, 2, "la.mp4", play_id=2, time=NOW_MS - 3 * DAY_MS)
    show(placed, 3, "cu.mp4", play_id=3)
    ((number,),) = connection.execute("SELECT id FROM incident WHERE subject = 'cu.mp4'").fetchall()
    close(connection, number, Responder("An", "person:an"), AT)
    move(connection, "S-2", NOW_MS - 2 * HOUR_MS)
    assert stands(connection) == [("S-1", BEFORE, BEFORE, True), ("S-1", TODAY, TODAY, False)]


@TWO_TRANSACTIONS
def test_a_move_waits_for_the_catalogue_without_being_in_its_way(
    placed: LedgerStore, connection: psycopg.Connection, database: str
) -> None:
    show(placed, 2, "la.mp4", B, play_id=2)
    with connect(database, "change", autocommit=True) as changing, ThreadPoolExecutor() as pool:
        with changing.transaction():
            put(changing, {"code": "ND-9", "refs": "khac.mp4"})
            moving = pool.submit(meanwhile, database, lambda its: move(its, "S-2", NOW_MS - 2 * HOUR_MS))
            until_waiting(connection, 1)
            put(changing, {"code": "ND-2", "refs": "la.mp4", "media_sha256": A})  # opens one, of the device that moves
        moving.result(timeout=30)
    assert stands(connection) == [("S-1", TODAY, TODAY, False), ("S-2", TODAY, TODAY, True)]
    assert found(connection) == [("content_altered", DEVICE, "la.mp4", 1)]
