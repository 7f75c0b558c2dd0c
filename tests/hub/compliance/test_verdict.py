"""What a play is by the catalogue: never worse than can be proven, never better, whole for every day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import strings
from hub.compliance.verdict import (
    VERDICTS,
    Approval,
    ContentVersion,
    Finding,
    Stretch,
    resolve,
    timeline,
)

NUMBER = Approval("12/QĐ-SVHTTDL", "Sở VHTTDL Lạng Sơn", date(2026, 1, 5))
START = date(2026, 3, 1)
A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
WELCOME, FILM = "welcome.mp4", "film.mp4"

V1 = ContentVersion("ND-1", 1, frozenset({WELCOME}), A, NUMBER, START, date(2026, 3, 31))
V2 = ContentVersion("ND-1", 2, frozenset({WELCOME}), B, NUMBER, date(2026, 5, 1))
OTHER = ContentVersion("ND-2", 1, frozenset({FILM}), C, NUMBER, START)
PAGE = ContentVersion("ND-3", 1, frozenset({"https://tt.vn/"}), None, NUMBER, START)
DRAFT = ContentVersion("ND-4", 1, frozenset({"draft.mp4"}), D, None, START)
CATALOGUE = [V1, V2, OTHER, PAGE, DRAFT]

MARCH, APRIL, MAY = date(2026, 3, 15), date(2026, 4, 15), date(2026, 5, 15)


def found(ref: str, sha256: str | None, day: date, catalogue: list[ContentVersion] | None = None) -> Finding:
    return resolve(CATALOGUE if catalogue is None else catalogue, ref, sha256, day)


@pytest.mark.parametrize(
    ("ref", "sha256", "day", "expected"),
    [
        (WELCOME, A, MARCH, Finding("approved", "ND-1", 1)),
        (WELCOME, A, date(2026, 3, 1), Finding("approved", "ND-1", 1)),
        (WELCOME, A, date(2026, 3, 31), Finding("approved", "ND-1", 1)),
        (WELCOME, A, date(2026, 4, 1), Finding("expired", "ND-1", 1)),
        (WELCOME, A, date(2026, 2, 28), Finding("not_yet_valid", "ND-1", 1)),
        (WELCOME, A, MAY, Finding("expired", "ND-1", 1)),
        (WELCOME, B, MAY, Finding("approved", "ND-1", 2)),
        (WELCOME, B, MARCH, Finding("not_yet_valid", "ND-1", 2)),
        (WELCOME, None, MARCH, Finding("approved", "ND-1", 1)),
        (WELCOME, None, APRIL, Finding("expired", "ND-1", 1)),
        (WELCOME, None, MAY, Finding("approved", "ND-1", 2)),
        (WELCOME, None, date(2026, 1, 1), Finding("not_yet_valid", "ND-1", 1)),
        (WELCOME, "e" * 64, MARCH, Finding("altered", "ND-1", 1)),
        (WELCOME, "e" * 64, MAY, Finding("altered", "ND-1", 2)),
        ("renamed.mp4", A, MARCH, Finding("approved", "ND-1", 1)),
        (WELCOME, C, MARCH, Finding("approved", "ND-2", 1)),
        ("https://tt.vn/", None, MARCH, Finding("approved", "ND-3", 1)),
        ("https://tt.vn/", A[:-1] + "0", MARCH, Finding("approved", "ND-3", 1)),
        ("https://tt.vn", None, MARCH, Finding("unknown")),
        ("nobody-knows.mp4", None, MARCH, Finding("unknown")),
        ("nobody-knows.mp4", "e" * 64, MARCH, Finding("unknown")),
        ("draft.mp4", None, MARCH, Finding("unknown", "ND-4", 1)),
        ("draft.mp4", D, MARCH, Finding("unknown", "ND-4", 1)),
        ("draft.mp4", "e" * 64, MARCH, Finding("unknown", "ND-4", 1)),
    ],
)
def test_examples(ref: str, sha256: str | None, day: date, expected: Finding) -> None:
    assert found(ref, sha256, day) == expected


def test_an_approval_that_comes_late_answers_for_the_past() -> None:
    late = replace(DRAFT, approval=Approval("99/QĐ", "Sở", date(2027, 1, 1)))
    assert found("draft.mp4", D, MARCH, [late]) == Finding("approved", "ND-4", 1)


def test_a_version_that_might_be_it_is_enough_not_to_say_altered() -> None:
    unread = ContentVersion("ND-1", 3, frozenset({WELCOME}), None, NUMBER, START)
    assert found(WELCOME, "e" * 64, MARCH, [V1, V2, unread]) == Finding("approved", "ND-1", 3)


def test_a_draft_that_might_be_it_is_no_excuse() -> None:
    draft = ContentVersion("ND-1", 3, frozenset({WELCOME}), None, None, START)
    assert found(WELCOME, "e" * 64, MARCH, [V1, V2, draft]) == Finding("altered", "ND-1", 1)


def test_a_draft_s_bytes_under_an_approved_name_are_the_draft() -> None:
    draft = ContentVersion("ND-1", 3, frozenset({WELCOME}), D, None, START)
    assert found(WELCOME, D, MARCH, [V1, V2, draft]) == Finding("unknown", "ND-1", 3)


def test_withdrawn_keeps_its_past() -> None:
    withdrawn = replace(V2, withdrawn_on=date(2026, 5, 10))
    assert found(WELCOME, B, date(2026, 5, 9), [withdrawn]) == Finding("approved", "ND-1", 2)
    assert found(WELCOME, B, date(2026, 5, 10), [withdrawn]) == Finding("expired", "ND-1", 2)
    assert found(WELCOME, "e" * 64, MAY, [withdrawn]).verdict == "altered"


def test_withdrawn_after_its_end_changes_nothing() -> None:
    withdrawn = replace(V1, withdrawn_on=date(2026, 6, 1))
    assert timeline([withdrawn], WELCOME, A) == timeline([V1], WELCOME, A)


def test_of_several_approved_ones_the_newest_that_bears_the_name() -> None:
    twin = ContentVersion("ND-0", 7, frozenset({"twin.mp4"}), A, NUMBER, START)
    newer = replace(V1, version=2, valid_until=None)
    assert found(WELCOME, A, MARCH, [twin, V1, newer]) == Finding("approved", "ND-1", 2)
    assert found("twin.mp4", A, MARCH, [twin, V1, newer]) == Finding("approved", "ND-0", 7)
    assert found("else.mp4", A, MARCH, [twin, V1, newer]) == Finding("approved", "ND-0", 7)


def test_of_expired_ones_the_last_to_end_and_of_coming_ones_the_first_to_begin() -> None:
    early = replace(V1, version=9, valid_until=date(2026, 3, 10))
    soon = replace(V2, version=1, valid_from=date(2026, 4, 20))
    assert found(WELCOME, None, APRIL, [early, V1, V2]) == Finding("expired", "ND-1", 1)
    assert found(WELCOME, None, APRIL, [V2, soon]) == Finding("not_yet_valid", "ND-1", 1)


def test_a_timeline() -> None:
    assert timeline(CATALOGUE, WELCOME, None) == (
        Stretch(date.min, date(2026, 2, 28), Finding("not_yet_valid", "ND-1", 1)),
        Stretch(date(2026, 3, 1), date(2026, 3, 31), Finding("approved", "ND-1", 1)),
        Stretch(date(2026, 4, 1), date(2026, 4, 30), Finding("expired", "ND-1", 1)),
        Stretch(date(2026, 5, 1), date.max, Finding("approved", "ND-1", 2)),
    )


def test_a_timeline_of_the_unknown() -> None:
    assert timeline(CATALOGUE, "nobody-knows.mp4", None) == (Stretch(date.min, date.max, Finding("unknown")),)


@pytest.mark.parametrize("ends", [date.min, date.max])
def test_the_ends_of_the_calendar(ends: date) -> None:
    for version in (replace(V1, withdrawn_on=ends), replace(V1, valid_until=ends), replace(V1, valid_from=ends)):
        stretches = timeline([version], WELCOME, A)
        assert (stretches[0].first, stretches[-1].last) == (date.min, date.max)


def test_every_verdict_has_a_label() -> None:
    assert tuple(strings.VERDICTS) == tuple(strings.VERDICT_HINTS) == VERDICTS


EPOCH = date(2026, 3, 1)
DAYS = st.integers(0, 12).map(lambda days: EPOCH + timedelta(days=days))
REFS = st.sampled_from(["x", "y", "z"])
SHAS = st.sampled_from([None, A, B, C])
VERSIONS = st.builds(
    ContentVersion,
    code=st.sampled_from(["ND-1", "ND-2"]),
    version=st.integers(1, 4),
    refs=st.frozensets(REFS, max_size=2),
    sha256=SHAS,
    approval=st.sampled_from([None, NUMBER, NUMBER]),
    valid_from=DAYS,
    valid_until=st.none() | DAYS,
    withdrawn_on=st.none() | st.none() | DAYS,
    deleted=st.sampled_from([False, False, False, True]),
)
CATALOGUES = st.lists(VERSIONS, max_size=6)


def naive(versions: list[ContentVersion], ref: str, sha256: str | None, day: date) -> str:
    """The rules once more, as questions in their order."""
    alive = [one for one in versions if not one.deleted]
    same_bytes = [one for one in alive if sha256 is not None and one.sha256 == sha256]
    same_name = [one for one in alive if ref in one.refs]
    if not same_bytes and sha256 is not None:
        answered = [one for one in same_name if one.approval]
        if answered and all(one.sha256 is not None for one in answered):
            return "altered"
    may_be = same_bytes or [one for one in same_name if sha256 is None or one.sha256 is None]
    ended = [
        (one.valid_until is not None and day > one.valid_until)
        or (one.withdrawn_on is not None and day >= one.withdrawn_on)
        for one in may_be
    ]
    states = {
        "unknown"
        if not one.approval
        else "expired"
        if over
        else "approved"
        if day >= one.valid_from
        else "not_yet_valid"
        for one, over in zip(may_be, ended, strict=True)
    }
    return next((state for state in ("approved", "expired", "not_yet_valid") if state in states), "unknown")


@given(CATALOGUES, REFS, SHAS, DAYS)
def test_the_verdict_follows_the_rules(versions: list[ContentVersion], ref: str, sha256: str | None, day: date) -> None:
    assert resolve(versions, ref, sha256, day).verdict == naive(versions, ref, sha256, day)


@given(CATALOGUES, REFS, SHAS, DAYS)
def test_neither_order_nor_what_is_deleted_or_of_others_matters(
    versions: list[ContentVersion], ref: str, sha256: str | None, day: date
) -> None:
    expected = resolve(versions, ref, sha256, day)
    touching = [one for one in versions if not one.deleted and one.touches(ref, sha256)]
    assert resolve(reversed(versions), ref, sha256, day) == expected
    assert resolve(touching, ref, sha256, day) == expected


@given(CATALOGUES, REFS, SHAS, DAYS)
def test_a_finding_names_a_version_that_touches_it(
    versions: list[ContentVersion], ref: str, sha256: str | None, day: date
) -> None:
    finding = resolve(versions, ref, sha256, day)
    named = [one for one in versions if (one.code, one.version) == (finding.code, finding.version)]
    if finding.code is None:
        assert finding == Finding("unknown")
        assert not any(one.touches(ref, sha256) for one in versions if not one.deleted)
    else:
        assert any(one.touches(ref, sha256) and not one.deleted for one in named)


@settings(deadline=None)
@given(CATALOGUES, REFS, SHAS)
def test_a_timeline_covers_every_day_once_and_says_what_that_day_says(
    versions: list[ContentVersion], ref: str, sha256: str | None
) -> None:
    stretches = timeline(versions, ref, sha256)
    assert (stretches[0].first, stretches[-1].last) == (date.min, date.max)
    for left, right in pairwise(stretches):
        assert left.last + timedelta(days=1) == right.first
        assert left.finding != right.finding
    for day in [date.min, date.max, *(EPOCH + timedelta(days=days) for days in range(-2, 16))]:
        (finding,) = [one.finding for one in stretches if one.first <= day <= one.last]
        assert finding == resolve(versions, ref, sha256, day)


@given(CATALOGUES, REFS, SHAS, DAYS, st.integers(0, 5))
def test_an_approval_never_makes_what_was_shown_under_it_worse(
    versions: list[ContentVersion], ref: str, sha256: str | None, day: date, which: int
) -> None:
    """But for one case: a name with an approval can be altered, a name without one cannot."""
    before = resolve(versions, ref, sha256, day)
    approved = [replace(one, approval=NUMBER) if at == which else one for at, one in enumerate(versions)]
    after = resolve(approved, ref, sha256, day)
    rank = {"approved": 0, "expired": 1, "not_yet_valid": 2, "unknown": 3, "altered": 3}
    assert rank[after.verdict] <= rank[before.verdict]
