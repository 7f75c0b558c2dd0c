"""The published table: what is due goes out once, rounded or suppressed, and nobody changes it afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest

from contract.events import AnyEvent, Health, Interaction
from hub.ingest.committer import commit
from hub.store.ledger_store import LedgerStore
from hub.store.placements import place
from hub.store.published import Publication, publish
from hub.visitors.published import Cell, Month, PublicationRules, PublishedCell
from tests.hub.making import delivery
from tests.hub.registry.making import put_period, put_site

HOUR_MS: Final = 3_600_000
LANGUAGES: Final = ("vi", "lo", "und")
RULES: Final = PublicationRules()
APRIL: Final = Month(2026, 4)
DUE: Final = datetime(2026, 7, 4, 12, tzinfo=UTC)  # 65 days after 30 April
NOT_YET: Final = datetime(2026, 7, 3, 16, 59, tzinfo=UTC)  # 23:59 of 3 July in Vietnam
Connection = psycopg.Connection[Any]


def ms(day: int, hour: int, month: int = 4) -> int:
    """Of 2026, in Vietnam."""
    return round((datetime(2026, month, day, hour, tzinfo=UTC) - timedelta(hours=7)).timestamp() * 1000)


class Kiosk:
    """Tells of `visits`, one after another."""

    def __init__(self, connection: Connection, name: str, site: str | None) -> None:
        self.name, self._connection, self._store = name, connection, LedgerStore(connection)
        self._seq = 0
        self.tell(Health(seq=1, time=ms(30, 23, 3)))
        connection.execute("UPDATE device SET kind = 'kiosk', first_seen = '2026-03-30' WHERE name = %s", (name,))
        if site is not None:
            with connection.transaction():
                place(connection, name, site)

    def tell(self, *events: AnyEvent) -> None:
        stream = (self.name.encode().hex() * 16)[:32]
        commit(self._store, [delivery(events, device=self.name, stream=stream)], [], ms(1, 0, 5))

    def visits(self, count: int, language: str | None, at_ms: int) -> None:
        events = []
        for _ in range(count):
            self._seq += 2
            session = self._seq
            events += [
                Interaction(seq=session, time=at_ms, session=session, action="session_start"),
                Interaction(seq=session + 1, time=at_ms + 1, session=session, action="page_view", language=language),
            ]
        self.tell(*events)


@pytest.fixture
def sites(connection: Connection) -> Connection:
    put_site(connection, "S-1", "20")
    put_site(connection, "S-2", "22")
    return connection


def out(connection: Connection) -> dict[tuple[date, str, str], tuple[int | None, str | None, str]]:
    rows = connection.execute("SELECT month, site, language, sessions, flag, province_code FROM published_visitors")
    return {
        (month, site, language): (sessions, flag, province) for month, site, language, sessions, flag, province in rows
    }


def run(connection: Connection, now: datetime = DUE, *, dry_run: bool = False) -> Publication:
    return publish(connection, RULES, LANGUAGES, now, dry_run=dry_run)


def test_rounded_or_suppressed_by_local_month(sites: Connection) -> None:
    one, two = Kiosk(sites, "k-1", "S-1"), Kiosk(sites, "k-2", "S-2")
    one.visits(9, "vi", ms(1, 0))  # 31 March in UTC
    one.visits(4, "vi", ms(30, 23))
    one.visits(9, "lo", ms(15, 12))
    one.visits(2, "lo", ms(1, 0, 5))  # May
    two.visits(17, None, ms(7, 7))
    for kiosk in (one, two):
        kiosk.tell(Health(seq=900, time=ms(7, 7)))
    assert APRIL not in {cell.cell.month for cell in run(sites, NOT_YET, dry_run=True).cells}
    planned = run(sites, dry_run=True)
    assert out(sites) == {}
    done = run(sites)
    assert done.cells == planned.cells
    april = date(2026, 4, 1)
    assert {key: cell for key, cell in out(sites).items() if key[0] == april} == {
        (april, "S-1", "vi"): (15, None, "20"),
        (april, "S-1", "lo"): (None, "c", "20"),
        (april, "S-1", "und"): (None, "c", "20"),
        (april, "S-2", "vi"): (None, "c", "22"),
        (april, "S-2", "lo"): (None, "c", "22"),
        (april, "S-2", "und"): (15, None, "22"),
    }


def test_a_site_is_there_if_its_kiosk_told_anything_but_visitors(sites: Connection) -> None:
    one = Kiosk(sites, "k-1", "S-1")
    one.visits(20, "vi", ms(15, 12))
    assert [cell for cell in run(sites).cells if cell.cell.month == APRIL] == []
    one.tell(Health(seq=901, time=ms(20, 12)))
    april = [cell for cell in run(sites).cells if cell.cell.month == APRIL]
    assert april == [
        PublishedCell(Cell(APRIL, "S-1", "lo"), None, "c"),
        PublishedCell(Cell(APRIL, "S-1", "und"), None, "c"),
        PublishedCell(Cell(APRIL, "S-1", "vi"), 20, None),
    ]


def test_once_and_never_again(sites: Connection) -> None:
    one = Kiosk(sites, "k-1", "S-1")
    one.tell(Health(seq=900, time=ms(15, 12)))
    one.visits(12, "vi", ms(15, 12))
    run(sites)
    before = out(sites)
    one.visits(50, "vi", ms(16, 12))  # comes late
    assert run(sites).cells == ()
    assert run(sites, DUE + timedelta(days=20)).cells == ()
    assert out(sites) == before
    for statement in (
        "UPDATE published_visitors SET sessions = 65, flag = NULL",
        "DELETE FROM published_visitors",
        "TRUNCATE published_visitors",
        "SET session_replication_role = replica; DELETE FROM published_visitors",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed"), sites.transaction():
            sites.execute(statement.encode())
    assert out(sites) == before


@pytest.mark.parametrize("values", ["7, NULL", "0, NULL", "NULL, NULL", "10, 'c'", "10, 'x'"])
def test_the_table_holds_nothing_exact(connection: Connection, values: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            f"INSERT INTO published_visitors VALUES ('2026-04-01', 'S', 'vi', '20', {values}, now())".encode()
        )


def test_a_kiosk_that_comes_late_brings_its_site(sites: Connection) -> None:
    one = Kiosk(sites, "k-1", "S-1")
    one.tell(Health(seq=900, time=ms(15, 12)))
    run(sites)
    two = Kiosk(sites, "k-2", "S-2")
    two.tell(Health(seq=900, time=ms(15, 12)))
    two.visits(12, "vi", ms(15, 12))
    fresh = {cell.cell.site for cell in run(sites).cells if cell.cell.month == APRIL}
    assert fresh == {"S-2"}


def test_what_has_no_place_is_told_and_not_published(sites: Connection) -> None:
    one, nowhere = Kiosk(sites, "k-1", "S-1"), Kiosk(sites, "k-9", None)
    one.tell(Health(seq=900, time=ms(15, 12)))
    one.visits(30, "th", ms(15, 12))
    nowhere.visits(40, "vi", ms(15, 12))
    done = run(sites)
    assert done.left_out == {Cell(APRIL, "", "vi"): 40, Cell(APRIL, "S-1", "th"): 30}
    assert {cell.cell.language for cell in done.cells} == set(LANGUAGES)
    assert all(cell.sessions is None for cell in done.cells)


def test_a_clock_that_was_never_set_publishes_no_month(sites: Connection) -> None:
    one = Kiosk(sites, "k-1", "S-1")
    one.tell(Health(seq=900, time=1), Health(seq=901, time=ms(15, 12)))
    assert {cell.cell.month.year for cell in run(sites).cells} == {2026}


def test_a_screen_that_nobody_can_touch_has_no_row(sites: Connection) -> None:
    board = Kiosk(sites, "led-1", "S-1")
    sites.execute("UPDATE device SET kind = 'led'")
    board.tell(Health(seq=900, time=ms(15, 12)))
    assert run(sites).cells == ()


def test_a_month_belongs_to_the_province_at_its_end(sites: Connection) -> None:
    one = Kiosk(sites, "k-1", "S-1")
    one.tell(Health(seq=900, time=ms(2, 12)))
    put_period(sites, "S-1", date(2026, 4, 15), "22")
    run(sites)
    assert {province for (month, _, _), (_, _, province) in out(sites).items() if month == date(2026, 4, 1)} == {"22"}
