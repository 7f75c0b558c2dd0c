"""A line of a file of rows and columns, wherever it was read from."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

MOST_ROWS: Final = 20_000
Content = Literal["text", "date", "number"]


class Cell(NamedTuple):
    """What stands in a cell, as text, and what the file takes it for; `problem` if it cannot be taken at all."""

    text: str
    content: Content = "text"
    problem: str | None = None


EMPTY: Final = Cell("")


class Line(NamedTuple):
    """`number` counts from 1, as spreadsheets and editors do."""

    number: int
    cells: list[Cell]
