"""Incidents over HTTP: who sees which, who takes them in hand, and what of people is told to whom."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from hub.api.overview import MOST_INCIDENTS
from hub.people.roles import Role
from hub.store.incidents import Responder, acknowledge, close
from hub.store.ledger_store import LedgerStore
from hub.store.placements import place
from tests.hub.api.serving import Api, get, register, serving
from tests.hub.making import NOW_MS, delivery, play
from tests.hub.people.making import add_person, add_token

PATH = "/api/v1/incidents"
OWN = {"X-Requested-With": "test"}
HOME, ELSEWHERE = "20", "22"


@pytest.fixture
def border(connection: psycopg.Connection, store: LedgerStore) -> dict[str, int]:
    """Incidents by device: one in each of two provinces, one of a device that nobody has registered."""
    register(connection, "home", site="BG-20-CMA")
    register(connection, "elsewhere", site="BG-22-HMO")
    for name in ("home", "elsewhere", "stranger"):
        store.commit([delivery([play(1, content_ref=f"{name}.mp4")], device=name, live=True)], [], NOW_MS)
        store.raise_incident("hub_rollback", name, {"numbers": [[1, 4]]}, NOW_MS)
    rows = connection.execute("SELECT d.name, i.id FROM incident i JOIN device d ON d.id = i.device").fetchall()
    return dict(rows)


@pytest.fixture
def people(connection: psycopg.Connection) -> None:
    """A person of each role in the first province, and one in the second."""
    roles: dict[str, Role] = {"an": "staff", "binh": "technician", "chi": "administrator"}
    for name, role in roles.items():
        add_person(connection, name, role, frozenset({HOME}), now=datetime.now(UTC))
    add_person(connection, "duc", "staff", frozenset({ELSEWHERE}), now=datetime.now(UTC))
    add_person(connection, "bo", "ministry", None, now=datetime.now(UTC))


def change(client: httpx.Client, number: int, deed: str = "acknowledge", **headers: str) -> httpx.Response:
    return client.post(f"{PATH}/{number}/{deed}", headers=OWN | headers)


def listed(client: httpx.Client, **wanted: Any) -> list[str]:
    return [one["device"] for one in get(client, PATH, **wanted)["incidents"]]


def raise_content(connection: psycopg.Connection, device: str, kind: str = "content_unknown") -> None:
    connection.execute(
        "INSERT INTO incident (kind, device, subject, placement, opened_at, last_at, detail)"
        " SELECT %s, d.id, 'la.mp4', p.placement, now(), now(), '{\"day\": \"2026-09-21\"}'"
        " FROM device d JOIN device_place p ON p.device = d.id WHERE d.name = %s",
        (kind, device),
    )


def deeds(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT who, deed, what, detail FROM audit_entry WHERE deed LIKE 'incident%' ORDER BY id"
    ).fetchall()


# -- taking in hand ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("people")
def test_in_hand_and_closed_by_a_named_person(api: Api, connection: psycopg.Connection, border: dict[str, int]) -> None:
    number = border["home"]
    with api.session("an") as an, api.session("binh") as binh, api.session("chi") as chi:
        taken = change(an, number)
        assert taken.status_code == 200, taken.text
        told = taken.json()
        assert (told["id"], told["acknowledged_by"], told["closed_at"]) == (number, "an", None)
        assert datetime.fromisoformat(told["acknowledged_at"]) == api.clock.now
        for client in (binh, an):
            again = change(client, number)
            assert again.status_code == 409
            assert again.json()["detail"].endswith(f" / incident {number} is in the hands of an already")
        closed = change(chi, number, "close")
        assert (closed.status_code, closed.json()["closed_by"], closed.json()["acknowledged_by"]) == (200, "chi", "an")
        for deed in ("close", "acknowledge"):
            late = change(binh, number, deed)
            assert late.status_code == 409
            assert late.json()["detail"].endswith(f" / incident {number} was closed by chi")
        assert listed(an) == []
        assert listed(an, state="closed") == ["home"]
    detail = {"kind": "hub_rollback", "device": "home"}
    assert deeds(connection) == [
        ("person:an", "incident_acknowledged", f"incident:{number}", detail | {"by": "an"}),
        ("person:chi", "incident_closed", f"incident:{number}", detail | {"by": "chi"}),
    ]


@pytest.mark.usefixtures("people")
def test_of_two_at_once_one_has_it(api: Api, connection: psycopg.Connection, border: dict[str, int]) -> None:
    with api.session("an") as an, api.session("binh") as binh, ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda client: change(client, border["home"]), (an, binh)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (entry,) = deeds(connection)
    (winner,) = (answer.json()["acknowledged_by"] for answer in answers if answer.status_code == 200)
    assert entry[0] == f"person:{winner}"
    (refused,) = (answer.json()["detail"] for answer in answers if answer.status_code == 409)
    assert f"in the hands of {winner}" in refused


@pytest.mark.usefixtures("people")
def test_of_another_province_it_is_not_there(api: Api, connection: psycopg.Connection, border: dict[str, int]) -> None:
    with api.session("duc") as duc:
        texts = set()
        for number in (border["home"], border["stranger"], 4711):
            for deed in ("acknowledge", "close"):
                answer = change(duc, number, deed)
                assert answer.status_code == 404
                texts.add(answer.text.replace(str(number), "N"))
        assert texts == {'{"detail":"no incident N is known"}'}
        assert change(duc, border["elsewhere"]).status_code == 200
        for number in (0, 2**63):
            assert change(duc, number).status_code == 422
    assert [what for _, _, what, _ in deeds(connection)] == [f"incident:{border['elsewhere']}"]


@pytest.mark.usefixtures("people")
def test_no_program_and_nobody_of_the_ministry_takes_anything_in_hand(
    api: Api, connection: psycopg.Connection, border: dict[str, int]
) -> None:
    every = add_token(connection, "read", "manage", "respond", now=datetime.now(UTC))
    with api.client(every.text) as program, api.session("bo") as bo, api.client() as nobody:
        assert get(program, "/api/v1/me")["scopes"] == ["manage", "read"], "whoever has put the third one there"
        assert {one["detail"] for one in get(program, PATH)["incidents"]} == {None}
        refused = change(program, border["home"])
        assert (refused.status_code, "named person" in refused.json()["detail"]) == (403, True)
        refused = change(bo, border["home"])
        assert (refused.status_code, "the scope 'respond'" in refused.json()["detail"]) == (403, True)
        assert change(nobody, border["home"]).status_code == 401
    assert deeds(connection) == []


def test_who_is_only_local_has_no_name(database: str, border: dict[str, int]) -> None:
    with serving(database, open_on_loopback=True) as api, api.client() as client:
        refused = change(client, border["home"])
        assert (refused.status_code, "named person" in refused.json()["detail"]) == (403, True)
        (first, *_) = get(client, PATH)["incidents"]
    assert (first["kind"], first["detail"]) == ("hub_rollback", None)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site", "X-Requested-With": "x"}]
)
def test_a_foreign_page_cannot(
    api: Api, connection: psycopg.Connection, border: dict[str, int], headers: dict[str, str]
) -> None:
    with api.session("an") as an:
        for deed in ("acknowledge", "close"):
            answer = an.post(f"{PATH}/{border['home']}/{deed}", headers=headers)
            assert (answer.status_code, "not sent by a page of this hub" in answer.text) == (403, True)
    assert deeds(connection) == []


def test_without_its_entry_in_the_log_nothing_is_done(connection: psycopg.Connection, border: dict[str, int]) -> None:
    connection.execute("ALTER TABLE audit_entry ADD CHECK (deed NOT LIKE 'incident%')")
    for change_ in (acknowledge, close):
        with pytest.raises(psycopg.errors.CheckViolation):
            change_(connection, border["home"], Responder("an", "person:an"), datetime.now(UTC))
    unchanged = "SELECT count(*) FROM incident WHERE acknowledged_at IS NULL AND closed_at IS NULL"
    assert connection.execute(unchanged).fetchone() == (3,)


# -- who sees what ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("people")
def test_names_of_people_stay_in_the_province(api: Api, connection: psycopg.Connection, border: dict[str, int]) -> None:
    raise_content(connection, "home")
    with api.session("an") as an:
        change(an, border["home"])
        change(an, border["home"], "close")
    seen = {}
    for name in ("bo", "an", "binh", "chi"):
        with api.session(name) as client:
            found = {one["id"]: one for one in get(client, PATH, state="all", device="home")["incidents"]}
            seen[name] = found[border["home"]]
            (content,) = (one for one in found.values() if one["kind"] == "content_unknown")
            assert content["detail"] == {"day": "2026-09-21"}, "what was shown is the ministry's to see"
    for name in ("an", "binh", "chi"):
        told = (seen[name]["acknowledged_by"], seen[name]["closed_by"], seen[name]["detail"])
        assert told == ("an", "an", {"numbers": [[1, 4]]})
    assert (seen["bo"]["acknowledged_by"], seen["bo"]["closed_by"], seen["bo"]["detail"]) == (None, None, None)
    assert (seen["bo"]["acknowledged_at"], seen["bo"]["closed_at"]) != (None, None)
    assert seen["bo"]["acknowledged_at"] == seen["an"]["acknowledged_at"]


def test_a_program_sees_names_only_with_the_scope_of_exact_figures(
    api: Api, connection: psycopg.Connection, border: dict[str, int]
) -> None:
    connection.execute("UPDATE incident SET acknowledged_at = now(), acknowledged_by = 'An'")
    for scopes, names in ((("read",), {None}), (("read", "visitors"), {"An"})):
        with api.client(add_token(connection, *scopes, now=datetime.now(UTC)).text) as client:
            assert {one["acknowledged_by"] for one in get(client, PATH)["incidents"]} == names


def test_by_province_state_kind_device_and_site(
    api: Api, connection: psycopg.Connection, border: dict[str, int]
) -> None:
    raise_content(connection, "home")
    raise_content(connection, "home", "content_altered")
    connection.execute(
        "UPDATE incident SET acknowledged_at = now(), acknowledged_by = 'An' WHERE kind = 'content_altered'"
    )
    connection.execute("UPDATE incident SET closed_at = now() WHERE id = %s", (border["elsewhere"],))
    with api.client(add_token(connection, "read", now=datetime.now(UTC)).text) as client:
        assert listed(client) == ["home", "home", "stranger", "home"]
        assert listed(client, state="waiting") == ["home", "stranger", "home"]
        assert listed(client, state="in_hand") == ["home"]
        assert listed(client, state="closed") == ["elsewhere"]
        assert len(listed(client, state="all")) == 5
        assert listed(client, kind="hub_rollback") == ["stranger", "home"]
        assert listed(client, device="home", kind="content_altered") == ["home"]
        assert listed(client, site="BG-20-CMA") == ["home", "home", "home"]
        assert listed(client, site="BG-22-HMO", state="all") == ["elsewhere"]
        (here, *_) = get(client, PATH)["incidents"]
        assert (here["site"], here["site_vi"], here["province_code"]) == ("BG-20-CMA", "Chi Ma", HOME)
        for wrong in ({"state": "gone"}, {"limit": 0}, {"before": 0}, {"device": "\0"}, {"site": "'"}, {"kind": "\0"}):
            assert client.get(PATH, params=wrong).status_code == 422, wrong
    for provinces, devices in (({HOME}, {"home"}), ({ELSEWHERE}, {"elsewhere"}), ({"99"}, set())):
        token = add_token(connection, "read", provinces=frozenset(provinces), now=datetime.now(UTC))
        with api.client(token.text) as client:
            assert set(listed(client, state="all")) == devices


def test_page_by_page(api: Api, connection: psycopg.Connection, border: dict[str, int]) -> None:
    for kind in ("content_unknown", "content_altered", "content_expired"):
        raise_content(connection, "home", kind)
    with api.client(add_token(connection, "read", now=datetime.now(UTC)).text) as client:
        ids: list[int] = []
        before: dict[str, int] = {}
        while True:
            page = get(client, PATH, limit=4, **before)
            ids += [one["id"] for one in page["incidents"]]
            if page["next"] is None:
                break
            before = {"before": page["next"]}
    assert (len(ids), ids) == (6, sorted(set(ids), reverse=True))


def test_an_incident_stays_where_it_was_first_seen(
    api: Api, connection: psycopg.Connection, border: dict[str, int]
) -> None:
    """As in report.incident: a device that moves leaves its past behind."""
    with connection.transaction():
        moved_at = datetime.fromtimestamp(NOW_MS / 1000, UTC) + timedelta(days=1)
        place(connection, "home", "BG-22-HMO", moved_at)
    for province, devices in ((HOME, ["home"]), (ELSEWHERE, ["elsewhere"])):
        token = add_token(connection, "read", provinces=frozenset({province}), now=datetime.now(UTC))
        with api.client(token.text) as client:
            assert listed(client) == devices


# -- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("people")
def test_the_page_tells_what_is_open(api: Api, connection: psycopg.Connection, border: dict[str, int]) -> None:
    hostile = "<script>alert(1)</script>"
    raise_content(connection, "home")
    connection.execute("UPDATE incident SET subject = %s WHERE kind = 'content_unknown'", (hostile,))
    with api.session("an") as an, api.session("bo") as bo:
        before = an.get("/").text
        assert change(an, border["home"]).status_code == 200
        pages = {"an": an.get("/").text, "bo": bo.get("/").text}
        change(an, border["home"], "close")
        after = an.get("/").text
    assert "Đang phát nội dung chưa được duyệt</b>: <bdi>&lt;script&gt;" in before
    assert "<script" not in before
    assert (before.count("Chưa ai tiếp nhận"), before.count("đã tiếp nhận")) == (2, 0)
    assert (pages["an"].count("an đã tiếp nhận"), pages["an"].count("Chưa ai tiếp nhận")) == (1, 1)
    assert ("an đã tiếp nhận" in pages["bo"], "Đã có người tiếp nhận" in pages["bo"]) == (False, True)
    assert "elsewhere" not in pages["an"]
    assert f"số {border['home']} " not in after


def test_the_page_shows_the_newest_only(api: Api, connection: psycopg.Connection, border: dict[str, int]) -> None:
    for number in range(MOST_INCIDENTS):
        raise_content(connection, "home", f"kind_{number}")
    with api.client(add_token(connection, "read", now=datetime.now(UTC)).text) as client:
        page = client.get("/").text
    assert page.count('<li class="waiting">') == MOST_INCIDENTS
    assert f"kind_{MOST_INCIDENTS - 1}" in page, "a kind of which nothing is known is told as it is"
    assert "Còn những sự cố cũ hơn" in page
