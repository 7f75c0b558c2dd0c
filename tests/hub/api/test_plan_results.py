"""How the plan stands over HTTP: four outcomes, page by page and counted, within the provinces of who asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from hub.store.ledger_store import LedgerStore
from hub.store.placements import place
from tests.hub.api.serving import Api, get
from tests.hub.making import DEVICE, NOW_MS, delivery, play
from tests.hub.people.making import add_token
from tests.hub.registry.making import put_site

PATH = "/api/v1/plan/results"
MAY = {"first_day": "2026-05-01", "last_day": "2026-05-31"}
OUTCOMES = ("enough", "too_little", "not_at_all", "unknown")


def put(
    connection: psycopg.Connection, item: str, device: str, day: str, hour: int, result: str, at_most: int | None = 4
) -> None:
    """A window that was judged."""
    connection.execute(
        "INSERT INTO plan_result SELECT %s, placement, %s, %s, %s, 4, 1, %s, 60000, 1800000, %s, '2026-06-01'"
        " FROM device_place JOIN device d ON d.id = device WHERE d.name = %s",
        (item, day, hour, result, at_most, '{"vi": {"required": 2, "shown": 1, "at_most": null}}', device),
    )


@pytest.fixture
def connection(connection: psycopg.Connection) -> psycopg.Connection:
    """Two lines; one device in each of two provinces; one day of the first has every outcome."""
    put_site(connection, "BG-20-CMA", "20")
    put_site(connection, "BG-15-LCA", "15")
    for device, site in ((DEVICE, "BG-20-CMA"), ("far", "BG-15-LCA")):
        LedgerStore(connection).commit([delivery([play(1)], device=device)], [], NOW_MS)
        with connection.transaction():
            place(connection, device, site)
    for hour, result in enumerate(OUTCOMES, 7):
        put(connection, "KH-1", DEVICE, "2026-05-02", hour, result)
    put(connection, "KH-1", "far", "2026-05-02", 7, "unknown")
    put(connection, "KH-2", DEVICE, "2026-05-01", -1, "unknown", at_most=None)
    put(connection, "KH-2", DEVICE, "2026-05-31", -1, "enough")
    put(connection, "KH-2", DEVICE, "2026-06-01", -1, "enough")
    return connection


def asking(api: Api, connection: psycopg.Connection, *provinces: str) -> httpx.Client:
    within = frozenset(provinces) if provinces else None
    return api.client(add_token(connection, "read", provinces=within, now=datetime.now(UTC)).text)


@pytest.fixture
def client(api: Api, connection: psycopg.Connection) -> Iterator[httpx.Client]:
    """A program that may read everything."""
    with asking(api, connection) as opened:
        yield opened


def windows(client: httpx.Client, **wanted: Any) -> list[tuple[Any, ...]]:
    found = get(client, PATH, **(MAY | wanted))["results"]
    return [(one["item"], one["device"], one["day"][-2:], one["hour"], one["result"]) for one in found]


def test_windows_oldest_first(client: httpx.Client) -> None:
    assert windows(client) == [
        ("KH-2", DEVICE, "01", None, "unknown"),
        *(("KH-1", DEVICE, "02", hour, result) for hour, result in enumerate(OUTCOMES, 7)),
        ("KH-1", "far", "02", 7, "unknown"),
        ("KH-2", DEVICE, "31", None, "enough"),
    ]
    page = get(client, PATH, **MAY, item="KH-2", result="unknown")
    assert (page["first_day"], page["last_day"], page["next"]) == ("2026-05-01", "2026-05-31", None)
    (one,) = page["results"]
    assert (one["required"], one["shown"], one["at_most"], one["unknown_ms"]) == (4, 1, None, 1_800_000)
    assert one["languages"] == {"vi": {"required": 2, "shown": 1, "at_most": None}}
    assert (one["site"], one["judged_at"]) == ("BG-20-CMA", "2026-06-01T00:00:00Z")


def test_by_item_device_site_and_result(client: httpx.Client) -> None:
    assert {row[0] for row in windows(client, item="KH-1")} == {"KH-1"}
    assert windows(client, device="far") == [("KH-1", "far", "02", 7, "unknown")]
    assert windows(client, site="BG-15-LCA") == windows(client, device="far")
    for result in OUTCOMES:
        assert {row[4] for row in windows(client, result=result)} == {result}
    assert len(windows(client, result="unknown")) == 3
    assert windows(client, item="KH-9") == []


@pytest.mark.parametrize("limit", [1, 2, 3, 6])
def test_page_by_page_each_comes_once(client: httpx.Client, limit: int) -> None:
    found: list[tuple[Any, ...]] = []
    after: dict[str, str] = {}
    while True:
        page = get(client, PATH, **MAY, limit=limit, **after)
        assert len(page["results"]) <= limit
        found += [(one["item"], one["device"], one["day"], one["hour"]) for one in page["results"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    every = get(client, PATH, **MAY)["results"]
    assert found == [(one["item"], one["device"], one["day"], one["hour"]) for one in every]
    assert len(found) == 7


def test_a_summary_counts_each_outcome_apart(client: httpx.Client) -> None:
    told = get(client, f"{PATH}/summary", **MAY)
    judged = {"judged_at": "2026-06-01T00:00:00Z"}
    assert told["items"] == [
        {"item": "KH-1", "windows": 5, "enough": 1, "too_little": 1, "not_at_all": 1, "unknown": 2} | judged,
        {"item": "KH-2", "windows": 2, "enough": 1, "too_little": 0, "not_at_all": 0, "unknown": 1} | judged,
    ]
    for one in told["items"]:
        assert one["windows"] == sum(one[result] for result in OUTCOMES)
    (here,) = get(client, f"{PATH}/summary", **MAY, device=DEVICE, item="KH-1")["items"]
    assert (here["windows"], here["unknown"]) == (4, 1)
    assert get(client, f"{PATH}/summary", first_day="2026-04-01", last_day="2026-04-30")["items"] == []


def test_the_usual_days_are_the_seven_that_ended_yesterday(api: Api, client: httpx.Client) -> None:
    api.clock.now = datetime(2026, 6, 1, 16, 59, tzinfo=UTC)  # 23:59 of 1 June in Vietnam
    assert [one["day"] for one in get(client, PATH)["results"]] == ["2026-05-31"]
    api.clock.now += timedelta(minutes=1)
    page = get(client, PATH)
    assert (page["first_day"], page["last_day"]) == ("2026-05-26", "2026-06-01")
    assert [one["day"] for one in page["results"]] == ["2026-05-31", "2026-06-01"]


def test_of_other_provinces_nothing_is_told(api: Api, connection: psycopg.Connection) -> None:
    with asking(api, connection, "15") as elsewhere, asking(api, connection, "99") as nowhere:
        assert windows(elsewhere) == [("KH-1", "far", "02", 7, "unknown")]
        (one,) = get(elsewhere, f"{PATH}/summary", **MAY)["items"]
        assert (one["item"], one["windows"], one["unknown"]) == ("KH-1", 1, 1)
        assert (windows(nowhere), get(nowhere, f"{PATH}/summary", **MAY)["items"]) == ([], [])
        assert windows(elsewhere, device=DEVICE) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"first_day": "2026-05-02", "last_day": "2026-05-01"}, "is after"),
        ({"first_day": "2025-01-01", "last_day": "2026-05-01"}, "at most 366 days"),
        ({"last_day": "0001-01-01"}, "no such days"),
        ({"after": "nonsense"}, "`next` of a page"),
        ({"after": "2026-13-01.1.7.KH-1"}, "`next` of a page"),
        ({"result": "shown"}, "enough"),
        ({"item": "x"}, "pattern"),
        ({"first_day": "yesterday"}, "date"),
    ],
)
def test_what_is_refused(client: httpx.Client, wrong: dict[str, str], words: str) -> None:
    answer = client.get(PATH, params=wrong)
    assert (answer.status_code, words in answer.text) == (422, True), answer.text


def test_days_at_the_ends_of_the_calendar(client: httpx.Client) -> None:
    for day in ("0001-01-01", "9999-12-31"):
        assert windows(client, first_day=day, last_day=day) == []


def test_nobody_reads_without_the_scope(api: Api, connection: psycopg.Connection) -> None:
    published = add_token(connection, "published", "visitors", now=datetime.now(UTC))
    with api.client(published.text) as program, api.client() as stranger:
        for path in (PATH, f"{PATH}/summary"):
            assert (program.get(path).status_code, stranger.get(path).status_code) == (403, 401)
