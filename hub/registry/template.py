"""Files to fill in, of any kind, as CSV or as a workbook that explains itself; what they are filled with reads back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, Final

import xlsxwriter

from hub.registry.columns import Column
from hub.registry.form import Form
from hub.registry.rows import read_rows

Texts = Mapping[str, str]
SHEET: Final = "Dữ liệu"
GUIDE: Final = "Hướng dẫn"
_ROWS_TO_FILL: Final = 2_000
_WIDTH: Final = 24
_WIDE: Final = 60
_MOST_HINT: Final = 250
"""Excel takes no longer one."""
_GUIDE_HEADINGS: Final = ("Cột", "Tên cột trong CSV", "Bắt buộc", "Cần điền", "Ví dụ")
_LISTS_HEADINGS: Final = ("Cột", "Mã", "Giá trị trong danh sách")


def shipped_rows(form: Form) -> list[Texts]:
    """What comes with the hub, for a template to be filled with; nothing of most forms."""
    data = form.shipped_bytes()
    return [] if data is None else [row.cells for row in read_rows(data, form.columns, form.key).rows]


def csv_file(form: Form, rows: Iterable[Texts] = ()) -> bytes:
    """With a BOM, by which Excel knows UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.heading for column in form.columns])
    writer.writerows([[row.get(column.name, "") for column in form.columns] for row in rows])
    return text.getvalue().encode("utf-8-sig")


def workbook(form: Form, rows: Iterable[Texts] = ()) -> bytes:
    """The first sheet is to be filled in, with lists to choose from; the second one explains columns and values."""
    data = io.BytesIO()
    # What is written is text, whatever it looks like: no formula, no link.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(data, options) as book:
        sheet, guide = book.add_worksheet(SHEET), book.add_worksheet(GUIDE)
        lists = _write_guide(book, guide, form)
        _write_headings(book, sheet, form.columns)
        for place, column in enumerate(form.columns):
            hint = {"input_title": column.label_vi[:32], "input_message": column.expected_vi[:_MOST_HINT]}
            choice = {"validate": "list", "source": lists[column.name]} if column.choices else {"validate": "any"}
            sheet.data_validation(1, place, _ROWS_TO_FILL, place, hint | choice)
        for number, row in enumerate(rows, start=1):
            for place, column in enumerate(form.columns):
                _write_cell(sheet, number, place, column, row.get(column.name, ""))
    return data.getvalue()


def _write_headings(book: Any, sheet: Any, columns: Iterable[Column]) -> None:
    as_typed = book.add_format({"num_format": "@"})  # so Excel keeps the zero of 04, and makes no July of 01/07
    needed = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#DDEBF7", "border": 1})
    other = book.add_format({"text_wrap": True, "valign": "top", "bg_color": "#F2F2F2", "border": 1})
    for place, column in enumerate(columns):
        sheet.set_column(place, place, _WIDTH, None if column.holds == "number" else as_typed)
        sheet.write_string(0, place, column.heading, needed if column.needed else other)
    sheet.freeze_panes(1, 1)


def _write_cell(sheet: Any, row: int, place: int, column: Column, text: str) -> None:
    if column.holds == "number" and text:
        sheet.write_number(row, place, float(text))
    elif text:
        sheet.write_string(row, place, text)


def _write_guide(book: Any, guide: Any, form: Form) -> dict[str, str]:
    """Returns where the list of each column stands, as a formula names it."""
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    for place, width in enumerate((_WIDTH, _WIDTH, _WIDTH // 2, _WIDE, _WIDTH)):
        guide.set_column(place, place, width, wrapped)
    guide.write_string(0, 0, f"{form.title_vi}: điền trang '{SHEET}', mỗi dòng một mục, rồi nhập tệp này.", bold)
    guide.write_row(2, 0, _GUIDE_HEADINGS, bold)
    for row, column in enumerate(form.columns, start=3):
        needed = "có (*)" if column.needed else "không"
        for place, text in enumerate((column.label_vi, column.name, needed, column.expected_vi, column.example)):
            guide.write_string(row, place, text)
    row = 4 + len(form.columns)
    lists = {}
    for column in form.columns:
        if column.choices:
            guide.write_row(row, 0, _LISTS_HEADINGS, bold)
            first = row + 1
            for row, choice in enumerate(column.choices, start=first):
                for place, text in enumerate((column.label_vi, choice.code, choice.label_vi)):
                    guide.write_string(row, place, text)
            lists[column.name] = f"='{GUIDE}'!$C${first + 1}:$C${row + 1}"
            row += 2
    return lists
