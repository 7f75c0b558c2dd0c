"""Both languages are complete: the same keys, the same fields, and every key that the code uses."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent import words
from edge_agent.doctor import checks
from edge_agent.doctor.registry import CHECKS
from edge_agent.faults import CODES
from edge_agent.words import en, vi

PACKAGE = Path(words.__file__).parent.parent
FAMILIES = {
    "tls.": ("untrusted", "refuses_us", "tls", "no_name", "closed", "timeout", "unreachable"),
    "broker.": ("no_name", "closed", "timeout", "unreachable"),
    "certificate.own.": ("expired", "soon", "well"),
    "certificate.authority.": ("expired", "soon", "well"),
    "clock.": ("behind_floor", "behind_floor_known"),
    "screen.": ("lit", "active"),
}
"""Keys that the code puts together."""


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def literals(node: ast.AST) -> Iterator[str]:
    """Texts that stand in the arguments of calls."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            for argument in call.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def said_keys() -> set[str]:
    """The second argument of ok, warn and fail, where it is a text."""
    found = set()
    for file in [*Path(checks.__file__).parent.glob("*.py"), PACKAGE / "doctor" / "examination.py"]:
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Name)
                and call.func.id in {"ok", "warn", "fail"}
            ):
                found |= {text for text in literals(ast.Expr(call)) if text == getattr(call.args[1], "value", None)}
    return found


def used_keys() -> set[str]:
    files = [*Path(checks.__file__).parent.glob("*.py"), *(PACKAGE / "doctor").glob("*.py")]
    return {text for file in files for text in literals(ast.parse(file.read_text("utf-8")))}


@pytest.mark.parametrize("table", ["TITLES", "FOUND", "WORDS", "PLAIN"])
def test_both_languages_have_the_same_keys_and_fields(table: str) -> None:
    vietnamese, english = getattr(vi, table), getattr(en, table)
    assert vietnamese.keys() == english.keys()
    for key in vietnamese:
        pairs = zip(_texts(vietnamese[key]), _texts(english[key]), strict=True)
        for ours, theirs in pairs:
            assert fields(ours) == fields(theirs), key
            assert bool(ours) == bool(theirs), f"{key} is said in one language only"


def _texts(value: str | tuple[str, str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def test_every_fault_has_its_advice() -> None:
    assert vi.FAULTS.keys() >= CODES.keys()


def test_every_key_is_used_and_every_used_key_is_there() -> None:
    built = {family + end for family, ends in FAMILIES.items() for end in ends}
    used = used_keys()
    assert vi.FOUND.keys() == (vi.FOUND.keys() & used) | built
    dotted = {text for text in said_keys() if text not in vi.FOUND}
    assert not dotted, "a check says what no language has"


def test_every_check_and_every_module_has_its_place() -> None:
    modules = {file.stem for file in Path(checks.__file__).parent.glob("*.py")} - {"__init__"}
    listed = {check.run.__module__.rpartition(".")[2] for check in CHECKS}
    assert modules == listed
    assert {check.name for check in CHECKS} <= vi.TITLES.keys()
    assert max(check.deadline_s for check in CHECKS) <= 55, "the whole takes at most a minute"


def test_vietnamese_unless_english_is_asked_for() -> None:
    assert words.language(None, {}) == "vi"
    assert words.language(None, {"LANG": "en_GB.UTF-8"}) == "vi"
    assert words.language(None, {"TTDN_LANG": "en"}) == "en"
    assert words.language("vi", {"TTDN_LANG": "en"}) == "vi"
    assert words.language("fr", {}) == "vi"
