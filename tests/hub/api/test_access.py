"""Who is let in, and what is then theirs to see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from hub.people.tokens import new_token
from hub.store import people
from hub.store.ledger_store import LedgerStore
from hub.store.placements import place
from hub.store.readers import reading
from tests.hub.api.serving import Api, get, listen, register, serving
from tests.hub.making import NOW_MS, delivery, play
from tests.hub.people.making import Clock, add_person, add_token

READS = ("/api/v1/sites", "/api/v1/devices", "/api/v1/devices/home", "/api/v1/devices/home/plays",
         "/api/v1/devices/home/streams", "/api/v1/incidents")  # fmt: skip
HOME, ELSEWHERE = "20", "22"


def token(connection: psycopg.Connection, *scopes: str, **more: Any) -> str:
    return add_token(connection, *scopes, now=datetime.now(UTC), **more).text


def status(api: Api, shown: str | None, path: str = "/api/v1/me") -> int:
    with api.client(shown) as client:
        return client.get(path).status_code


def refused(api: Api, shown: str | None, path: str = "/api/v1/me") -> str:
    with api.client(shown) as client:
        answer = client.get(path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="ttdn-hub"')
    return str(answer.json()["detail"])


# -- tokens -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*READS, "/api/v1/me", "/metrics"])
def test_without_anything_nothing_is_told(api: Api, path: str) -> None:
    assert "who are you?" in refused(api, None, path)


def test_what_needs_nobody_s_leave(api: Api) -> None:
    for path in ("/healthz", "/readyz", "/login", "/page.css", "/api/v1/openapi.json"):
        assert status(api, None, path) in {200, 503}


def test_a_token_says_who_asks(api: Api, connection: psycopg.Connection) -> None:
    made = add_token(connection, "read", "metrics", provinces=frozenset({"22", "20"}), now=datetime.now(UTC))
    with api.client(made.text) as client:
        me = get(client, "/api/v1/me")
    assert (me["kind"], me["name"], me["role"]) == ("token", made.key, None)
    assert (me["scopes"], me["provinces"]) == (["metrics", "read"], ["20", "22"])
    assert me["until"] is not None
    used = people.find_token(connection, made.key)
    assert used is not None
    assert used.used_at is not None


def test_wrong_expired_and_revoked_tokens(api: Api, connection: psycopg.Connection) -> None:
    made = add_token(connection, "read", days=1, now=api.clock.now)
    assert status(api, made.text) == 200
    assert "no such token" in refused(api, new_token().text)
    assert "no such token" in refused(api, made.text[:-1] + ("0" if made.text[-1] != "0" else "1"))
    api.clock.pass_s(86_399)
    assert status(api, made.text) == 200
    api.clock.pass_s(1)
    assert "expired" in refused(api, made.text)
    fresh = add_token(connection, "read", now=api.clock.now)
    assert status(api, fresh.text) == 200
    people.revoke_token(connection, fresh.key, by="command:test", now=api.clock.now)
    assert "revoked" in refused(api, fresh.text)


@pytest.mark.parametrize("shown", ["x", "ttdn_", "ttdn_' OR 1=1 --", "%00", "ttdn_" + "0" * 5_000])
def test_what_is_no_token(api: Api, shown: str) -> None:
    with api.client() as client:
        assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {shown}"}).status_code == 401


def test_a_wrong_token_is_refused_also_where_a_session_would_do(api: Api, connection: psycopg.Connection) -> None:
    add_person(connection)
    with api.session() as client:
        assert client.get("/api/v1/me").status_code == 200
        answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {new_token().text}"})
        assert answer.status_code == 401


def test_a_scope_that_is_missing_is_named(api: Api, connection: psycopg.Connection) -> None:
    counting, reading = token(connection, "metrics"), token(connection, "read")
    for path in READS:
        assert status(api, counting, path) == 403
    assert status(api, reading, "/metrics") == 403
    assert status(api, counting, "/metrics") == 200
    with api.client(counting) as client:
        detail = client.get("/api/v1/sites").json()["detail"]
        page = client.get("/")
    assert "the scope 'read'" in detail
    assert "has: metrics" in detail
    assert (page.status_code, "không được xem" in page.text) == (403, True)


def test_no_token_is_in_log_or_tables(
    api: Api, connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    shown = [token(connection, "read"), new_token().text]
    for text in shown:
        status(api, text, "/api/v1/sites")
    kept = connection.execute("SELECT string_agg(t::text, '') FROM api_token t").fetchone()
    logged = connection.execute("SELECT string_agg(t::text, '') FROM audit_entry t").fetchone()
    for text in shown:
        assert text.split("_")[2] not in f"{kept} {logged}"
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpcore", "httpx"))]
    assert "127.0.0.1" not in "".join(line for line in ours if "what is on every screen" not in line)


# -- provinces --------------------------------------------------------------------------------------------------------


@pytest.fixture
def border(connection: psycopg.Connection, store: LedgerStore) -> None:
    """A device at home, one elsewhere, one that nobody has registered; each with plays and an incident."""
    register(connection, "home", site="BG-20-CMA")
    register(connection, "elsewhere", site="BG-22-HMO")
    for name in ("home", "elsewhere", "stranger"):
        store.commit([delivery([play(1, content_ref=f"of-{name}.mp4")], device=name, live=True)], [], NOW_MS)
        store.raise_incident("hub_rollback", name, {"of": name}, NOW_MS)
    listen(connection, "home", "elsewhere", "stranger")


def told(client: httpx.Client) -> str:
    """Everything that is told to somebody, also of devices by name."""
    everything: list[Any] = [get(client, path) for path in ("/api/v1/sites", "/api/v1/devices", "/api/v1/incidents")]
    for name in ("home", "elsewhere", "stranger"):
        for path in ("", "/plays", "/streams"):
            answer = client.get(f"/api/v1/devices/{name}{path}")
            if answer.status_code == 200:
                everything.append(answer.json())
    return json.dumps(everything, ensure_ascii=False) + client.get("/").text


@pytest.mark.usefixtures("border")
def test_not_one_foreign_row(api: Api, connection: psycopg.Connection) -> None:
    with api.client(token(connection, "read", "visitors", provinces=frozenset({HOME}))) as client:
        sites, devices = get(client, "/api/v1/sites"), get(client, "/api/v1/devices")
        assert {site["province_code"] for site in sites} == {HOME}
        assert [device["name"] for device in devices] == ["home"]
        assert [screen["content_ref"] for screen in devices[0]["screens"]] == ["of-home.mp4"]
        assert [incident["device"] for incident in get(client, "/api/v1/incidents")["incidents"]] == ["home"]
        assert len(get(client, "/api/v1/devices/home/plays")["plays"]) == 1
        assert len(get(client, "/api/v1/devices/home/streams")) == 1
        everything = told(client)
    for foreign in ("elsewhere", "stranger", "BG-22", "Hoành Mô", "Quảng Ninh"):
        assert foreign not in everything
    assert "of-home.mp4" in everything


@pytest.mark.usefixtures("border")
def test_a_foreign_device_and_none_are_the_same(api: Api, connection: psycopg.Connection) -> None:
    with api.client(token(connection, "read", "visitors", provinces=frozenset({HOME}))) as client:
        for path in ("", "/plays", "/streams"):
            answers = {name: client.get(f"/api/v1/devices/{name}{path}") for name in ("elsewhere", "stranger", "none")}
            assert {answer.status_code for answer in answers.values()} == {404}
            assert len({answer.text.replace(name, "x") for name, answer in answers.items()}) == 1


@pytest.mark.usefixtures("border")
def test_not_even_the_id_of_a_foreign_device_helps(api: Api) -> None:
    pool = api.server._pools.reading
    with reading(pool, None) as every:
        ids = [every.device(name) for name in ("elsewhere", "stranger")]
    with reading(pool, frozenset({HOME})) as reader:
        for number in ids:
            assert number is not None
            assert (reader.plays(number, 10, None), reader.streams(number), reader.screens(number)) == ([], [], [])


@pytest.mark.usefixtures("border")
def test_provinces_add_up_and_only_all_of_them_hold_what_stands_nowhere(
    api: Api, connection: psycopg.Connection
) -> None:
    with api.client(token(connection, "read", provinces=frozenset({HOME, ELSEWHERE}))) as client:
        both = told(client)
    assert "of-home.mp4" in both
    assert "of-elsewhere.mp4" in both
    assert "stranger" not in both
    with api.client(token(connection, "read")) as client:
        every = told(client)
    assert "of-stranger.mp4" in every
    with api.client(token(connection, "read", provinces=frozenset({"99"}))) as client:
        nothing = told(client)
        assert get(client, "/api/v1/sites") == []
    assert "of-" not in nothing
    assert "trong phạm vi được xem: tỉnh 99" in nothing


@pytest.mark.usefixtures("border")
def test_a_device_that_moved_leaves_its_past_behind(api: Api, connection: psycopg.Connection) -> None:
    moved_at = datetime.fromtimestamp(NOW_MS / 1000, UTC) + timedelta(days=1)
    with connection.transaction():
        place(connection, "home", "BG-22-HMO", moved_at)
    later_ms = NOW_MS + 2 * 86_400_000
    moved = delivery([play(2, time=later_ms, content_ref="of-later.mp4")], device="home")
    LedgerStore(connection).commit([moved], [], later_ms)
    later = delivery([play(1, time=later_ms)], device="home", stream="e7" * 16)
    LedgerStore(connection).commit([later], [], later_ms)
    times = ((moved_at - timedelta(hours=1), "a1" * 16), (moved_at, "e7" * 16))
    for first_seen, stream in times:
        connection.execute("UPDATE stream SET first_seen = %s WHERE name = %s", (first_seen, stream))
    seen = {}
    for province in (HOME, ELSEWHERE):
        with api.client(token(connection, "read", "visitors", provinces=frozenset({province}))) as client:
            plays = get(client, "/api/v1/devices/home/plays")["plays"]
            seen[province] = [item["content_ref"] for item in plays]
            here = province == ELSEWHERE
            assert client.get("/api/v1/devices/home").status_code == (200 if here else 404)
            answer = client.get("/api/v1/devices/home/streams")
            assert answer.status_code == (200 if here else 404)
            if here:
                assert [stream["stream"] for stream in answer.json()] == ["e7" * 16]
    assert seen == {HOME: ["of-home.mp4"], ELSEWHERE: [play(1).content_ref, "of-later.mp4"]}


@pytest.mark.usefixtures("border")
def test_what_counts_acts_of_visitors_stays_in_the_province(api: Api, connection: psycopg.Connection) -> None:
    connection.execute("UPDATE device_now SET queue_events = 77, queue_oldest_s = 700, queue_full = false")
    for scopes, exact in ((("read", "published"), False), (("read", "visitors"), True)):
        with api.client(token(connection, *scopes)) as client:
            assert client.get("/api/v1/devices/home/streams").status_code == (200 if exact else 403)
            (shown,) = get(client, "/api/v1/devices/home/plays")["plays"]
            assert (shown["seq"] is not None, shown["stream"] is not None) == (exact, exact)
            queue = get(client, "/api/v1/devices/home")["queue"]
            assert (queue["events"], queue["oldest_s"]) == (77 if exact else None, 700)
            assert ("77 bản ghi" in client.get("/").text) == exact
            page = get(client, "/api/v1/devices/home/plays", limit=1)
            assert page["next"].split(".")[2:] == [str(shown["play_id"]), str(shown["slice"])]


# -- open on this machine ---------------------------------------------------------------------------------------------


@pytest.fixture
def open_api(database: str) -> Iterator[Api]:
    with serving(database, open_on_loopback=True) as running:
        yield running


def test_open_on_this_machine(open_api: Api) -> None:
    with open_api.client() as client:
        me = get(client, "/api/v1/me")
        page = client.get("/")
        assert client.get("/metrics").status_code == 200
    assert (me["kind"], me["scopes"], me["provinces"]) == ("local", ["metrics", "read"], None)
    assert (page.status_code, "Trang mở tự do trên máy này" in page.text) == (200, True)


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via"]
)
def test_what_a_proxy_hands_on_is_not_of_this_machine(open_api: Api, header: str) -> None:
    with open_api.client() as client:
        assert client.get("/api/v1/sites", headers={header: "127.0.0.1"}).status_code == 401
        assert client.get("/", headers={header: "127.0.0.1"}).status_code == 303


def test_open_is_not_open_to_a_wrong_token(open_api: Api) -> None:
    assert status(open_api, new_token().text) == 401


def test_who_has_an_account_is_known_though_it_is_open(open_api: Api, connection: psycopg.Connection) -> None:
    add_person(connection, provinces=frozenset({HOME}))
    with open_api.session() as client:
        assert get(client, "/api/v1/me")["name"] == "nguyen.an"
        open_api.clock.pass_s(86_400)
        assert get(client, "/api/v1/me")["kind"] == "local"


def test_closed_is_the_default(api: Api) -> None:
    with api.client() as client:
        assert client.get("/").status_code == 303


# -- limits -----------------------------------------------------------------------------------------------------------


def test_a_token_that_asks_too_often_waits(database: str, connection: psycopg.Connection) -> None:
    clock = Clock(datetime.now(UTC))
    with serving(database, clock, requests_per_minute=10) as api:
        busy, calm = token(connection, "read"), token(connection, "read")
        with api.client(busy) as client:
            answers = [client.get("/api/v1/me") for _ in range(21)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(refused) in {11, 1}, "10 a window; a minute may end meanwhile"
        assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
        assert "try again in" in refused[0].json()["detail"]
        assert status(api, calm) == 200


def test_an_address_that_asks_too_often_waits_and_others_do_not(database: str) -> None:
    with serving(database, address_requests_per_minute=10) as api:
        with api.client(address="127.0.0.2") as client:
            codes = [client.get("/api/v1/me").status_code for _ in range(21)]
            page = client.get("/login")
        assert codes.count(429) in {11, 1}
        assert (page.status_code, "Quá nhiều yêu cầu" in page.text) in {(429, True), (200, False)}
        assert status(api, None, "/healthz") == 200


def test_reasons_are_told_on_this_machine_only(api: Api) -> None:
    with api.client() as client:
        assert client.get("/readyz").json()["reasons"] != []
        elsewhere = client.get("/readyz", headers={"X-Forwarded-For": "203.0.113.7"})
    assert (elsewhere.status_code, elsewhere.json()) == (503, {"ready": False, "reasons": []})


def test_a_body_is_short_and_says_how_long_it_is(api: Api) -> None:
    with api.client() as client:
        long = client.post("/api/v1/login", content=b"x" * 70_000)
        endless = client.post("/login", content=iter([b"name=a", b"&password=b"]))
    assert (long.status_code, endless.status_code) == (413, 413)
