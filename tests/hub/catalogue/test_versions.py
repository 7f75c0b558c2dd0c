"""Which of a content's versions still have a say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.catalogue.contents import Content
from hub.catalogue.versions import Version, following, in_force, same_medium, standing, withdrawn
from hub.compliance.verdict import Approval, ContentVersion, resolve
from tests.hub.catalogue.making import AT, A, B, content

LATER = Approval("99/QĐ", "Sở", date(2026, 6, 1))
JUNE, JULY = date(2026, 6, 15), date(2026, 7, 15)
NEW = {"media_sha256": B, "title_vi": "bản dựng lại"}


def said(*statements: Content) -> list[Version]:
    """One after another, as imports record them."""
    versions: list[Version] = []
    for one in statements:
        version = following(versions, one, AT, "an")
        versions += [version] if version is not None else []
    return versions


def numbers(versions: Sequence[Version]) -> list[int]:
    return [version.number for version in standing(versions)]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([{}], [1]),
        ([{}, {}], [1]),
        ([{}, {"title_vi": "khác"}], [2]),
        ([{"media_sha256": A}, {"media_sha256": A, "refs": frozenset({"b.mp4"})}], [2]),
        ([{"media_sha256": A}, {"media_sha256": B}], [1, 2]),
        ([{"media_sha256": A}, {"media_sha256": B}, {"media_sha256": A, "title_vi": "x"}], [2, 3]),
        ([{"media_sha256": A}, {"media_sha256": B}, {"media_sha256": A}], [1, 2]),
        ([{}, {"media_sha256": A}], [2]),
        ([{"media_sha256": A}, {}], [2]),
        ([{"refs": frozenset({"a.mp4"})}, {"refs": frozenset({"b.mp4"})}], [1, 2]),
        ([{"refs": frozenset({"a.mp4", "b.mp4"})}, {"refs": frozenset({"b.mp4", "c.mp4"})}], [2]),
        # What took a version's place does not give it back when its own place is taken.
        ([{}, {"media_sha256": A}, {"media_sha256": A, "refs": frozenset({"b.mp4"})}], [3]),
    ],
)
def test_a_later_version_of_the_same_medium_takes_the_place(
    statements: list[dict[str, Any]], expected: list[int]
) -> None:
    assert numbers(said(*(content(**one) for one in statements))) == expected


def test_a_shorter_validity_is_not_answered_by_the_longer_one_of_before() -> None:
    versions = said(content(media_sha256=A), content(media_sha256=A, valid_until=date(2026, 6, 30)))
    held = in_force(version.as_evidence for version in versions)
    assert resolve(held, "x", A, JUNE) == ("approved", "ND-1", 2)
    assert resolve(held, "x", A, JULY) == ("expired", "ND-1", 2)


def test_a_withdrawal_ends_what_is_in_force_and_stays_whatever_is_said_again() -> None:
    first, second = content(media_sha256=A), content(**NEW)
    versions = said(first, second)
    gone = withdrawn(versions, date(2026, 7, 1), AT, "an")
    assert [(one.number, one.content, one.withdrawn_on) for one in gone] == [
        (3, first, date(2026, 7, 1)),
        (4, second, date(2026, 7, 1)),
    ]
    versions += gone
    assert numbers(versions) == [3, 4]
    assert following(versions, second, AT, "an") is None
    renamed = following(versions, replace(second, title_vi="tên khác"), AT, "an")
    assert renamed is not None
    assert (renamed.number, renamed.withdrawn_on) == (5, date(2026, 7, 1))
    approved_anew = following(versions, replace(second, approval=LATER), AT, "an")
    assert approved_anew is not None
    assert approved_anew.withdrawn_on is None
    other = following(versions, replace(second, media_sha256="c" * 64), AT, "an")
    assert other is not None
    assert other.withdrawn_on is None


def test_one_version_alone_is_withdrawn_and_the_file_still_says_nothing_new() -> None:
    first, second = content(media_sha256=A), content(**NEW)
    versions = said(first, second)
    versions += withdrawn(versions, JUNE, AT, "an", number=1)
    assert [(one.number, one.withdrawn_on) for one in standing(versions)] == [(2, None), (3, JUNE)]
    assert following(versions, second, AT, "an") is None


@pytest.mark.parametrize(
    "values",
    [{"approval": None}, {"valid_until": date(2026, 6, 30)}],
    ids=["not approved", "over before"],
)
def test_what_does_not_hold_cannot_be_withdrawn(values: dict[str, Any]) -> None:
    assert withdrawn(said(content(**values)), date(2026, 7, 1), AT, "an") == []


def test_an_earlier_withdrawal_beats_a_later_one() -> None:
    versions = said(content())
    versions += withdrawn(versions, JULY, AT, "an")
    assert withdrawn(versions, JULY, AT, "an") == []
    (earlier,) = withdrawn(versions, JUNE, AT, "an")
    assert earlier.withdrawn_on == JUNE


_VERSIONS = st.lists(
    st.builds(
        ContentVersion,
        code=st.sampled_from(("ND-1", "ND-2")),
        version=st.just(0),
        refs=st.frozensets(st.sampled_from("abc"), max_size=2),
        sha256=st.sampled_from((None, A, B)),
        approval=st.none(),
        valid_from=st.just(JUNE),
    ),
    max_size=7,
).map(lambda found: [replace(one, version=number) for number, one in enumerate(found, 1)])


@given(_VERSIONS, st.randoms())
def test_in_force_in_any_order(versions: list[ContentVersion], random: Any) -> None:
    held = in_force(versions)
    shuffled = list(versions)
    random.shuffle(shuffled)
    assert set(in_force(shuffled)) == set(held)
    for one in held:
        assert not [other for other in held if other.code == one.code and other != one and same_medium(one, other)]
    for code in {one.code for one in versions}:
        newest = max((one for one in versions if one.code == code), key=lambda one: one.version)
        assert newest in held
