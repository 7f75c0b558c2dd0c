"""The one-use code: what people type is what was printed, or it is refused with a hint and without repeating it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.enrol_code import EnrolCode, parse_enrol_code
from contract.errors import ContractError

CODE = EnrolCode(bytes(range(8)), bytes(range(100, 112)), 1_790_000_040_000)
codes = st.builds(
    EnrolCode,
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=12, max_size=12),
    st.integers(0, 2**24 - 1).map(lambda minute: 1_577_836_800_000 + minute * 60_000),
)


@given(codes)
def test_what_was_printed_is_read(code: EnrolCode) -> None:
    assert len(code.text()) == 47
    assert parse_enrol_code(code.text()) == code


@given(codes, st.sampled_from([str.lower, str.title, lambda text: text.replace("-", " ")]))
def test_case_and_hyphens_do_not_matter(code: EnrolCode, change: object) -> None:
    assert parse_enrol_code(change(code.text())) == code  # type: ignore[operator]


def test_letters_like_figures_are_figures() -> None:
    assert parse_enrol_code(CODE.text().replace("0", "O").replace("1", "l")) == CODE


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (CODE.text()[:-1], "39 characters; expected 40"),
        ("", "0 characters"),
        (CODE.text()[:7] + "U" + CODE.text()[8:], "character 2 of group 2"),
        (CODE.text()[:-2] + ("00" if not CODE.text().endswith("00") else "11"), "mistyped"),
    ],
)
def test_a_slip_is_named_without_the_code(wrong: str, hint: str) -> None:
    with pytest.raises(ContractError, match=hint) as caught:
        parse_enrol_code(wrong)
    assert CODE.text()[:5] not in str(caught.value)
