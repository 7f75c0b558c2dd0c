"""Files that people write: what is wrong is told with row, column and what is expected; nothing half is taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simulator
from hub.errors import ImportRefused
from hub.registry import devices, points
from hub.registry.cells import BEGINNING
from hub.registry.columns import NEEDED_MARK, folded
from hub.registry.entries import Device, Gate, Point, Province
from hub.registry.files import KINDS, FileKind, kind_of
from hub.registry.known import Known
from hub.registry.line import MOST_ROWS
from hub.registry.opening import Span
from hub.registry.rows import MOST_BYTES, BadCell, Row, read_table, required
from tests.hub.registry.making import EMPTY, KNOWN, ORGANISATION, example, file_of, planned, problems

DEMO = Path(simulator.__file__).parent / "data" / "sites.csv"
HEAD = ",".join(column.name for column in points.COLUMNS)
GOOD = "BG-20-CMA,Chi Ma,Lạng Sơn,20,CN,chinh,21.8111,107.0488,W/M"
CHI_MA = Point("BG-20-CMA", "Chi Ma", "Lạng Sơn", "20", "CN", "chinh", 21.8111, 107.0488, "W/M")
DEVICE_HEAD = ",".join(column.name for column in devices.COLUMNS if not column.may_lack)
KIND_NAMES = [kind.name for kind in KINDS]


def entries(kind: str, text: str | bytes, known: Known = EMPTY) -> list[object]:
    plan = planned(kind, text, known)
    assert [str(one) for one in plan.problems] == []
    return [change.entry for change in plan.changes]


# -- any file ---------------------------------------------------------------------------------------------------------


def test_the_demo_s_sites() -> None:
    read = entries("points", DEMO.read_bytes())
    assert len(read) == 29
    assert CHI_MA in read


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\n{GOOD}\n",
        f"\ufeff{HEAD}\r\n{GOOD}\r\n",
        f"{HEAD}\n\n , \n{GOOD}".replace(" , ", ",,,,,,,,"),
        f"{HEAD}\n{GOOD}".replace(",", ";"),
        f"{HEAD}\n{GOOD}".replace("Lạng Sơn", " La\u0323ng So\u031bn "),
        "confidence," + HEAD.removesuffix(",confidence") + "\nW/M," + GOOD.removesuffix(",W/M"),
        f"{HEAD},,\n{GOOD},,\n,,,,,,,,,,\n",
        f"{HEAD}\n{GOOD}".replace("CN", "Trung Quốc").replace("chinh", "cửa khẩu  CHÍNH"),
        ";".join(column.heading for column in points.COLUMNS) + "\n" + GOOD.replace(",", ";"),
        ",".join(f'"{column.label_vi.upper()}"' for column in points.COLUMNS) + "\n" + GOOD,
    ],
    ids=[
        "plain", "bom and crlf", "blank lines", "semicolons", "decomposed and padded", "other order", "empty columns",
        "labels", "vietnamese headings", "shouted headings",
    ],
)  # fmt: skip
def test_one_site_in_many_spellings(text: str) -> None:
    assert entries("points", text) == [CHI_MA]


def test_every_problem_is_told_with_its_row() -> None:
    other = GOOD.replace("BG-20-CMA,", "BG-1,").replace("CN", "XX")
    told = problems("points", f"{HEAD}\n{GOOD}\n{other}\n{GOOD}\nx,,,,,,,,\n")
    places = [problem.split(":")[0] for problem in told]
    assert places[:3] == ["dòng 3, cột neighbour", "dòng 4, cột code", "dòng 5, cột code"]
    assert "đã có ở dòng 2" in told[1]
    empty = ("name_vi", "province_vi", "province_code", "neighbour", "gate_type")
    assert set(places[3:]) == {f"dòng 5, cột {name}" for name in empty}


def test_a_list_of_problems_ends_somewhere() -> None:
    text = "a,b\n" + "x,\n" * 61
    with pytest.raises(ImportRefused) as caught:
        read_table(text.encode(), ("a", "b"), lambda row: required(row, "b"), key="b")
    assert (len(caught.value.problems), caught.value.problems[-1]) == (51, "… và 11 lỗi khác")
    assert (caught.value.found[0].row, caught.value.found[0].column) == (2, "b")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "dòng 1: thiếu cột 'code', 'name_vi'"),
        (HEAD.encode(), "tệp không có dòng dữ liệu nào"),
        (b"code,name_vi,colour\n", "cột lạ 'colour'; cần đúng các cột: code,name_vi,province_vi"),
        (f"{HEAD},code\n{GOOD},x".encode(), "cột lặp lại 'code'"),
        (f"{HEAD},Mã tỉnh\n{GOOD},x".encode(), "cột lặp lại 'province_code'"),
        (f"{HEAD}\n{GOOD}".encode("utf-16"), "dòng 1: tệp không phải UTF-8; trong Excel"),
        (f"{HEAD}\nBG,Lạng".encode("cp1258", "replace") + b"\xf0", "tệp không phải UTF-8"),
        (f'{HEAD}\n"BG-20'.encode(), "không đọc được CSV"),
        (b"\xd0\xcf\x11\xe0 old", "tệp là loại .xls cũ hoặc có mật khẩu"),
        (b"PK\x03\x04 broken", "không đọc được tệp Excel (BadZipFile): tệp hỏng hoặc tải về chưa xong; mở tệp bằng"),
        (b"PK\x05\x06" + b"\0" * 18, "không đọc được tệp Excel"),
        (b"PK \xff\xfe", "không đọc được tệp Excel (BadZipFile)"),
        (b"PK,name_vi", "dòng 1: thiếu cột 'code'"),
        ("Mã,Tên,Tỉnh".encode(), "dòng 1: thiếu cột "),
        (b"x" * (MOST_BYTES + 1), "tệp lớn 10,000,001 byte; tối đa 10,000,000 byte"),
        (f"{HEAD}\n{f'{GOOD}' + chr(10)}".encode() * 1 + f"{GOOD}\n".encode() * MOST_ROWS, "tệp có quá 20,000 dòng"),
    ],
)
def test_files_that_are_no_such_files(data: bytes, told: str) -> None:
    assert told in problems("points", data)[0]


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: f"{HEAD}\n{text}".encode())))
def test_any_bytes_give_entries_or_problems(data: bytes) -> None:
    plan = planned("points", data, EMPTY)
    assert bool(plan.changes) != bool(plan.problems) or plan.problems


@given(st.sampled_from(KIND_NAMES), st.data())
def test_any_cells_give_entries_or_problems(kind: str, data: st.DataObject) -> None:
    """Whatever stands in a cell; every problem says where."""
    cell = st.text(max_size=30) | st.sampled_from(
        ("", "20", "31/12/2025", "BG-20-CMA", "0", "-1", "07:00-11:30", "từ đầu")
    )
    row = example(kind) | data.draw(st.dictionaries(st.sampled_from(list(example(kind))), cell, max_size=4))
    for problem in planned(kind, file_of(kind, row)).problems:
        assert problem.text


# -- every kind -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_the_example_of_a_template_is_right(kind: FileKind[Any]) -> None:
    known = replace(KNOWN, organisations={**KNOWN.organisations, "H37": ORGANISATION._replace(agency_code="H37")})
    plan = planned(kind.name, file_of(kind.name, example(kind.name)), known)
    assert plan.problems == []


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_an_empty_cell_that_is_needed_is_told_by_its_heading(kind: FileKind[Any]) -> None:
    for column in kind.columns:
        told = problems(kind.name, file_of(kind.name, example(kind.name) | {column.name: ""}))
        empty = [one for one in told if one.endswith("để trống; cần có giá trị")]
        assert empty == ([f"dòng 2, cột {column.name}: để trống; cần có giá trị"] if column.needed else [])


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_columns_explain_themselves(kind: FileKind[Any]) -> None:
    assert set(kind.key) <= {column.name for column in kind.columns}
    headings = [folded(word) for column in kind.columns for word in {column.name, column.label_vi}]
    assert len(set(headings)) == len(headings)
    for column in kind.columns:
        assert column.expected_vi
        assert column.heading == column.label_vi + (NEEDED_MARK if column.needed else "")


def test_kinds_are_called_by_name() -> None:
    assert kind_of("gates").name == "gates"
    with pytest.raises(LookupError, match="no kind of file 'gate'; there are: provinces, organisations"):
        kind_of("gate")


# -- points and gates -------------------------------------------------------------------------------------------------


def test_a_point_without_coordinates() -> None:
    (point,) = entries("points", f"{HEAD}\n{GOOD.replace('21.8111,107.0488,W/M', ',,')}")
    assert point == CHI_MA._replace(lat=None, lon=None, confidence="")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("BG-20-CMA", "bg 20"), "dòng 2, cột code: 'bg 20' không hợp lệ; cần chữ in hoa"),
        (("Chi Ma", ""), "dòng 2, cột name_vi: để trống; cần có giá trị"),
        (("Chi Ma", "x" * 201), "dòng 2, cột name_vi: dài 201 ký tự; tối đa 200"),
        (("Chi Ma", "Chi\0Ma"), "dòng 2, cột name_vi: có ký tự điều khiển"),
        ((",20,", ",4,"), "dòng 2, cột province_code: '4' không hợp lệ; cần hai chữ số, như 04"),
        (("CN", "VN"), "dòng 2, cột neighbour: 'VN' không hợp lệ; cần một trong: CN (Trung Quốc), LA"),
        (("chinh", "to"), "dòng 2, cột gate_type: 'to' không hợp lệ; cần một trong: quoc_te (Cửa khẩu quốc tế), chinh"),
        (("21.8111", "hai mốt"), "dòng 2, cột lat: 'hai mốt' không phải số; cần độ thập phân"),
        (("21.8111", '"21,8111"'), "dòng 2, cột lat: '21,8111' không phải số; cần độ thập phân với dấu chấm"),
        (("21.8111", "107.0488"), "dòng 2, cột lat: 107.0488 ngoài khoảng tọa độ của các cửa khẩu trên đất liền"),
        (("21.8111", "nan"), "dòng 2, cột lat: 'nan' không phải số"),
        (("21.8111", ""), "dòng 2, cột lat: để trống; lat và lon cần có cả hai"),
        ((",W/M", ""), "dòng 2: có số cột khác dòng tiêu đề; cần đúng 9 cột"),
        ((",W/M", ",W/M,thừa"), "dòng 2: có số cột khác dòng tiêu đề"),
        (("Lạng Sơn", "Lang Son"), "dòng 2, cột province_vi: 'Lang Son' khác danh mục: tỉnh 20 là 'Lạng Sơn'"),
    ],
)
def test_what_is_wrong_with_a_row(change: tuple[str, str], told: str) -> None:
    (problem,) = problems("points", f"{HEAD}\n{GOOD.replace(*change)}\n")
    assert problem.startswith(told)


def test_a_new_province_has_one_name() -> None:
    rows = [GOOD, GOOD.replace("BG-20-CMA", "BG-20-TTH").replace("Lạng Sơn", "Lang Son")]
    (problem,) = problems("points", "\n".join([HEAD, *rows]), EMPTY)
    assert problem.startswith("dòng 3, cột province_vi: 'Lang Son' khác một dòng trước: tỉnh 20 là 'Lạng Sơn'")


def test_a_point_whose_site_belongs_to_another_gate() -> None:
    known = replace(KNOWN, sites={"BG-20-CMA": KNOWN.sites["BG-20-CMA"]._replace(gate="BG-20-TTH")})
    assert "điểm 'BG-20-CMA' thuộc cửa khẩu 'BG-20-TTH'" in problems("points", f"{HEAD}\n{GOOD}", known)[0]


@pytest.mark.parametrize(
    ("since", "read"),
    [("", None), ("từ đầu", BEGINNING), ("01/07/2025", date(2025, 7, 1)), ("2025-07-01", date(2025, 7, 1))],
)
def test_from_when_a_gate_s_row_holds(since: str, read: date | None) -> None:
    (gate,) = entries("gates", file_of("gates", example("gates", since=since, gate_type="quoc_te")), KNOWN)
    assert isinstance(gate, Gate)
    assert gate.since == read


def test_a_file_of_gates_may_say_nothing_of_when() -> None:
    text = (
        file_of("gates", example("gates", since="", gate_type="phu"))
        .decode()
        .replace(",since", "")
        .replace(",20,,", ",20,")
    )
    assert entries("gates", text, KNOWN) != []


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"since": "31/02/2025"}, "dòng 2, cột since: '31/02/2025' không phải ngày; cần ngày/tháng/năm"),
        ({"since": "7/2025"}, "dòng 2, cột since: '7/2025' không phải ngày"),
        ({"province_code": "99"}, "dòng 2, cột province_code: '99' chưa có trong danh mục tỉnh; nhập tệp"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_gate(cells: dict[str, str], told: str) -> None:
    (problem,) = problems("gates", file_of("gates", example("gates", **cells)))
    assert problem.startswith(told)


def test_a_province_that_was_over_by_then() -> None:
    over = {"20": [Province("20", None, "Lạng Sơn", date(2025, 7, 1), None)]}
    (problem,) = problems("gates", file_of("gates", example("gates")), replace(KNOWN, provinces=over))
    assert problem == "dòng 2, cột province_code: tỉnh '20' đã hết hiệu lực trước 01/07/2025; cần mã tỉnh mới"


def test_everything_that_is_wrong_with_a_row_is_told() -> None:
    cells = {"code": "x y", "name_vi": "", "neighbour": "VN", "since": "hôm qua", "lon": "1", "province_code": "99"}
    told = problems("gates", file_of("gates", example("gates", **cells)))
    assert sorted(one.split(":")[0].removeprefix("dòng 2, cột ") for one in told) == sorted(cells)


# -- the others -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "cells", "told"),
    [
        ("provinces", {"code": "4"}, "cột code: '4' không hợp lệ; cần hai chữ số, như 04 (Excel hay bỏ mất"),
        ("provinces", {"valid_until": "01/07/2025"}, "cột valid_until: 01/07/2025 không sau 01/07/2025; cần"),
        ("provinces", {"merged_into": "99", "valid_until": "01/07/2026"}, "cột merged_into: '99' không có"),
        ("provinces", {"merged_into": "22"}, "cột valid_until: để trống; tỉnh đã sáp nhập cần ngày hết hiệu lực"),
        ("organisations", {"agency_code": "h49"}, "cột agency_code: 'h49' không hợp lệ; cần mã định danh điện tử"),
        ("organisations", {"agency_code": "H49." + "1." * 20}, "cột agency_code: 'H49."),
        ("organisations", {"province": "99", "parent": ""}, "cột province: '99' chưa có trong danh mục tỉnh"),
        ("organisations", {"parent": "H1"}, "cột parent: 'H1' không có trong danh mục cơ quan và trong tệp"),
        ("organisations", {"parent": "H37.16"}, "cột parent: 'H37.16' nằm dưới chính nó"),
        ("sites", {"gate": "BG-99"}, "cột gate: 'BG-99' chưa có trong danh mục cửa khẩu; nhập tệp gates trước"),
        ("sites", {"status": "mở"}, "cột status: 'mở' không hợp lệ; cần một trong: planned (Dự kiến), operating"),
        ("sites", {"funding": "ODA"}, "cột funding: 'ODA' không hợp lệ; cần một trong: ngan_sach_dia_phuong"),
        ("sites", {"organisation": "H99"}, "cột organisation: 'H99' chưa có trong danh mục cơ quan"),
        ("sites", {"invested_at": "2023"}, "cột invested_at: '2023' không phải ngày"),
        ("sites", {"hours_sun": "7h-25h"}, "cột hours_sun: '7h-25h' không phải khoảng giờ; cần như 07:00-11:30"),
        ("sites", {"hours_mon": "22:00-02:00"}, "cột hours_mon: '22:00-02:00' không phải khoảng giờ"),
        ("sites", {"hours_mon": "13:00-17:00, 7:00-11:00"}, "cột hours_mon: '13:00-17:00, 7:00-11:00': các khoảng giờ"),
        ("sites", {"hours_mon": "x\0"}, "cột hours_mon: có ký tự điều khiển"),
        ("devices", {"name": "BG-20"}, "cột name: 'BG-20' không hợp lệ; cần chữ thường"),
        ("devices", {"kind": "robot"}, "cột kind: 'robot' không hợp lệ; cần một trong: kiosk (Tủ tra cứu), led"),
        ("devices", {"site": "BG-99"}, "cột site: 'BG-99' chưa có trong danh sách điểm; nhập tệp"),
        ("devices", {"since": "01/07/2025 25:00"}, "cột since: '01/07/2025 25:00' không phải ngày giờ; cần"),
        ("campaigns", {"ends_on": "14/08/2025"}, "cột ends_on: 14/08/2025 trước ngày bắt đầu 15/08/2025"),
        ("campaigns", {"document": "x" * 501}, "cột document: dài 501 ký tự; tối đa 500"),
        ("activities", {"people": "45 người"}, "cột people: '45 người' không hợp lệ; cần số nguyên từ 0 đến 1000000"),
        ("activities", {"people": "1000001"}, "cột people: '1000001' không hợp lệ"),
        ("activities", {"people": "٤٥"}, "cột people: '٤٥' không hợp lệ"),
        ("activities", {"organisation": "H99"}, "cột organisation: 'H99' chưa có trong danh mục cơ quan"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_any_entry(kind: str, cells: dict[str, str], told: str) -> None:
    base = {"parent": ""} if kind == "organisations" else {}
    found = problems(kind, file_of(kind, example(kind, **(base | cells))))
    assert len(found) == 1, found
    assert found[0].startswith(f"dòng 2, {told}")


def test_organisations_may_name_each_other_but_not_in_a_circle() -> None:
    above, below = example("organisations", agency_code="H40", parent=""), example("organisations", parent="H40")
    assert len(entries("organisations", file_of("organisations", below, above), KNOWN)) == 2
    told = problems("organisations", file_of("organisations", below, above | {"parent": "H37.16"}))
    assert [one[:8] for one in told] == ["dòng 2, ", "dòng 3, "]


def test_a_province_may_be_told_twice_but_not_for_one_day() -> None:
    over = {"valid_from": "", "valid_until": "01/07/2025", "merged_into": "15"}
    rows = [example("provinces", code="15", name_vi="Yên Bái") | over, example("provinces", code="15")]
    assert len(entries("provinces", file_of("provinces", *rows))) == 2
    (problem,) = problems("provinces", file_of("provinces", *rows, rows[1] | {"valid_from": "2025-07-01"}))
    assert problem.startswith("dòng 4, cột valid_from: '15' đã có với cùng ngày hiệu lực")


def test_a_site_does_not_go_to_another_gate() -> None:
    known = replace(KNOWN, gates={**KNOWN.gates, "BG-20-TTH": KNOWN.gates["BG-20-CMA"]._replace(code="BG-20-TTH")})
    (problem,) = problems("sites", file_of("sites", example("sites", gate="BG-20-TTH")), known)
    assert "điểm này thuộc cửa khẩu 'BG-20-CMA' và không đổi được" in problem


def test_opening_hours_by_weekday() -> None:
    cells = {"hours_mon": "7:00 - 11:30; 13h30-17g00", "hours_sat": "Nghỉ", "hours_sun": "", "hours_tue": "cả ngày"}
    (change,) = planned("sites", file_of("sites", example("sites", **cells))).changes
    monday, tuesday, *_, saturday, sunday = change.entry.hours
    assert monday == (Span(420, 690), Span(810, 1020))
    assert (tuesday, saturday, sunday) == ((Span(0, 1440),), (), None)
    told = "T2 07:00-11:30, 13:30-17:00; T3 cả ngày; T4 07:00-11:30, 13:30-17:00"
    assert change.fields()["hours"] == (
        None,
        f"{told}; T5 07:00-11:30, 13:30-17:00; T6 07:00-11:30, 13:30-17:00; T7 nghỉ",
    )


def test_devices() -> None:
    text = f"{DEVICE_HEAD}\nbg-20-cma-k1,kiosk,BG-20-CMA,Tủ tra cứu\nbg-20-cma-l1,Màn hình LED,BG-20-CMA,\n"
    assert entries("devices", text, KNOWN) == [
        Device("bg-20-cma-k1", "kiosk", "BG-20-CMA", "Tủ tra cứu", None),
        Device("bg-20-cma-l1", "led", "BG-20-CMA", None, None),
    ]
    moved = f"{DEVICE_HEAD},since\nbg-20-cma-k1,kiosk,BG-20-CMA,x,1/7/2025 8:30\n"
    (device,) = entries("devices", moved, KNOWN)
    assert isinstance(device, Device)
    assert device.since == datetime(2025, 7, 1, 1, 30, tzinfo=UTC)


# -- a table of anybody's ---------------------------------------------------------------------------------------------


def _pair(row: Row) -> tuple[str, str]:
    if row["b"] == "bad":
        raise BadCell("b", "tệ; cần khác")
    return row["a"], row["b"]


def test_a_table_with_a_key_of_two_columns() -> None:
    data = b"b,a\n1,x\n2,x\n2,y\n"
    assert read_table(data, ("a", "b"), _pair, key=("a", "b")) == [("x", "1"), ("x", "2"), ("y", "2")]
    with pytest.raises(ImportRefused, match="dòng 5, cột a: 'x 2' đã có ở dòng 3; mỗi giá trị chỉ được ghi một lần"):
        read_table(data + b"2,x\n", ("a", "b"), _pair, key=("a", "b"))
    with pytest.raises(ImportRefused, match="dòng 3, cột b: tệ; cần khác"):
        read_table(b"a,b\nx,1\ny,bad", ("a", "b"), _pair, key="a")
