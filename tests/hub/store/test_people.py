"""People, sessions and tokens in the database: what is kept, what ends, and what the log tells of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from hub.people.errors import PeopleRefused
from hub.people.lockout import EVERYWHERE, NO_FAILURES, wait_s
from hub.people.sessions import Lifetime, new_session
from hub.people.tokens import presented
from hub.store import people
from hub.store.people import Person
from hub.store.registry import import_sites
from tests.hub.people.making import CHEAP, DEMO, NOW, PASSWORD, add_person, add_token

LIFETIME = Lifetime(timedelta(hours=12), timedelta(hours=1))
BY = "command:root"


def person_of(connection: psycopg.Connection, name: str = "nguyen.an") -> Person:
    found = people.find_person(connection, name)
    assert found is not None
    return found


def log_of(connection: psycopg.Connection) -> list[tuple[str, str, str]]:
    return connection.execute("SELECT who, deed, what FROM audit_entry ORDER BY id").fetchall()


def everything(connection: psycopg.Connection) -> str:
    """All that the tables of people hold, as text."""
    tables = ("person", "person_session", "api_token", "audit_entry")
    return "\n".join(
        str(row) for table in tables for row in connection.execute(f"SELECT row_to_json(t)::text FROM {table} t")
    )


# -- persons ----------------------------------------------------------------------------------------------------------


def test_somebody_new(connection: psycopg.Connection) -> None:
    assert not people.anybody(connection)
    add_person(connection, provinces=frozenset({"20", "04"}))
    person = person_of(connection)
    assert (person.role, person.provinces, person.failures) == ("staff", frozenset({"20", "04"}), NO_FAILURES)
    assert CHEAP.verify(person.password, PASSWORD)
    assert people.anybody(connection)
    with pytest.raises(PeopleRefused, match="đã có"):
        add_person(connection)
    assert people.find_person(connection, "nobody") is None
    add_person(connection, "binh", "administrator")
    assert [(found.name, found.provinces) for found in people.persons(connection)] == [
        ("binh", None),
        ("nguyen.an", {"20", "04"}),
    ]


def test_every_deed_is_in_the_log_with_who_when_and_on_what(connection: psycopg.Connection) -> None:
    add_person(connection, provinces=frozenset({"20"}))
    people.set_password(connection, "nguyen.an", CHEAP.hash("x"), by=BY, now=NOW)
    people.disable(connection, "nguyen.an", by=BY, now=NOW)
    people.enable(connection, "nguyen.an", by=BY, now=NOW)
    people.unlock(connection, "nguyen.an", by=BY, now=NOW)
    token = add_token(connection, "read", provinces=frozenset({"20"}))
    people.revoke_token(connection, token.key, by=BY, now=NOW)
    people.note_failure(connection, person_of(connection), NOW)
    people.note_failure(connection, None, NOW)
    session = new_session()
    assert people.open_session(connection, person_of(connection), session.sha256, LIFETIME, NOW)
    people.close_session(connection, session.sha256, NOW)
    whom, key = "person:nguyen.an", f"token:{token.key}"
    assert log_of(connection) == [
        ("command:test", "person_added", whom),
        (BY, "person_password_set", whom),
        (BY, "person_disabled", whom),
        (BY, "person_enabled", whom),
        (BY, "person_unlocked", whom),
        ("command:test", "token_created", key),
        (BY, "token_revoked", key),
        ("nobody", "login_failed", whom),
        ("nobody", "login_failed", "nobody"),
        (whom, "login", whom),
        (whom, "logout", whom),
    ]
    details = connection.execute("SELECT detail FROM audit_entry WHERE deed = 'person_added'").fetchone()
    assert details == ({"role": "staff", "provinces": ["20"]},)
    assert connection.execute("SELECT DISTINCT at FROM audit_entry").fetchall() == [(NOW,)]


@pytest.mark.parametrize(
    "change", ["UPDATE audit_entry SET who = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
def test_the_log_is_append_only(connection: psycopg.Connection, change: str) -> None:
    add_person(connection)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        connection.execute(change.encode())
    assert len(log_of(connection)) == 1


def test_what_cannot_be_done_leaves_no_entry(connection: psycopg.Connection) -> None:
    for change in (people.disable, people.enable, people.unlock):
        with pytest.raises(PeopleRefused, match="không có tài khoản"):
            change(connection, "nobody", by=BY, now=NOW)
    with pytest.raises(PeopleRefused):
        people.set_password(connection, "nobody", CHEAP.hash("x"), by=BY, now=NOW)
    with pytest.raises(PeopleRefused, match="không có token"):
        people.revoke_token(connection, "0" * 12, by=BY, now=NOW)
    people.close_session(connection, bytes(32), NOW)
    assert log_of(connection) == []


def test_no_secret_is_in_the_tables(connection: psycopg.Connection) -> None:
    add_person(connection)
    token, session = add_token(connection, "read"), new_session()
    people.open_session(connection, person_of(connection), session.sha256, LIFETIME, NOW)
    kept = everything(connection)
    assert token.key in kept
    for secret in (PASSWORD, token.text, token.text.split("_")[2], session.text):
        assert secret not in kept
        assert json.dumps(secret) not in kept


def test_failures_are_counted_by_the_rules_and_forgiven(connection: psycopg.Connection) -> None:
    add_person(connection)
    for _ in range(EVERYWHERE.tries):
        people.note_failure(connection, person_of(connection), NOW)
    locked = person_of(connection)
    assert (locked.failures.level, locked.failures.at) == (EVERYWHERE.tries, NOW)
    assert wait_s(locked.failures, NOW, EVERYWHERE) == EVERYWHERE.first_wait_s
    people.unlock(connection, "nguyen.an", by=BY, now=NOW)
    free = person_of(connection)
    assert (free.failures, free.unlocked_at) == (NO_FAILURES, NOW)


def test_rehashing_never_brings_back_a_former_password(connection: psycopg.Connection) -> None:
    add_person(connection)
    read_before = person_of(connection)
    people.rehash(connection, read_before, CHEAP.hash(PASSWORD))
    better = person_of(connection)
    assert better.password != read_before.password
    people.set_password(connection, "nguyen.an", CHEAP.hash("another"), by=BY, now=NOW)
    people.rehash(connection, better, CHEAP.hash(PASSWORD))
    assert CHEAP.verify(person_of(connection).password, "another")


# -- sessions ---------------------------------------------------------------------------------------------------------


def opened(connection: psycopg.Connection, now: Any = NOW) -> bytes:
    session = new_session()
    assert people.open_session(connection, person_of(connection), session.sha256, LIFETIME, now)
    return session.sha256


def test_a_session_tells_who_it_is_now(connection: psycopg.Connection) -> None:
    add_person(connection, provinces=frozenset({"20"}))
    session = opened(connection)
    found = people.find_session(connection, session, LIFETIME, NOW)
    assert found is not None
    who = found.principal(LIFETIME)
    assert (who.key, who.role, who.provinces, who.until) == (
        "person:nguyen.an",
        "staff",
        frozenset({"20"}),
        NOW + timedelta(hours=1),
    )
    connection.execute("UPDATE person SET role = 'of a newer hub', provinces = '{04}'")
    found = people.find_session(connection, session, LIFETIME, NOW)
    assert found is not None
    assert (found.principal(LIFETIME).scopes, found.principal(LIFETIME).provinces) == (frozenset(), frozenset({"04"}))


def test_a_session_that_is_used_lives_on_and_is_noted_once_a_minute(connection: psycopg.Connection) -> None:
    add_person(connection)
    session = opened(connection)
    seen = []
    for seconds in (30, 59, 61, 100, 3_600, 7_100):
        assert people.find_session(connection, session, LIFETIME, NOW + timedelta(seconds=seconds)) is not None
        seen += connection.execute("SELECT seen_at FROM person_session").fetchall()
    noted = [(at - NOW).total_seconds() for (at,) in seen]
    assert noted == [0, 0, 61, 61, 3_600, 7_100]
    assert people.find_session(connection, session, LIFETIME, NOW + timedelta(seconds=7_100 + 3_600)) is None


def test_sessions_end_with_the_password_and_with_the_account(connection: psycopg.Connection) -> None:
    add_person(connection)
    first = opened(connection)
    assert people.find_session(connection, first, LIFETIME, NOW) is not None
    people.set_password(connection, "nguyen.an", CHEAP.hash("x"), by=BY, now=NOW)
    assert people.find_session(connection, first, LIFETIME, NOW) is None
    session = opened(connection)
    people.disable(connection, "nguyen.an", by=BY, now=NOW)
    assert people.find_session(connection, session, LIFETIME, NOW) is None
    people.enable(connection, "nguyen.an", by=BY, now=NOW)
    assert people.find_session(connection, session, LIFETIME, NOW) is None


def test_no_session_begins_with_what_was_true_a_moment_ago(connection: psycopg.Connection) -> None:
    add_person(connection)
    read_before = person_of(connection)
    people.set_password(connection, "nguyen.an", CHEAP.hash("x"), by=BY, now=NOW)
    assert not people.open_session(connection, read_before, new_session().sha256, LIFETIME, NOW)
    read_before = person_of(connection)
    people.disable(connection, "nguyen.an", by=BY, now=NOW)
    assert not people.open_session(connection, read_before, new_session().sha256, LIFETIME, NOW)
    assert connection.execute("SELECT count(*) FROM person_session").fetchone() == (0,)
    assert "login" not in [deed for _, deed, _ in log_of(connection)]


def test_sessions_that_are_over_are_forgotten(connection: psycopg.Connection) -> None:
    add_person(connection)
    for _ in range(3):
        opened(connection)
    opened(connection, NOW + timedelta(hours=2))
    assert connection.execute("SELECT count(*) FROM person_session").fetchone() == (1,)


# -- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_comes_back_as_it_was_made(connection: psycopg.Connection) -> None:
    made = add_token(connection, "read", "metrics", provinces=frozenset({"20"}), days=30)
    shown = presented(made.text)
    assert shown is not None
    found = people.find_token(connection, shown.key)
    assert found is not None
    assert (found.name, found.scopes, found.provinces, found.sha256) == (
        "test",
        frozenset({"read", "metrics"}),
        frozenset({"20"}),
        made.sha256,
    )
    assert (found.expires_at, found.revoked_at, found.used_at) == (NOW + timedelta(days=30), None, None)
    assert people.find_token(connection, "0" * 12) is None
    every = add_token(connection, "metrics")
    assert [token.key for token in people.tokens(connection)] == [made.key, every.key]
    assert people.tokens(connection)[1].provinces is None


def test_a_scope_of_a_newer_hub_is_not_known_here(connection: psycopg.Connection) -> None:
    made = add_token(connection, "read", "fly")
    found = people.find_token(connection, made.key)
    assert found is not None
    assert found.scopes == {"read"}


def test_revoking_again_keeps_the_first_time(connection: psycopg.Connection) -> None:
    made = add_token(connection, "read")
    assert people.revoke_token(connection, made.key, by=BY, now=NOW) == "test"
    people.revoke_token(connection, made.key, by=BY, now=NOW + timedelta(days=1))
    found = people.find_token(connection, made.key)
    assert found is not None
    assert found.revoked_at == NOW


def test_use_is_noted_now_and_then(connection: psycopg.Connection) -> None:
    made = add_token(connection, "read")
    noted = []
    for minutes in (0, 5, 9, 10, 21):
        found = people.find_token(connection, made.key)
        assert found is not None
        people.note_token(connection, found, NOW + timedelta(minutes=minutes))
        noted += connection.execute("SELECT used_at FROM api_token").fetchall()
    assert [(at - NOW).total_seconds() / 60 for (at,) in noted] == [0, 0, 0, 10, 21]


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE person SET password = 'in clear'",
        "UPDATE person SET name = 'Nguyen.An'",
        "INSERT INTO person_session VALUES ('short', 1, now(), now())",
        "INSERT INTO api_token (key, name, sha256, scopes, created_at, expires_at)"
        " VALUES ('k', 'n', 'short', '{read}', now(), now())",
        "INSERT INTO api_token (key, name, sha256, scopes, created_at, expires_at)"
        " VALUES ('k', 'n', sha256('x'), '{}', now(), now())",
        "UPDATE person SET provinces = '{}'",
    ],
)
def test_the_tables_take_no_secret_in_clear_and_no_empty_lists(connection: psycopg.Connection, broken: str) -> None:
    add_person(connection)
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(broken.encode())


def test_provinces_without_a_site(connection: psycopg.Connection) -> None:
    import_sites(connection, DEMO.read_bytes())
    assert people.unknown_provinces(connection, frozenset({"20", "99", "00"})) == ["00", "99"]
    assert people.unknown_provinces(connection, None) == []
