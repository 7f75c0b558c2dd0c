"""Login and logout: cookies, the form, wrong passwords, and how long one waits after them."""

from __future__ import annotations

import json

import psycopg
import pytest

from hub.people.lockout import EVERYWHERE, ONE_ADDRESS
from hub.people.passwords import Argon2
from hub.people.strings import wait_words
from hub.store import people
from tests.hub.api.serving import Api, cookie_of, get, serving
from tests.hub.people.making import CHEAP, PASSWORD, add_person

OWN = {"X-Requested-With": "test"}
WRONG = {"name": "nguyen.an", "password": "not the password"}
RIGHT = {"name": "nguyen.an", "password": PASSWORD}


def failures(api: Api, count: int, address: str = "127.0.0.1", name: str = "nguyen.an") -> list[int]:
    return [api.login(name, "not the password", address).status_code for _ in range(count)]


# -- in and out -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("person")
def test_in_and_out(api: Api) -> None:
    with api.client() as client:
        answer = client.post("/api/v1/login", json=RIGHT)
        assert (answer.status_code, answer.content) == (204, b"")
        me = get(client, "/api/v1/me")
        assert (me["kind"], me["name"], me["role"], me["provinces"]) == ("person", "nguyen.an", "staff", ["20"])
        assert me["scopes"] == ["published", "read", "respond", "visitors"]
        assert client.get("/metrics").status_code == 403
        shown = client.cookies["ttdn_session"]
        out = client.post("/api/v1/logout", headers=OWN)
        assert (out.status_code, dict(client.cookies)) == (204, {})
        client.cookies.set("ttdn_session", shown)
        again = client.get("/api/v1/me")
    assert (again.status_code, "your session is over" in again.text) == (401, True)


@pytest.mark.usefixtures("person")
def test_the_cookie_s_flags(api: Api) -> None:
    morsel = cookie_of(api.login())
    assert (morsel.key, len(morsel.value)) == ("ttdn_session", 64)
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "strict", "/")
    assert (morsel["domain"], morsel["max-age"], morsel["expires"]) == ("", "", ""), "it ends with the browser"
    assert not morsel["secure"], "http on this machine"


@pytest.mark.usefixtures("person")
def test_every_login_is_another_session_and_ends_the_one_before(api: Api, connection: psycopg.Connection) -> None:
    with api.client() as client:
        cookies = set()
        for _ in range(3):
            assert client.post("/api/v1/login", json=RIGHT).status_code == 204
            cookies.add(client.cookies["ttdn_session"])
    assert len(cookies) == 3
    assert connection.execute("SELECT count(*) FROM person_session").fetchone() == (1,)


@pytest.mark.usefixtures("person")
def test_a_session_ends_by_idleness_and_by_age(api: Api) -> None:
    with api.session() as client:
        for _ in range(11):
            api.clock.pass_s(3_590)
            assert client.get("/api/v1/me").status_code == 200
        api.clock.pass_s(3_600)
        assert client.get("/api/v1/me").status_code == 401
    with api.session() as client:
        for _ in range(24):
            assert client.get("/api/v1/me").status_code == 200
            api.clock.pass_s(1_800)
        assert client.get("/api/v1/me").status_code == 401


@pytest.mark.usefixtures("person")
def test_what_changes_holds_at_once(api: Api, connection: psycopg.Connection) -> None:
    with api.session() as client:
        connection.execute("UPDATE person SET role = 'technician', provinces = '{04}'")
        me = get(client, "/api/v1/me")
        assert (me["role"], me["provinces"]) == ("technician", ["04"])
        assert me["scopes"] == ["metrics", "operate", "read", "respond"]
        people.disable(connection, "nguyen.an", by="command:test", now=api.clock.now)
        assert client.get("/api/v1/me").status_code == 401
    assert api.login().status_code == 401


@pytest.mark.usefixtures("person")
def test_a_better_hash_is_kept_at_login(database: str, connection: psycopg.Connection) -> None:
    before = people.find_person(connection, "nguyen.an")
    assert before is not None
    with serving(database, hashing=Argon2()) as api:
        assert api.login().status_code == 204
        after = people.find_person(connection, "nguyen.an")
        assert after is not None
        assert after.password != before.password
        assert "m=65536,t=3,p=4" in after.password
        assert api.login().status_code == 204
    unchanged = people.find_person(connection, "nguyen.an")
    assert unchanged is not None
    assert unchanged.password == after.password


