"""CSV files: UTF-8 with or without BOM, separated by commas or, as Vietnamese Excel does it, by semicolons."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from hub.errors import ImportRefused, Problem
from hub.registry.line import Cell, Line


def lines(data: bytes) -> Iterator[Line]:
    """Every line with the number of its last line in the file. ImportRefused if it is no such file."""
    text = _text(data)
    head = text.split("\n", 1)[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield Line(reader.line_num, [Cell(cell) for cell in cells])
    except csv.Error as error:
        told = f"không đọc được CSV ({error}); kiểm tra dấu ngoặc kép"
        raise ImportRefused([Problem(told, reader.line_num)]) from None


def line_of(cells: Iterable[str]) -> str:
    """One line of such a file."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        told = "tệp không phải UTF-8; trong Excel chọn Lưu thành (Save As) loại 'CSV UTF-8' hoặc '.xlsx'"
        raise ImportRefused([Problem(told, data[: error.start].count(b"\n") + 1)]) from None
