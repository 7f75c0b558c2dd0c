"""PostgreSQL's array literals of numbers and texts, for statements that take thousands of rows as columns.

psycopg adapts a list element by element in Python; joining texts takes a fifth of the time, and this is done for every
commit. The statement names the type: `%(ids)s::int[]`. The format is that of PostgreSQL's documentation, "Arrays".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_FLAGS: Final = {None: "NULL", True: "t", False: "f"}


def numbers(values: Iterable[int]) -> str:
    """Whole numbers."""
    return f"{{{','.join(map(str, values))}}}"


def texts(values: Iterable[str | None]) -> str:
    """Any texts; None is NULL."""
    return f"{{{','.join(map(_quoted, values))}}}"


def flags(values: Iterable[bool | None]) -> str:
    """Booleans; None is NULL."""
    return f"{{{','.join(_FLAGS[value] for value in values)}}}"


def _quoted(value: str | None) -> str:
    if value is None:
        return "NULL"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def columns(rows: Iterable[tuple[int | str, ...]], names: Iterable[str]) -> dict[str, str]:
    """Rows as one array a column, by name; a column is of numbers or of texts, as its first value is."""
    return {
        name: numbers(values) if isinstance(values[0], int) else texts(values)
        for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }
