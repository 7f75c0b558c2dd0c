"""Excel workbooks: those that staff send, and those that nobody should."""

from __future__ import annotations

import io
import socket
import warnings
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import ImportRefused
from hub.registry.columns import Column
from hub.registry.entries import Gate
from hub.registry.rows import read_rows, read_table, required
from hub.registry.workbook import MOST_COLUMNS, MOST_PARTS, MOST_UNPACKED_BYTES, lines
from tests.hub.registry.making import KNOWN, planned, problems

HEAD = ("Mã cửa khẩu (*)", "Tên cửa khẩu, lối mở (*)", "Nước láng giềng", "Loại", "Mã tỉnh", "Áp dụng từ ngày",
        "Vĩ độ", "Kinh độ", "Độ tin cậy")  # fmt: skip
ROW = ("BG-20-CMA", "Chi Ma", "Trung Quốc", "Cửa khẩu quốc tế", "20", date(2025, 7, 1), 21.8111, 107.0488, "W/M")


def workbook(*rows: Sequence[Any], **options: Any) -> bytes:
    """Cells as Excel stores them."""
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True, "default_date_format": "dd/mm/yyyy", **options}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                if value is not None:
                    sheet.write(number, place, value)
        book.add_worksheet("Khác").write(0, 0, "not looked at")
    return data.getvalue()


