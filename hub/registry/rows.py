"""CSV files that people write: rows as dictionaries, and each problem with its row and column, in Vietnamese.

All problems of a file are told at once, and a file with one problem is not taken at all.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from hub.errors import ImportRefused

MOST_PROBLEMS: Final = 50
MOST_BYTES: Final = 10_000_000
_T = TypeVar("_T")


class BadCell(ValueError):
    """Tell the person: `column` is wrong in this row; the text says what is wrong and what is expected."""

    def __init__(self, column: str, problem: str) -> None:
        super().__init__(problem)
        self.column = column


Row = Mapping[str, str]
Read = Callable[[Row], _T]


def read_csv(data: bytes, columns: Sequence[str], read: Read[_T], key: str) -> list[_T]:
    """Every row of a file as `read` makes it; ImportRefused with all problems if there is one.

    UTF-8 with or without BOM; separated by commas or, as Vietnamese Excel does it, by semicolons. Texts are trimmed and
    brought to Unicode NFC. `key` is the column whose values may not repeat.
    """
    problems: list[str] = []
    taken: list[_T] = []
    seen: dict[str, int] = {}
    for line, row in _rows(_text(data), columns):
        try:
            _refuse_other_shape(row, len(columns))
            taken.append(read(row))
            _refuse_repeated(row, key, seen.setdefault(row[key], line), line)
        except BadCell as error:
            column = f", cột {error.column}" if error.column else ""
            problems.append(f"dòng {line}{column}: {error}")
    if not taken and not problems:
        problems.append("tệp không có dòng dữ liệu nào; cần ít nhất một dòng sau dòng tiêu đề")
    if problems:
        more = len(problems) - MOST_PROBLEMS
        raise ImportRefused(problems[:MOST_PROBLEMS] + ([f"… và {more} lỗi khác"] if more > 0 else []))
    return taken


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
    if any(unicodedata.category(mark) == "Cc" for mark in text):
        raise BadCell(column, "có ký tự điều khiển hoặc xuống dòng; chỉ dùng chữ và dấu thông thường")
    return text or None


def one_of(row: Row, column: str, known: Sequence[str]) -> str:
    """One of a few codes."""
    text = required(row, column)
    if text not in known:
        raise BadCell(column, f"{text!r} không hợp lệ; cần một trong: {', '.join(known)}")
    return text


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise ImportRefused([f"tệp lớn {len(data)} byte; tối đa {MOST_BYTES} byte"])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ImportRefused(
            [f"dòng {line}: tệp không phải UTF-8; trong Excel chọn Lưu thành (Save As) loại 'CSV UTF-8'"]
        ) from None


def _rows(text: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows that are not blank, with the number of their last line in the file. ImportRefused at a wrong header."""
    head = text.split("\n", 1)[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if ";" in head and "," not in head else ",", strict=True
    )
    try:
        found = [name.strip() for name in reader.fieldnames or []]
        if sorted(found) != sorted(columns):
            raise ImportRefused(_header_problems(found, columns))
        reader.fieldnames = found
        for row in reader:
            cells = {name: _cell(value) for name, value in row.items()}
            if any(cells.values()):
                yield reader.line_num, cells
    except csv.Error as error:
        raise ImportRefused([f"dòng {reader.line_num}: không đọc được CSV ({error}); kiểm tra dấu ngoặc kép"]) from None


def _refuse_other_shape(row: Row, columns: int) -> None:
    if None in row or None in row.values():
        raise BadCell("", f"có số cột khác dòng tiêu đề; cần đúng {columns} cột")


def _refuse_repeated(row: Row, key: str, first: int, line: int) -> None:
    if first != line:
        raise BadCell(key, f"{row[key]!r} đã có ở dòng {first}; mỗi giá trị chỉ được ghi một lần")


def _cell(value: str) -> str:
    # DictReader gives None for a missing cell and a list for those beyond the header; the caller tells them.
    return unicodedata.normalize("NFC", value.strip()) if isinstance(value, str) else value


def _header_problems(found: Sequence[str], columns: Sequence[str]) -> list[str]:
    missing = [name for name in columns if name not in found]
    foreign = [name for name in found if name not in columns]
    twice = sorted({name for name in found if found.count(name) > 1})
    parts = [("thiếu cột", missing), ("cột lạ", foreign), ("cột lặp lại", twice)]
    told = "; ".join(f"{what} {', '.join(map(repr, names))}" for what, names in parts if names)
    return [f"dòng 1: {told}; cần đúng các cột: {','.join(columns)}"]
