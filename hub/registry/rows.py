"""Files that people write, CSV or .xlsx: rows as dictionaries, and each problem with its row and column, in Vietnamese.

All problems of a file are told at once, and a file with one problem is not taken at all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from hub.errors import ImportRefused, Problem
from hub.registry import csv_file, workbook
from hub.registry.columns import Choice, Column, are_vietnamese, code_of, column_of, names_of
from hub.registry.line import EMPTY, MOST_ROWS, Cell, Line

MOST_PROBLEMS: Final = 50
MOST_BYTES: Final = 10_000_000
_T = TypeVar("_T")


class BadCell(ValueError):
    """Tell the person: `column` is wrong in this row; the text says what is wrong and what is expected.

    A text that speaks of columns has a `{}` for each of `others`, so that they are called what the file calls them.
    """

    def __init__(self, column: str, problem: str, *others: str) -> None:
        super().__init__(problem.format(*others) if others else problem)
        self.column = column
        self._problem, self._others = problem, others

    def told(self, headings: Mapping[str, str]) -> str:
        """The text for somebody whose file has these headings."""
        if not self._others:
            return str(self)
        return self._problem.format(*(headings.get(name, name) for name in self._others))


Row = Mapping[str, str]
Read = Callable[[Row], _T]


class NumberedRow(NamedTuple):
    """A row by its columns' names, and where it stands."""

    number: int
    cells: Row


class Rows(NamedTuple):
    """What a file holds: rows of the right shape, problems of the others, and how the file calls each column."""

    rows: list[NumberedRow]
    problems: list[Problem]
    headings: Mapping[str, str]

    def problem(self, row: NumberedRow, error: BadCell) -> Problem:
        """An error of this row as the person finds it."""
        return Problem(error.told(self.headings), row.number, self.headings.get(error.column, error.column) or None)


def read_table(data: bytes, columns: Sequence[Column | str], read: Read[_T], key: str | Sequence[str]) -> list[_T]:
    """Every row of a CSV or .xlsx file, told apart by content, as `read` makes it; ImportRefused with all problems.

    `key`: the column, or columns together, whose values may not repeat. Texts are trimmed and brought to Unicode NFC.
    """
    found = read_rows(data, columns, key)
    problems, taken = list(found.problems), []
    for row in found.rows:
        try:
            taken.append(read(row.cells))
        except BadCell as error:
            problems.append(found.problem(row, error))
    refuse(problems)
    return taken


def refuse(problems: Sequence[Problem]) -> None:
    """ImportRefused with them, in the order of rows, and at most MOST_PROBLEMS; nothing if there are none."""
    if problems:
        more = len(problems) - MOST_PROBLEMS
        shown: list[str | Problem] = [*sorted(problems, key=lambda one: one.row or 0)[:MOST_PROBLEMS]]
        raise ImportRefused([*shown, f"… và {more} lỗi khác"] if more > 0 else shown)


def read_rows(data: bytes, columns: Sequence[Column | str], key: str | Sequence[str]) -> Rows:
    """A file's rows that are not blank. ImportRefused if it is no such file, or its headings are others."""
    if len(data) > MOST_BYTES:
        raise ImportRefused([f"tệp lớn {len(data):,} byte; tối đa {MOST_BYTES:,} byte"])
    known = [column_of(column) for column in columns]
    lines = iter(workbook.lines(data)) if workbook.is_one(data) else csv_file.lines(data)
    headings = [_clean(cell.text) for cell in _trimmed(next(lines, Line(1, [])).cells)]
    names = _names(headings, known)
    absent = {column.name: column.label_vi for column in known} if are_vietnamese(headings, known) else {}
    found = Rows([], [], absent | dict(zip(names, headings, strict=True)))
    by_name = {column.name: column for column in known}
    for line in lines:
        _take(line, names, found, by_name)
        if len(found.rows) + len(found.problems) > MOST_ROWS:
            raise ImportRefused([f"tệp có quá {MOST_ROWS:,} dòng; chia thành nhiều tệp"])
    _tell_repeated(found, [key] if isinstance(key, str) else key)
    if not found.rows and not found.problems:
        raise ImportRefused(["tệp không có dòng dữ liệu nào; cần ít nhất một dòng sau dòng tiêu đề"])
    return found


def required(row: Row, column: str, most: int = 200) -> str:
    """A text that must be there."""
    text = optional(row, column, most)
    if text is None:
        raise BadCell(column, "để trống; cần có giá trị")
    return text