# -- wrong ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("person")
def test_wrong_passwords_unknown_names_and_disabled_people_get_the_same_answer(
    api: Api, connection: psycopg.Connection
) -> None:
    add_person(connection, "disabled", now=api.clock.now)
    people.disable(connection, "disabled", by="command:test", now=api.clock.now)
    answers = [
        api.login(password="not the password"),
        api.login("nobody"),
        api.login("disabled"),
        api.login("no name\0at all '--"),
        api.login(""),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (401, '{"detail":"name or password is wrong"}')
    }
    assert not any("set-cookie" in answer.headers for answer in answers)


@pytest.mark.usefixtures("person")
def test_a_password_is_compared_for_everybody(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, with a hash of the same parameters, whether there is such a person or not."""
    compared: list[str | None] = []
    real = CHEAP.verify

    def verify(kept: str | None, password: str) -> bool:
        compared.append(kept)
        return real(kept, password)

    monkeypatch.setattr(CHEAP, "verify", verify)
    with serving(database) as api:
        for name in ("nguyen.an", "nobody", "no name at all"):
            api.login(name, "not the password")
    assert [kept is None for kept in compared] == [False, True, True]


def test_the_form_of_a_login(api: Api) -> None:
    with api.client() as client:
        bodies: list[object] = [{}, [], {"name": "a"}, {"name": "a", "password": 1}]
        for body in (*bodies, {"name": "a", "password": "s3cret", "x": 1}, {"password": "s3cret"}):
            answer = client.post("/api/v1/login", json=body)
            assert (answer.status_code, "s3cret" in answer.text) == (422, False)
        assert client.post("/api/v1/login", content=b"\xff\xfe").status_code == 422
        assert client.post("/api/v1/login", json=RIGHT | {"password": "x" * 2_000}).status_code == 422


# -- waiting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nguyen.an", "nobody"])
@pytest.mark.usefixtures("person")
def test_guessing_waits_and_the_wait_ends(api: Api, name: str) -> None:
    assert failures(api, 7, name=name) == [401] * 5 + [429] * 2
    waiting = api.login(name)
    assert (waiting.status_code, waiting.headers["retry-after"]) == (429, "30")
    assert "try again in 30 s" in waiting.json()["detail"]
    api.clock.pass_s(29)
    assert api.login(name).status_code == 429, "not even with the right password"
    api.clock.pass_s(1)
    assert api.login(name).status_code == (204 if name == "nguyen.an" else 401)


@pytest.mark.usefixtures("person")
def test_nobody_is_locked_out_by_somebody_else(api: Api) -> None:
    with api.session() as client:
        assert failures(api, 40, "127.0.0.66")[-1] == 429
        assert api.login(address="127.0.0.66").status_code == 429
        assert api.login(address="127.0.0.7").status_code == 204
        assert client.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize("name", ["nguyen.an", "nobody"])
@pytest.mark.usefixtures("person")
def test_many_addresses_at_once_lock_the_account_for_those_who_are_not_known(
    api: Api, connection: psycopg.Connection, name: str
) -> None:
    assert api.login().status_code == 204, "known from now on"
    for number in range(EVERYWHERE.tries // ONE_ADDRESS.tries):
        assert failures(api, 5, f"127.0.1.{number}", name) == [401] * 5
    assert api.login(name, address="127.0.2.1").status_code == 429
    assert api.login().status_code == 204
    if name == "nguyen.an":
        people.unlock(connection, name, by="command:test", now=api.clock.now)
        assert api.login(address="127.0.2.2").status_code == 204
    else:
        api.clock.pass_s(EVERYWHERE.first_wait_s)
        assert api.login(name, address="127.0.2.2").status_code == 401


@pytest.mark.usefixtures("person")
def test_an_address_that_tries_many_names_waits(api: Api) -> None:
    codes = [api.login(f"name{number}", address="127.0.0.77").status_code for number in range(31)]
    assert codes == [401] * 30 + [429]
    assert api.login(address="127.0.0.77").status_code == 429
    assert api.login(address="127.0.0.78").status_code == 204


@pytest.mark.usefixtures("person")
def test_too_many_at_the_same_moment_are_sent_away(api: Api) -> None:
    places = CHEAP._places
    taken = 0
    while places.acquire(blocking=False):
        taken += 1
    try:
        busy = api.login()
    finally:
        for _ in range(taken):
            places.release()
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "2")
    assert api.login().status_code == 204, "and it did not count as a failure"


# -- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("person")
def test_no_secret_and_no_address_is_written_down(
    api: Api, connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    typed_as_name = "bốn con ngựa vàng typed as name"
    api.login(typed_as_name, "x", "127.0.0.55")
    api.login("nguyen.an", "wrong-s3cret", "127.0.0.55")
    session = cookie_of(api.login(address="127.0.0.55")).value
    tables = ("person", "person_session", "api_token", "audit_entry")
    kept = json.dumps([connection.execute(f"SELECT t::text FROM {table} t").fetchall() for table in tables])
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpcore", "httpx"))]
    written = kept + "".join(line for line in ours if "what is on every screen" not in line)
    for secret in (PASSWORD, typed_as_name, "wrong-s3cret", session, "127.0.0.55"):
        assert secret not in written
        assert json.dumps(secret)[1:-1] not in written
    deeds = connection.execute("SELECT deed, what FROM audit_entry ORDER BY id").fetchall()
    assert deeds[1:] == [
        ("login_failed", "nobody"),
        ("login_failed", "person:nguyen.an"),
        ("login", "person:nguyen.an"),
    ]


# -- the form ---------------------------------------------------------------------------------------------------------


def test_the_page_asks_for_a_login(api: Api) -> None:
    with api.client() as client:
        asked = client.get("/")
        assert (asked.status_code, asked.headers["location"]) == (303, "/login")
        page = client.get("/login")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "form-action 'self'" in page.headers["content-security-policy"]
    for words in ("Đăng nhập", "Mật khẩu", 'action="/login"', 'method="post"', "ttdn-hub user add"):
        assert words in page.text
    assert "<script" not in page.text


@pytest.mark.usefixtures("person")
def test_a_login_with_the_form(api: Api) -> None:
    with api.client() as client:
        assert "Chưa có tài khoản nào" not in client.get("/login").text
        wrong = client.post("/login", data=WRONG | {"name": "<b>Nguyen.An"})
        assert (wrong.status_code, "Tên hoặc mật khẩu không đúng" in wrong.text) == (401, True)
        assert "<b>" not in wrong.text
        assert "not the password" not in wrong.text
        empty = client.post("/login", data={"name": "nguyen.an", "password": ""})
        assert (empty.status_code, "Xin nhập tên và mật khẩu" in empty.text) == (422, True)
        entered = client.post("/login", data=RIGHT)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        page = client.get("/")
        assert page.status_code == 200
        for words in ("nguyen.an", "Cán bộ", "tỉnh 20", "Đăng xuất", "trong phạm vi được xem: tỉnh 20"):
            assert words in page.text
        left = client.post("/logout", headers={"Sec-Fetch-Site": "same-origin"})
        assert (left.status_code, left.headers["location"]) == (303, "/login?out=1")
        assert "Đã đăng xuất" in client.get("/login?out=1").text
        assert client.get("/").status_code == 303
        assert client.post("/logout").status_code == 303


@pytest.mark.usefixtures("person")
def test_the_form_says_how_long_to_wait(api: Api) -> None:
    failures(api, 5)
    with api.client() as client:
        page = client.post("/login", data=RIGHT)
        assert (page.status_code, page.headers["retry-after"]) == (429, "30")
        assert "Xin thử lại sau 30 giây" in page.text
        for body in (b"\xff\xfe", b"&" * 1_000, b"a=1&" * 100):
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            assert client.post("/login", content=body, headers=form).status_code == 422


def test_waits_in_words() -> None:
    assert [wait_words(seconds) for seconds in (0.2, 1, 29.1, 59, 60, 61, 899.5)] == [
        "1 giây",
        "1 giây",
        "30 giây",
        "59 giây",
        "1 phút",
        "2 phút",
        "15 phút",
    ]
