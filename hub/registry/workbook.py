"""Excel workbooks (.xlsx): the first sheet, cell by cell, out of a file that nobody has reason to trust.

A workbook is a ZIP of XML. Its parts are counted and their unpacked sizes added up before any is unpacked (`zipfile`
unpacks no more of a part than it announces), defusedxml refuses what XML can expand to, macros are refused and links
to other files are never followed. A formula is refused: its stored result may be of another day, or of no day at all.
"""

from __future__ import annotations

import io
import threading
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final

import defusedxml  # noqa: F401 - openpyxl reads XML with it if it is there
import openpyxl
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from hub.errors import ImportRefused, Problem
from hub.registry.line import EMPTY, MOST_ROWS, Cell, Line

MAGIC: Final = b"PK\x03\x04"
OLD_MAGIC: Final = b"\xd0\xcf\x11\xe0"
"""Of .xls, and of a workbook with a password."""
MOST_UNPACKED_BYTES: Final = 30_000_000
MOST_PARTS: Final = 1_000
MOST_COLUMNS: Final = 300
MOST_LINES: Final = 1_048_576
"""Of any Excel sheet."""
_EXACT: Final = 10**15
"""Excel keeps no more digits of a number."""
_BLANK: Final = b"\0\t\r\n "
_RESAVE: Final = "mở tệp bằng Excel và lưu lại thành loại 'Excel Workbook (.xlsx)' rồi nhập lại"
_BROKEN: Final = f"tệp hỏng hoặc tải về chưa xong; {_RESAVE}; nếu Excel cũng không mở được thì xin lại tệp gốc"
_one_at_a_time: Final = threading.Lock()
"""openpyxl warns of what it leaves out; turning that off for a while is not thread-safe, and memory is not endless."""


def is_one(data: bytes) -> bool:
    """Whether this is a workbook, or was meant to be one: told by its beginning, whatever it is called."""
    return data.startswith((MAGIC, OLD_MAGIC)) or (data.startswith(b"PK") and not _is_text(data))


def refuse_false(data: bytes) -> None:
    """ImportRefused for what is called a workbook and is neither one nor a text."""
    if not is_one(data) and not _is_text(data):
        raise ImportRefused([f"tệp mang tên tệp Excel nhưng không phải sổ tính Excel đọc được: {_BROKEN}"])


def lines(data: bytes) -> list[Line]:
    """The first sheet's first line, and the others that are not blank, up to one more than anybody takes.

    ImportRefused if it is not a workbook that can be taken.
    """
    if data.startswith(OLD_MAGIC):
        raise ImportRefused([f"tệp là loại .xls cũ hoặc có mật khẩu; {_RESAVE}, không đặt mật khẩu"])
    with _one_at_a_time:
        return _read(data)


def _read(data: bytes) -> list[Line]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _refuse_dangerous(data)
            workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
            return list(islice(_lines(_first_sheet(workbook.worksheets)), MOST_ROWS + 2))
    except ImportRefused:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged file leads it to
        cause = type(error.__cause__ or error).__name__
        raise ImportRefused([f"không đọc được tệp Excel ({cause}): {_BROKEN}"]) from error


def _is_text(data: bytes) -> bool:
    try:
        return b"\0" not in data and bool(data.strip(_BLANK)) and bool(data.decode())
    except UnicodeDecodeError:
        return False


def _refuse_dangerous(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED_BYTES:
        told = f"tệp Excel bung ra {unpacked:,} byte trong {len(parts):,} phần; tối đa {MOST_UNPACKED_BYTES:,} byte"
        raise ImportRefused([f"{told} và {MOST_PARTS:,} phần. Xóa các dòng trống có định dạng ở cuối bảng rồi lưu lại"])
    if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
        raise ImportRefused([f"tệp có macro; {_RESAVE}"])


def _first_sheet(sheets: Iterable[Any]) -> ReadOnlyWorksheet:
    for sheet in sheets:
        if isinstance(sheet, ReadOnlyWorksheet):
            return sheet
    raise ImportRefused([f"tệp Excel không có trang tính nào; {_RESAVE}"])


def _lines(sheet: ReadOnlyWorksheet) -> Iterator[Line]:
    sheet.reset_dimensions()  # a file may say that it ends before it does
    width = 0
    for number, row in enumerate(sheet.iter_rows(), start=1):
        width = width or len(row)
        if number > MOST_LINES:
            raise ImportRefused([f"tệp Excel có quá {MOST_LINES:,} dòng; {_RESAVE}"])
        if len(row) > MOST_COLUMNS:
            told = (
                f"có quá {MOST_COLUMNS} cột; xóa các cột thừa (Delete), cả cột trống có định dạng, chỉ giữ cột của mẫu"
            )
            raise ImportRefused([Problem(told, number)])
        if number == 1 or any(cell.value is not None for cell in row):
            cells = [_cell(cell.value, cell.data_type) for cell in row]
            yield Line(number, [*cells, *[EMPTY] * (width - len(cells))])


def _cell(value: Any, data_type: str) -> Cell:
    if value is None:
        return EMPTY
    if data_type == "f":
        told = "ô chứa công thức; chép ô rồi dán giá trị (Paste Special, Values) thay cho công thức"
        return Cell("=", problem=told)
    if data_type == "e":
        return Cell(str(value), problem=f"ô báo lỗi {value} của Excel; sửa ô hoặc xóa trống")
    if isinstance(value, datetime):
        whole_day = value.time() == time(0)
        return Cell(value.date().isoformat() if whole_day else value.isoformat(timespec="minutes"), "date")
    if isinstance(value, date):
        return Cell(value.isoformat(), "date")
    if isinstance(value, (time, timedelta)):
        return Cell(str(value), "date")
    if isinstance(value, bool):
        return Cell(str(value).upper())
    if isinstance(value, (int, float)):
        return _number(value)
    return Cell(str(value))


def _number(value: float) -> Cell:
    text = str(int(value)) if abs(value) < _EXACT and value == int(value) else repr(value)
    if abs(value) >= _EXACT:
        told = f"Excel đã đổi thành số {text} và có thể làm mất chữ số; định dạng ô là Văn bản (Text) rồi gõ lại"
        return Cell(text, "number", told)
    return Cell(text, "number")