def optional(row: Row, column: str, most: int = 200) -> str | None:
    """A text, or None where the cell is empty."""
    text = row[column]
    if len(text) > most:
        raise BadCell(column, f"dài {len(text)} ký tự; tối đa {most} ký tự")
    if any(unicodedata.category(mark) in {"Cc", "Cs", "Zl", "Zp"} for mark in text):
        raise BadCell(column, "có ký tự điều khiển hoặc xuống dòng; chỉ dùng chữ và dấu thông thường")
    return text or None


def one_of(row: Row, column: str, known: Sequence[str] | Sequence[Choice]) -> str:
    """The code of one of a few values; where they have labels, a label serves as well."""
    text = required(row, column)
    choices = [Choice(one, one) if isinstance(one, str) else one for one in known]
    code = code_of(text, choices)
    if code is None:
        told = ", ".join(one.code if one.code == one.label_vi else f"{one.code} ({one.label_vi})" for one in choices)
        raise BadCell(column, f"{text!r} không hợp lệ; cần một trong: {told}")
    return code


def _names(headings: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """The columns' names in the order of the file. ImportRefused if there are others, or not all of them."""
    found = names_of(headings, columns)
    known = {column.name for column in columns}
    missing = [column.name for column in columns if column.name not in found and not column.may_lack]
    foreign = [name for name in found if name not in known]
    twice = sorted({name for name in found if found.count(name) > 1})
    parts = [("thiếu cột", missing), ("cột lạ", foreign), ("cột lặp lại", twice)]
    labels = {column.name: column.label_vi for column in columns} if are_vietnamese(headings, columns) else {}

    def shown(name: str) -> str:
        return f"{labels[name]!r} ({name})" if name in labels else repr(name)

    told = "; ".join(f"{what} {', '.join(map(shown, names))}" for what, names in parts if names)
    if told:
        wanted = "; ".join(labels.values()) if labels else ",".join(column.name for column in columns)
        raise ImportRefused([Problem(f"{told}; cần đúng các cột: {wanted}", 1)])
    return found


def _take(line: Line, names: Sequence[str], found: Rows, columns: Mapping[str, Column]) -> None:
    """Put a line where it belongs: to the rows, to the problems, or nowhere if it is blank."""
    cells = _trimmed(line.cells)
    if not cells:
        return
    if len(cells) > len(names) or len(line.cells) < len(names):
        found.problems.append(Problem(f"có số cột khác dòng tiêu đề; cần đúng {len(names)} cột", line.number))
        return
    padded = dict(zip(names, [*cells, *[EMPTY] * (len(names) - len(cells))], strict=True))
    told = {name: text for name, cell in padded.items() if (text := _unreadable(cell, columns[name])) is not None}
    found.problems.extend(Problem(text, line.number, found.headings[name]) for name, text in told.items())
    if not told:
        texts = {name: _clean(cell.text) for name, cell in padded.items()}
        found.rows.append(NumberedRow(line.number, {name: texts.get(name, "") for name in columns}))


def _unreadable(cell: Cell, column: Column) -> str | None:
    """Why a cell cannot be taken as what its column holds."""
    if cell.problem is not None:
        return cell.problem
    if cell.content == "date" and column.holds in {"text", "number"}:
        return f"Excel đã đổi thành ngày {cell.text}; định dạng ô là Văn bản (Text) rồi gõ lại"
    if cell.content == "number" and column.holds == "date":
        return f"{cell.text} là số, không phải ngày; cần ngày/tháng/năm, như 31/12/2025"
    return None


def _tell_repeated(found: Rows, key: Sequence[str]) -> None:
    """Of rows with the same key, keep the first one and tell of the others."""
    first: dict[tuple[str, ...], int] = {}
    kept = []
    for row in found.rows:
        values = tuple(row.cells[name] for name in key)
        if not any(values) or first.setdefault(values, row.number) == row.number:
            kept.append(row)
            continue
        shown = " ".join(filter(None, values))
        told = f"{shown!r} đã có ở dòng {first[values]}; mỗi giá trị chỉ được ghi một lần"
        found.problems.append(found.problem(row, BadCell(key[0], told)))
    found.rows[:] = kept


def _trimmed(cells: Sequence[Cell]) -> list[Cell]:
    """Without the blank ones at the end."""
    last = max((place for place, cell in enumerate(cells, start=1) if cell.problem or _clean(cell.text)), default=0)
    return list(cells[:last])


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())
