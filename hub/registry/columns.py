"""A column of a file that people fill in: what it is called, and what is expected in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

Holds = Literal["text", "date", "number", "any"]
NEEDED_MARK: Final = " (*)"
"""Behind the headings of a template whose cells may not be empty."""


class Choice(NamedTuple):
    """One of a few values: a code, and what people call it. A file may say either."""

    code: str
    label_vi: str


class Column(NamedTuple):
    """`name` is what commands, CSV headings and the API call it; a file may have `label_vi` as its heading instead."""

    name: str
    label_vi: str
    expected_vi: str
    """What is expected, as a template explains it."""
    example: str = ""
    needed: bool = False
    """No cell of it may be empty."""
    may_lack: bool = False
    """A file without this column is taken; its cells are empty then."""
    holds: Holds = "text"
    """What a spreadsheet may not make of it: a text that has become a number or a date is told as an error."""
    choices: tuple[Choice, ...] = ()

    @property
    def heading(self) -> str:
        """In a template."""
        return self.label_vi + (NEEDED_MARK if self.needed else "")


def column_of(given: Column | str) -> Column:
    """A column of which nothing but its name is said."""
    return Column(given, given, "", holds="any") if isinstance(given, str) else given


def names_of(headings: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """The names that a file's headings stand for; a heading that stands for none comes back as it is."""
    by_heading = {folded(word): column.name for column in columns for word in (column.label_vi, column.name)}
    return [by_heading.get(folded(heading.removesuffix(NEEDED_MARK)), heading) for heading in headings]


def are_vietnamese(headings: Sequence[str], columns: Sequence[Column]) -> bool:
    """Whether a file calls its columns as people do, rather than as commands do: so they are told of them."""
    names = {folded(column.name) for column in columns}
    labels = {folded(column.label_vi) for column in columns} - names
    words = [folded(heading.removesuffix(NEEDED_MARK)) for heading in headings]
    by_people = sum(word in labels or (word not in names and not word.isascii()) for word in words)
    return by_people > sum(word in names for word in words)


def code_of(text: str, choices: Sequence[Choice]) -> str | None:
    """The code of one of the choices, by code or label in any case; None if it is neither."""
    by_word = {folded(word): choice.code for choice in choices for word in (choice.label_vi, choice.code)}
    return by_word.get(folded(text))


def folded(text: str) -> str:
    """As two spellings of one heading compare."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