def changed(data: bytes, part: str, old: str, new: str, **more: bytes) -> bytes:
    """The same workbook with one of its parts changed, and further parts."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            text = before.read(name)
            if name == part:
                assert old.encode() in text
                text = text.replace(old.encode(), new.encode())
            after.writestr(name, text)
        for name, content in more.items():
            after.writestr(name.replace("__", "/"), content)
    return result.getvalue()


def refusal(data: bytes) -> str:
    with pytest.raises(ImportRefused) as caught:
        list(lines(data))
    return caught.value.problems[0]


SHEET = "xl/worksheets/sheet1.xml"
GOOD = workbook(HEAD, ROW)


# -- what staff send --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epoch", [False, True], ids=["since 1900", "since 1904"])
def test_a_row_of_a_workbook(epoch: bool) -> None:
    data = workbook(HEAD, (), ROW, (None, " ", None), date_1904=epoch)
    (change,) = planned("gates", data).changes
    assert change.row == 3
    assert change.entry == Gate(
        "BG-20-CMA", "Chi Ma", "CN", "quoc_te", "20", date(2025, 7, 1), 21.8111, 107.0488, "W/M"
    )


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (4, 4, "dòng 2, cột Mã tỉnh: '4' không hợp lệ; cần hai chữ số, như 04 (Excel hay bỏ mất số 0 ở đầu)"),
        (4, 4.0, "dòng 2, cột Mã tỉnh: '4' không hợp lệ; cần hai chữ số"),
        (4, 20.5, "dòng 2, cột Mã tỉnh: '20.5' không hợp lệ"),
        (
            0,
            date(2025, 7, 1),
            "dòng 2, cột Mã cửa khẩu (*): Excel đã đổi thành ngày 2025-07-01; định dạng ô là Văn bản",
        ),
        (6, date(2025, 7, 1), "dòng 2, cột Vĩ độ: Excel đã đổi thành ngày 2025-07-01"),
        (5, 45839, "dòng 2, cột Áp dụng từ ngày: 45839 là số, không phải ngày; cần ngày/tháng/năm"),
        (5, "tháng 7", "dòng 2, cột Áp dụng từ ngày: 'tháng 7' không phải ngày; cần ngày/tháng/năm"),
        (1, 12345678901234567890, "dòng 2, cột Tên cửa khẩu, lối mở (*): Excel đã đổi thành số 1.234567890123457e+19"),
        (1, "=1+1", "dòng 2, cột Tên cửa khẩu, lối mở (*): ô chứa công thức; chép ô rồi dán giá trị"),
        (1, "=[other.xlsx]Sheet1!A1", "dòng 2, cột Tên cửa khẩu, lối mở (*): ô chứa công thức"),
        (0, True, "dòng 2, cột Mã cửa khẩu (*): 'Chi Ma' đúng"),
    ],
)
def test_what_excel_made_of_a_cell(place: int, value: Any, told: str) -> None:
    row = [*ROW[:place], value, *ROW[place + 1 :]]
    found = problems("gates", workbook(HEAD, row))
    if value is True:
        assert found == []  # TRUE is a code like another
    else:
        assert found[0].startswith(told)


def test_an_error_of_excel_in_a_cell() -> None:
    data = changed(GOOD, SHEET, '<c r="G2"><v>21.8111</v></c>', '<c r="G2" t="e"><v>#N/A</v></c>')
    assert problems("gates", data)[0] == "dòng 2, cột Vĩ độ: ô báo lỗi #N/A của Excel; sửa ô hoặc xóa trống"


def test_a_date_that_is_none() -> None:
    data = changed(GOOD, SHEET, "<v>45839</v>", "<v>99999999</v>")
    assert "#VALUE!" in problems("gates", data)[0]


def test_cells_as_texts() -> None:
    """What a table of unknown columns gets: days in ISO 8601, whole numbers without a point."""
    moment = datetime(2025, 7, 1, 8, 30)  # noqa: DTZ001 - as Excel has it
    row = (date(2025, 7, 1), moment, 7, 7.0, 7.25, True, "=x", time(8, 30), timedelta(hours=1))
    data = io.BytesIO()
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([f"c{number}" for number in range(len(row))])
    sheet.append(list(row))
    sheet["G2"].data_type = "s"
    book.save(data)
    columns = [f"c{number}" for number in range(len(row))]
    (cells,) = read_table(data.getvalue(), columns, lambda found: list(found.values()), key="c0")
    assert cells == ["2025-07-01", "2025-07-01T08:30", "7", "7", "7.25", "TRUE", "=x", "08:30:00", "1:00:00"]


def test_the_shape_of_a_workbook() -> None:
    assert problems("gates", workbook(HEAD[:-1], ROW[:-1]))[0].startswith("dòng 1: thiếu cột 'Độ tin cậy' (confidence)")
    assert problems("gates", workbook((*HEAD, "Ghi chú"), ROW))[0].startswith("dòng 1: cột lạ 'Ghi chú'")
    assert problems("gates", workbook(HEAD, (*ROW, "x")))[0] == "dòng 2: có số cột khác dòng tiêu đề; cần đúng 9 cột"
    assert problems("gates", workbook(HEAD))[0].startswith("tệp không có dòng dữ liệu nào")
    assert problems("gates", workbook())[0].startswith("dòng 1: thiếu cột")
    wide = [f"c{number}" for number in range(MOST_COLUMNS + 1)]
    assert problems("gates", workbook(HEAD, wide))[0].startswith("dòng 2: có quá 300 cột; xóa các cột thừa")


def test_a_sheet_that_says_it_ends_before_it_does() -> None:
    data = changed(workbook(HEAD, ROW, ["x y", *ROW[1:]]), SHEET, 'ref="A1:I3"', 'ref="A1:I2"')
    assert [one[:6] for one in problems("gates", data)] == ["dòng 3"]


def test_a_foreign_library_s_workbook() -> None:
    """With styles, a comment, a link and a merged title: what is not cells is passed over."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(HEAD))
    sheet.append(list(ROW))
    sheet["B2"].hyperlink = "https://example.org/"
    sheet.merge_cells("A5:C5")
    sheet.auto_filter.ref = "A1:I2"
    data = io.BytesIO()
    book.save(data)
    assert len(planned("gates", data.getvalue()).changes) == 1


# -- what nobody should send ------------------------------------------------------------------------------------------


def bomb(megabytes: int) -> bytes:
    return changed(GOOD, SHEET, "", "", xl__bomb=b"\0" * megabytes * 1_000_000)


def test_a_zip_bomb_is_not_unpacked() -> None:
    data = bomb(200)
    assert len(data) < 300_000
    told = refusal(data)
    assert told.startswith("tệp Excel bung ra 200,")
    assert f"tối đa {MOST_UNPACKED_BYTES:,} byte" in told


def test_a_zip_that_lies_about_its_size() -> None:
    """Its directory says that the sheet is small; nothing beyond that is unpacked."""
    data = bytearray(changed(GOOD, SHEET, "<sheetData>", "<sheetData>" + " " * 50_000_000))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        true_size = archive.getinfo(SHEET).file_size.to_bytes(4, "little")
    assert data.count(true_size) >= 2
    lying = bytes(data).replace(true_size, (5_000).to_bytes(4, "little"))
    assert refusal(lying).startswith("không đọc được tệp Excel")


def test_many_parts() -> None:
    more = {f"xl__part{number}": b"" for number in range(MOST_PARTS)}
    assert "phần; tối đa" in refusal(changed(GOOD, SHEET, "", "", **more))


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


