"""Visitors over HTTP: exact sums for the province alone, published figures for whoever may see those."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from hub.catalogue.topics import shipped
from hub.store import catalogue
from hub.store.catalogue import Hand
from hub.store.contents import Contents
from hub.store.ledger_store import LedgerStore
from hub.store.placements import place
from hub.store.visits import settle
from tests.hub.api.serving import Api, get
from tests.hub.catalogue.making import AT, contents_file
from tests.hub.making import DEVICE, NOW_MS, delivery, play
from tests.hub.people.making import add_person, add_token
from tests.hub.registry.making import put_site
from tests.hub.store.test_visits import visitor

PATH, PUBLISHED = "/api/v1/visits", "/api/v1/visits/published"
HAND = Hand("command:an", AT)
DAYS = {"first_day": "2026-05-04", "last_day": "2026-05-10"}
MONDAY = datetime(2026, 5, 3, 17, tzinfo=UTC)
"""00:00 of Monday, 4 May, in Vietnam."""


def put(
    connection: psycopg.Connection,
    device: str,
    hours: float,
    language: str,
    content: int,
    sessions: int,
    rating: int = 0,
) -> None:
    """So many sessions in an hour of that week."""
    connection.execute(
        "INSERT INTO visit_hour SELECT %s, placement, %s, %s, %s, %s, %s, %s, %s FROM device_place"
        " JOIN device d ON d.id = device WHERE d.name = %s",
        (
            *(MONDAY + timedelta(hours=hours), language, content, sessions, 2 * sessions, 1_000 * sessions),
            *(1 if rating else 0, rating, device),
        ),
    )


@pytest.fixture
def connection(connection: psycopg.Connection) -> psycopg.Connection:
    """Three devices: in each of two provinces one, and one that stands nowhere. Two contents are known, with topics."""
    put_site(connection, "BG-20-CMA", "20")
    put_site(connection, "BG-15-LCA", "15")
    for device, site in ((DEVICE, "BG-20-CMA"), ("far", "BG-15-LCA"), ("stranger", None)):
        LedgerStore(connection).commit([delivery([play(1)], device=device)], [], NOW_MS)
        if site is not None:
            with connection.transaction():
                place(connection, device, site)
    catalogue.import_topics(connection, shipped())
    files = ({"refs": "a.mp4"}, {"code": "ND-2", "refs": "b.mp4", "topic": "hinh_anh_van_hoa"})
    catalogue.import_contents(connection, contents_file(*files), HAND)
    contents = Contents(connection)
    a, b, unheard = (contents.id(f"{name}.mp4", None) for name in ("a", "b", "unheard"))
    put(connection, DEVICE, -1, "vi", a, 100)  # Sunday, before the range
    put(connection, DEVICE, 0, "vi", a, 3, rating=4)
    put(connection, DEVICE, 9, "lo", b, 5)
    put(connection, DEVICE, 24 + 9, "lo", unheard, 7)
    put(connection, DEVICE, 24 + 9, "en", 0, 1)
    put(connection, DEVICE, 24 + 10, "en", 0, 0)  # a session that was moved elsewhere
    put(connection, DEVICE, 7 * 24 - 1, "vi", b, 2)  # Sunday, the last hour
    put(connection, DEVICE, 7 * 24, "vi", a, 1_000)
    put(connection, "far", 9, "lo", a, 11)
    put(connection, "stranger", 9, "und", a, 13)
    return connection


def asking(api: Api, connection: psycopg.Connection, *provinces: str, scope: str = "visitors") -> httpx.Client:
    within = frozenset(provinces) if provinces else None
    return api.client(add_token(connection, scope, provinces=within, now=datetime.now(UTC)).text)


def sums(client: httpx.Client, by: str, **wanted: Any) -> dict[Any, int]:
    """Sessions by group."""
    groups = get(client, PATH, by=by, **(DAYS | wanted))["groups"]
    if by == "hour_of_week":
        return {(one["weekday"], one["hour"]): one["sessions"] for one in groups}
    return {one[by]: one["sessions"] for one in groups}


def test_by_each_grouping(api: Api, connection: psycopg.Connection) -> None:
    with asking(api, connection, "20") as client:
        assert sums(client, "site") == {"BG-20-CMA": 18}
        assert sums(client, "language") == {"vi": 5, "lo": 12, "en": 1}
        assert sums(client, "topic") == {"quan_ly_ttdn": 3, "hinh_anh_van_hoa": 7, None: 8}
        assert sums(client, "hour_of_week") == {(1, 0): 3, (1, 9): 5, (2, 9): 8, (7, 23): 2}
        assert sums(client, "topic", first_day="2026-05-05", last_day="2026-05-05") == {None: 8}


def test_a_group_has_its_own_fields_and_all_sums(api: Api, connection: psycopg.Connection) -> None:
    fields = {"sessions", "page_views", "duration_ms", "feedbacks", "feedback_sum"}
    with asking(api, connection, "20") as client:
        told = get(client, PATH, by="language", **DAYS, site="BG-20-CMA")
        vi = {"sessions": 5, "page_views": 10, "duration_ms": 5_000, "feedbacks": 1, "feedback_sum": 4}
        assert told["groups"][-1] == {"language": "vi", **vi}
        assert (told["by"], told["first_day"], told["last_day"]) == ("language", "2026-05-04", "2026-05-10")
        for by, own in (("site", {"site"}), ("topic", {"topic"}), ("hour_of_week", {"weekday", "hour"})):
            for group in get(client, PATH, by=by, **DAYS)["groups"]:
                assert group.keys() == fields | own, "null is told: not known"


def test_of_other_provinces_nothing_is_told(api: Api, connection: psycopg.Connection) -> None:
    with asking(api, connection, "15") as elsewhere, asking(api, connection, "99") as nowhere:
        assert sums(elsewhere, "site") == {"BG-15-LCA": 11}
        assert sums(elsewhere, "hour_of_week") == {(1, 9): 11}
        assert sums(elsewhere, "site", site="BG-20-CMA") == {}
        for by in ("site", "language", "topic", "hour_of_week"):
            assert sums(nowhere, by) == {}
    with asking(api, connection) as everywhere:
        assert sums(everywhere, "site") == {"BG-20-CMA": 18, "BG-15-LCA": 11, None: 13}
        assert sums(everywhere, "language")["und"] == 13
        assert sums(everywhere, "language", site="BG-15-LCA") == {"lo": 11}


def test_a_past_day_keeps_the_topic_that_it_had(api: Api, connection: psycopg.Connection) -> None:
    """The catalogue's verdict of a day decides, not that of today."""
    (number,) = connection.execute("SELECT id FROM shown_content WHERE content_ref = 'b.mp4'").fetchall()[0]
    connection.execute("DELETE FROM resolved WHERE content = %s", (number,))
    for first, last, code in (
        (date(1, 1, 1), date(2026, 5, 9), "ND-2"),
        (date(2026, 5, 10), date(2026, 5, 31), None),
        (date(2026, 6, 1), date(9999, 12, 31), "ND-1"),
    ):
        connection.execute(
            "INSERT INTO resolved VALUES (%s, %s, %s, %s, %s, %s, now())",
            (number, first, last, "approved" if code else "unknown", code, 1 if code else None),
        )
    with asking(api, connection, "20") as client:
        assert sums(client, "topic") == {"quan_ly_ttdn": 3, "hinh_anh_van_hoa": 5, None: 10}


