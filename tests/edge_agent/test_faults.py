"""Fault codes: each that the agent can send is documented, and each that is documented can be sent."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import ValidationError, convert

import edge_agent
from contract.events import Code
from edge_agent.faults import CODES

SOURCES = sorted(Path(edge_agent.__file__).parent.rglob("*.py"))


def used(source: str) -> Iterator[str]:
    """Codes that stand in a source: given to a Trouble or Fault, or the `code` of a class of errors."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Trouble", "Fault"}:
            yield from given(node)
        elif isinstance(node, ast.ClassDef):
            yield from _constants(node)


def given(call: ast.Call) -> list[str]:
    """A code is written out where it is sent, or carried by what holds one: nowhere put together from parts."""
    (code,) = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    if isinstance(code, ast.Constant):
        return [str(code.value)]
    assert isinstance(code, ast.Name | ast.Attribute), ast.unparse(call)
    return []


def _constants(made: ast.ClassDef) -> Iterator[str]:
    for statement in made.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                yield code


def test_codes_that_are_sent_are_those_that_are_documented() -> None:
    sent = {code: file.name for file in SOURCES for code in used(file.read_text(encoding="utf-8"))}
    assert {code: name for code, name in sent.items() if code not in CODES} == {}, "not in edge_agent/faults.py"
    assert set(CODES) - set(sent) == set(), "documented, and never sent"


def test_the_search_finds_each_way_of_sending() -> None:
    source = (
        "class Gone(Exception):\n    code = 'a'\nTrouble(code='b')\nFault(code='c', seq=1)\nTrouble(code=lost.code)"
    )
    assert sorted(used(source)) == ["a", "b", "c"]
    with pytest.raises(AssertionError, match="f'page_"):
        list(used("Trouble(code=f'page_{what}')"))


@pytest.mark.parametrize("code", CODES)
def test_a_code_can_travel_and_says_what_to_do(code: str) -> None:
    try:
        convert(code, Code)
    except ValidationError as error:
        pytest.fail(f"{code}: {error}")
    text = CODES[code]
    assert text.endswith(".")
    assert text.count(". ") >= 1 or ";" in text, "what it means, and what to do"
    assert "|" not in text, "it stands in a table"