PARTS = [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml", "[Content_Types].xml"]
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("doctype", [ENTITIES, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'])
def test_xml_that_expands_or_reaches_out(part: str, doctype: str) -> None:
    assert refusal(changed(GOOD, part, XML, XML + doctype)).startswith("không đọc được tệp Excel (EntitiesForbidden)")


@pytest.mark.parametrize("part", PARTS)
def test_a_definition_elsewhere_is_not_fetched(part: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        doctype = f'<!DOCTYPE x SYSTEM "http://127.0.0.1:{listener.getsockname()[1]}/x.dtd">'
        assert len(planned("gates", changed(GOOD, part, XML, XML + doctype)).changes) == 1
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_macros() -> None:
    data = changed(GOOD, SHEET, "", "", **{"xl__vbaProject.bin": b"x"})
    assert refusal(data).startswith("tệp có macro; mở tệp bằng Excel và lưu lại")


def test_links_to_other_files_are_not_followed() -> None:
    """A workbook may name others; nobody opens them, and a cell that takes from them is a formula."""
    link = (
        '<Relationship Id="rId99" Target="externalLinks/externalLink1.xml" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/externalLink"/></Relationships>'
    )
    external = (
        '<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><externalBook r:id="rId1"/>'
        "</externalLink>"
    )
    data = changed(GOOD, "xl/_rels/workbook.xml.rels", "</Relationships>", link,
                   **{"xl__externalLinks__externalLink1.xml": external.encode()})  # fmt: skip
    data = changed(data, "xl/workbook.xml", "</sheets>", '</sheets><externalReferences><externalReference '
                   'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rId99"/>'
                   "</externalReferences>")  # fmt: skip
    assert len(planned("gates", data).changes) == 1


def test_a_million_empty_rows() -> None:
    rows = "".join(f'<row r="{number}"/>' for number in range(3, 1_048_577))
    assert len(planned("gates", changed(GOOD, SHEET, "</sheetData>", f"{rows}</sheetData>")).changes) == 1
    far = changed(GOOD, SHEET, "</sheetData>", '<row r="1048576"><c r="A1048576"/></row></sheetData>')
    assert len(planned("gates", far).changes) == 1


@pytest.mark.parametrize("row", ["1048577", "99999999999999", "1e300", "-5", "x"])
def test_a_row_beyond_every_sheet(row: str) -> None:
    data = changed(GOOD, SHEET, "</sheetData>", f'<row r="{row}"><c><v>1</v></c></row></sheetData>')
    plan = planned("gates", data)
    assert plan.problems or row == "-5"


@pytest.mark.parametrize("reference", ["XFD2", "ZZZ2", "ZZZZZZZZ2", "2A", ""])
def test_a_cell_beyond_every_sheet(reference: str) -> None:
    data = changed(GOOD, SHEET, 'r="I2"', f'r="{reference}"')
    assert planned("gates", data).problems or reference == ""


def test_a_part_that_is_missing() -> None:
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD)) as before, zipfile.ZipFile(result, "w") as after:
        for name in before.namelist():
            if name != SHEET:
                after.writestr(name, before.read(name))
    assert not planned("gates", result.getvalue()).changes or planned("gates", result.getvalue()).problems


def test_a_workbook_without_a_sheet() -> None:
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert refusal(result.getvalue()).startswith("không đọc được tệp Excel (KeyError)")


@given(st.binary(max_size=300).map(lambda data: b"PK\x03\x04" + data))
def test_any_bytes_that_begin_as_a_workbook(data: bytes) -> None:
    with pytest.raises(ImportRefused):
        list(lines(data))


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_workbook_with_a_rotten_byte(place: int, value: int) -> None:
    """Refused or read; nothing else happens, and no warning is left behind."""
    before = list(warnings.filters)
    plan = planned("gates", GOOD[:place] + bytes([value]) + GOOD[place + 1 :])
    assert plan.changes or plan.problems or plan.unchanged
    assert list(warnings.filters) == before


def test_headings_name_cells_in_problems() -> None:
    columns = (Column("a", "Một", "x"), Column("b", "Hai", "x"))
    with pytest.raises(ImportRefused, match="dòng 2, cột HAI: để trống; cần có giá trị"):
        read_table(workbook(("Một", "HAI"), ("x", "")), columns, lambda row: required(row, "b"), key="a")
    assert read_rows(workbook(("hai", "Một"), ("2", "1")), columns, "a").rows[0].cells == {"a": "1", "b": "2"}
    assert KNOWN.gates