def test_a_visitor_s_session_is_counted(api: Api, connection: psycopg.Connection) -> None:
    """Through the ledger, and not by a row that a test has put there."""
    shown = play(2, time=NOW_MS - 60_000, content_ref="b.mp4")
    LedgerStore(connection).commit([delivery([shown, *visitor(3, 7, NOW_MS, "zh", rating=5)])], [], NOW_MS)
    connection.execute("UPDATE visit_due SET marked_at = '-infinity'")
    while settle(connection):
        pass
    with asking(api, connection, "20") as client:
        found = get(client, PATH, by="topic", first_day="2026-09-21", last_day="2026-09-21")["groups"]
        local = get(client, PATH, by="hour_of_week", first_day="2026-09-21", last_day="2026-09-21")["groups"]
    (topic,) = found
    assert topic["topic"] == "hinh_anh_van_hoa"
    assert (topic["sessions"], topic["page_views"], topic["feedback_sum"]) == (1, 2, 5)
    assert [(one["weekday"], one["hour"]) for one in local] == [(1, 21)]  # 14:13 UTC of a Monday


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "by"),
        ({"by": "device"}, "site"),
        ({"by": "site", "first_day": "2026-05-02", "last_day": "2026-05-01"}, "is after"),
        ({"by": "site", "site": "\0"}, "pattern"),
    ],
)
def test_what_is_refused(api: Api, connection: psycopg.Connection, wrong: dict[str, str], words: str) -> None:
    with asking(api, connection) as client:
        answer = client.get(PATH, params=wrong)
        assert (answer.status_code, words in answer.text) == (422, True), answer.text


