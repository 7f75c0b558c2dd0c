"""The table of roles: every scope is explained and given to somebody, and nobody has what is not in it."""

from __future__ import annotations

from typing import get_args

import pytest

from hub.people import strings
from hub.people.deeds import DEEDS
from hub.people.errors import PeopleRefused
from hub.people.names import login_name, new_login_name, provinces_of, token_name
from hub.people.principal import LOCAL, Principal, covers
from hub.people.roles import PERSONAL, ROLES, SCOPES, Role, Scope, is_role, is_scope, scopes_of


def test_the_table_is_whole() -> None:
    assert [meaning.scope for meaning in SCOPES] == list(get_args(Scope))
    assert [grant.role for grant in ROLES] == list(get_args(Role))
    assert set().union(*(grant.scopes for grant in ROLES)) == set(get_args(Scope))
    assert scopes_of("administrator") == set(get_args(Scope))
    assert set(strings.ROLES) == set(get_args(Role))
    assert len(set(DEEDS)) == len(DEEDS)


def test_what_a_person_alone_may_is_said_and_given_to_those_in_the_province() -> None:
    assert set(get_args(Scope)) >= PERSONAL
    assert {grant.role for grant in ROLES if "respond" in grant.scopes} == {"technician", "staff", "administrator"}


@pytest.mark.parametrize(
    ("scope", "exact"), [("read", False), ("published", False), ("visitors", True), ("respond", True)]
)
def test_who_sees_names_of_people(scope: Scope, exact: bool) -> None:
    assert Principal("person", "an", frozenset({scope}), None).is_exact is exact


def test_the_ministry_has_no_exact_figures_of_visitors() -> None:
    assert "visitors" not in scopes_of("ministry")
    assert "published" in scopes_of("ministry")


@pytest.mark.parametrize("role", ["", "root", "Administrator", "read"])
def test_an_unknown_role_is_allowed_nothing(role: str) -> None:
    assert (scopes_of(role), is_role(role)) == (frozenset(), False)


def test_a_scope_alone_is_not_enough() -> None:
    who = Principal("token", "k", frozenset({"read"}), frozenset({"20", "22"}))
    assert who.may("read", "20")
    assert not who.may("read", "04")
    assert not who.may("read", None), "an unregistered device stands in no province"
    assert not who.may("metrics", "20")
    assert who.has("read")
    assert Principal("token", "k", frozenset({"read"}), None).may("read", None)


def test_no_provinces_are_not_all() -> None:
    assert covers(None, "20")
    assert covers(None, None)
    assert not covers(frozenset(), "20")
    assert not covers(frozenset(), None)


def test_who_is_local_may_read_and_count_only() -> None:
    assert LOCAL.scopes == {"read", "metrics"}
    assert LOCAL.key == "local:loopback"
    assert is_scope("read")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("nguyen.an", "nguyen.an"),
        ("  Nguyen.An ", "nguyen.an"),
        ("ｎguyen", "nguyen"),
        ("a", "a"),
        ("x" * 40, "x" * 40),
        ("x" * 41, None),
        ("nguyễn", None),
        ("a b", None),
        ("-a", None),
        ("a.", None),
        ("", None),
        ("a\0", None),
        ("a\n", "a"),
    ],
)
def test_login_names(typed: str, name: str | None) -> None:
    assert login_name(typed) == name
    if name is None:
        with pytest.raises(PeopleRefused, match="tên đăng nhập"):
            new_login_name(typed)


def test_names_of_tokens() -> None:
    assert token_name(" Bảng điều khiển ") == "Bảng điều khiển"
    for bad in ("", " ", "a\nb", "x" * 41):
        with pytest.raises(PeopleRefused):
            token_name(bad)


def test_provinces_are_always_said() -> None:
    assert provinces_of(["20", "04", "20"], every=False) == frozenset({"20", "04"})
    assert provinces_of([], every=True) is None
    for codes, every in (([], False), (["20"], True)):
        with pytest.raises(PeopleRefused, match="--all-provinces"):
            provinces_of(codes, every=every)
    for bad in ("2", "200", "Lạng Sơn", "٢٠", "20\n"):
        with pytest.raises(PeopleRefused, match="mã tỉnh"):
            provinces_of([bad], every=False)
