"""Files that people write: what is wrong is told with row, column and what is expected; nothing half is taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simulator
from hub.errors import ImportRefused
from hub.registry import devices, sites
from hub.registry.devices import Device, read_devices
from hub.registry.sites import Site, read_sites

DEMO = Path(simulator.__file__).parent / "data" / "sites.csv"
HEAD = ",".join(sites.COLUMNS)
GOOD = "BG-20-CMA,Chi Ma,Lạng Sơn,20,CN,chinh,21.8111,107.0488,W/M"
CHI_MA = Site("BG-20-CMA", "Chi Ma", "Lạng Sơn", "20", "CN", "chinh", 21.8111, 107.0488, "W/M")
DEVICE_HEAD = ",".join(devices.COLUMNS)
KNOWN = {"BG-20-CMA"}


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(ImportRefused) as caught:
        read_sites(text if isinstance(text, bytes) else text.encode())
    return caught.value.problems


def test_the_demo_s_sites() -> None:
    read = read_sites(DEMO.read_bytes())
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
    ],
    ids=["plain", "bom and crlf", "blank lines", "semicolons", "decomposed and padded", "other order"],
)
def test_one_site_in_many_spellings(text: str) -> None:
    assert read_sites(text.encode()) == [CHI_MA]


def test_a_site_without_coordinates() -> None:
    (site,) = read_sites(f"{HEAD}\n{GOOD.replace('21.8111,107.0488,W/M', ',,')}".encode())
    assert (site.lat, site.lon, site.confidence) == (None, None, "")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("BG-20-CMA", "bg 20"), "dòng 2, cột code: 'bg 20' không hợp lệ; cần chữ in hoa"),
        (("Chi Ma", ""), "dòng 2, cột name_vi: để trống; cần có giá trị"),
        (("Chi Ma", "x" * 201), "dòng 2, cột name_vi: dài 201 ký tự; tối đa 200"),
        (("Chi Ma", "Chi\0Ma"), "dòng 2, cột name_vi: có ký tự điều khiển"),
        ((",20,", ",4,"), "dòng 2, cột province_code: '4' không hợp lệ; cần hai chữ số, như 04"),
        (("CN", "VN"), "dòng 2, cột neighbour: 'VN' không hợp lệ; cần một trong: CN, LA, KH"),
        (("chinh", "to"), "dòng 2, cột gate_type: 'to' không hợp lệ; cần một trong: quoc_te, chinh"),
        (("21.8111", "hai mốt"), "dòng 2, cột lat: 'hai mốt' không phải số; cần độ thập phân"),
        (("21.8111", "107.0488"), "dòng 2, cột lat: 107.0488 ngoài khoảng tọa độ của các cửa khẩu trên đất liền"),
        (("21.8111", "nan"), "dòng 2, cột lat: nan ngoài"),
        (("21.8111", ""), "dòng 2, cột lat: để trống; lat và lon cần có cả hai"),
        ((",W/M", ""), "dòng 2: có số cột khác dòng tiêu đề; cần đúng 9 cột"),
        ((",W/M", ",W/M,thừa"), "dòng 2: có số cột khác dòng tiêu đề"),
    ],
)
def test_what_is_wrong_with_a_row(change: tuple[str, str], told: str) -> None:
    (problem,) = problems(f"{HEAD}\n{GOOD.replace(*change)}\n")
    assert problem.startswith(told)


def test_every_problem_is_told_with_its_row() -> None:
    told = problems(f"{HEAD}\n{GOOD}\n{GOOD.replace('CN', 'XX')}\n{GOOD}\n,,,,,,,,x\n")
    assert [problem.split(",")[0] for problem in told] == ["dòng 3", "dòng 4", "dòng 5"]
    assert "đã có ở dòng 2" in told[1]
    many = problems(HEAD + f"\n{GOOD}" * 61)
    assert (len(many), many[-1]) == (51, "… và 10 lỗi khác")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "dòng 1: thiếu cột 'code', 'name_vi'"),
        (HEAD.encode(), "tệp không có dòng dữ liệu nào"),
        (b"code,name_vi,colour\n", "cột lạ 'colour'; cần đúng các cột: code,name_vi,province_vi"),
        (f"{HEAD},code\n{GOOD},x".encode(), "cột lặp lại 'code'"),
        (f"{HEAD}\n{GOOD}".encode("utf-16"), "dòng 1: tệp không phải UTF-8; trong Excel"),
        (f"{HEAD}\nBG,Lạng".encode("cp1258", "replace") + b"\xf0", "tệp không phải UTF-8"),
        (f'{HEAD}\n"BG-20'.encode(), "không đọc được CSV"),
    ],
)
def test_files_that_are_no_such_files(data: bytes, told: str) -> None:
    assert told in problems(data)[0]


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: f"{HEAD}\n{text}".encode())))
def test_any_bytes_give_sites_or_problems(data: bytes) -> None:
    try:
        assert read_sites(data)
    except ImportRefused as refused:
        told = refused.problems
        assert told


def test_devices() -> None:
    text = f"{DEVICE_HEAD}\nbg-20-cma-k1,kiosk,BG-20-CMA,Tủ tra cứu\nbg-20-cma-l1,led,BG-20-CMA,\n"
    assert read_devices(text.encode(), KNOWN) == [
        Device("bg-20-cma-k1", "kiosk", "BG-20-CMA", "Tủ tra cứu"),
        Device("bg-20-cma-l1", "led", "BG-20-CMA", None),
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("BG-20,kiosk,BG-20-CMA,x", "dòng 2, cột name: 'BG-20' không hợp lệ; cần chữ thường"),
        ("k1,robot,BG-20-CMA,x", "dòng 2, cột kind: 'robot' không hợp lệ; cần một trong: kiosk, led, tv, loa"),
        ("k1,kiosk,BG-99,x", "dòng 2, cột site: 'BG-99' chưa có trong danh sách điểm; nhập sites.csv trước"),
        ("k1,kiosk,,x", "dòng 2, cột site: để trống"),
    ],
)
def test_what_is_wrong_with_a_device(row: str, told: str) -> None:
    with pytest.raises(ImportRefused) as caught:
        read_devices(f"{DEVICE_HEAD}\n{row}".encode(), KNOWN)
    assert caught.value.problems[0].startswith(told)