def test_exact_figures_stay_in_the_province(api: Api, connection: psycopg.Connection) -> None:
    """The ministry's role and its tokens have no such scope; a technician neither."""
    add_person(connection, "bo", "ministry", now=datetime.now(UTC))
    add_person(connection, "binh", "technician", frozenset({"20"}), now=datetime.now(UTC))
    add_person(connection, "an", "staff", frozenset({"20"}), now=datetime.now(UTC))
    for name, exact, published in (("bo", 403, 200), ("binh", 403, 403), ("an", 200, 200)):
        with api.session(name) as client:
            codes = client.get(PATH, params={"by": "site"}).status_code, client.get(PUBLISHED).status_code
        assert codes == (exact, published), name
    for scope, exact, published in (("read", 403, 403), ("published", 403, 200), ("visitors", 200, 403)):
        with asking(api, connection, scope=scope) as client:
            codes = client.get(PATH, params={"by": "site"}).status_code, client.get(PUBLISHED).status_code
        assert codes == (exact, published), scope


# -- published --------------------------------------------------------------------------------------------------------


@pytest.fixture
def figures(connection: psycopg.Connection) -> None:
    """Three months of two sites, two languages each."""
    for month in (3, 4, 5):
        for site, province in (("BG-15-LCA", "15"), ("BG-20-CMA", "20")):
            for language, sessions in (("lo", None), ("vi", 10 * month)):
                connection.execute(
                    "INSERT INTO published_visitors VALUES (%s, %s, %s, %s, %s, %s, '2026-08-01')",
                    (date(2026, month, 1), site, language, province, sessions, None if sessions else "c"),
                )


@pytest.mark.usefixtures("figures")
def test_what_was_published(api: Api, connection: psycopg.Connection) -> None:
    with asking(api, connection, "20", scope="published") as here, asking(api, connection, scope="published") as every:
        told = get(here, PUBLISHED, first_month="2026-04", last_month="2026-04")
        common = {
            "month": "2026-04",
            "site": "BG-20-CMA",
            "province_code": "20",
            "published_at": "2026-08-01T00:00:00Z",
        }
        assert told == {
            "figures": [
                common | {"language": "lo", "sessions": None, "flag": "c"},
                common | {"language": "vi", "sessions": 40, "flag": None},
            ],
            "next": None,
        }
        assert {one["site"] for one in get(here, PUBLISHED)["figures"]} == {"BG-20-CMA"}
        assert len(get(every, PUBLISHED)["figures"]) == 12
        assert len(get(every, PUBLISHED, site="BG-15-LCA", first_month="2026-05")["figures"]) == 2
        assert get(every, PUBLISHED, last_month="2026-02")["figures"] == []


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("limit", [1, 5, 6])
def test_published_figures_page_by_page(api: Api, connection: psycopg.Connection, limit: int) -> None:
    found: list[tuple[str, ...]] = []
    after: dict[str, str] = {}
    with asking(api, connection, scope="published") as client:
        while True:
            page = get(client, PUBLISHED, limit=limit, **after)
            found += [(one["month"], one["site"], one["language"]) for one in page["figures"]]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        for wrong in ({"after": "x"}, {"after": "2026-13/x/vi"}, {"first_month": "2026-13"}, {"last_month": "0000-01"}):
            assert client.get(PUBLISHED, params=wrong).status_code == 422, wrong
    assert (len(found), found) == (12, sorted(set(found)))
