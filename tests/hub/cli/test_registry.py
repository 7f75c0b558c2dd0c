"""`ttdn-hub registry` as an operator sees it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from hub.registry.cells import LOCAL
from hub.registry.files import KINDS
from tests.hub.command import hub
from tests.hub.registry.making import example, file_of
from tests.hub.registry.test_files import DEMO, DEVICE_HEAD, GOOD, HEAD


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    file = tmp_path / "devices.csv"
    file.write_text(f"{DEVICE_HEAD}\nk1,kiosk,BG-20-CMA,[bold]Tủ tra cứu\n", encoding="utf-8-sig")
    return file


def listed(database: str, *arguments: str) -> Any:
    done = hub("registry", "list", *arguments, "--json", database=database)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_import_and_list(database: str, devices: Path) -> None:
    assert hub("registry", "import-sites", str(DEMO), database=database).stdout == "29 added, 0 changed, 0 unchanged\n"
    done = hub("registry", "import-devices", str(devices), database=database)
    assert (done.returncode, done.stdout) == (0, "1 added, 0 changed, 0 unchanged\n")
    shown = hub("registry", "list", database=database).stdout
    assert "29 sites" in shown
    assert "[bold]Tủ tra cứu" in shown
    told = listed(database)
    assert (len(told["sites"]), len(told["gates"]), told["devices"][0]["site"]) == (29, 29, "BG-20-CMA")
    assert list(listed(database, "campaigns")) == ["campaigns"]


def test_a_refused_file_ends_with_1_and_names_each_problem(database: str, tmp_path: Path) -> None:
    file = tmp_path / "sites.csv"
    file.write_text(f"{HEAD}\n{GOOD.replace('CN', 'XX')}\n{GOOD.replace('chinh', 'y').replace('CMA', 'X')}\n")
    done = hub("registry", "import-sites", str(file), database=database)
    assert (done.returncode, done.stdout) == (1, "")
    assert "dòng 2, cột neighbour: 'XX'" in done.stderr
    assert "dòng 3, cột gate_type: 'y'" in done.stderr
    assert hub("registry", "import-sites", "missing.csv", database=database).returncode == 2
    done = hub("registry", "import", "points", str(file), "--json", database=database)
    told = json.loads(done.stdout)
    assert (done.returncode, told["taken"], told["added"]) == (1, False, 0)
    assert [(one["row"], one["column"]) for one in told["problems"]] == [(2, "neighbour"), (3, "gate_type")]


def test_the_way_of_a_workbook(database: str, tmp_path: Path) -> None:
    """A template, filled in by Excel's like, looked at, imported, and imported again."""
    for kind in ("provinces", "gates"):
        assert hub("registry", "template", kind, "--xlsx", str(tmp_path / f"{kind}.xlsx")).returncode == 0
    assert hub("registry", "import", "provinces", str(tmp_path / "provinces.xlsx"), database=database).stdout == (
        "22 added, 0 changed, 0 unchanged\n"
    )
    file = tmp_path / "gates.xlsx"
    book = openpyxl.load_workbook(file)
    book.worksheets[0].append(list(example("gates").values())[:6])
    book.save(file)
    done = hub("registry", "import", "gates", str(file), "--preview", database=database)
    assert done.stdout.splitlines() == [
        "dòng 2: BG-20-CMA: mới / new (từ 01/07/2025)",
        "xem trước, chưa ghi gì / a preview, nothing was written",
        "1 added, 0 changed, 0 unchanged",
    ]
    assert listed(database, "gates") == {"gates": []}
    assert (
        json.loads(hub("registry", "import", "gates", str(file), "--json", database=database).stdout)["taken"] is True
    )
    book.worksheets[0]["D2"] = "Cửa khẩu quốc tế"
    book.worksheets[0]["F2"] = "01/01/2026"
    book.save(file)
    done = hub("registry", "import", "gates", str(file), "--preview", database=database)
    assert done.stdout.startswith("dòng 2: BG-20-CMA: gate_type: 'chinh' -> 'quoc_te' (từ 01/01/2026)\n")
    assert hub("registry", "import", "gates", str(file), database=database).returncode == 0
    again = json.loads(hub("registry", "import", "gates", str(file), "--json", database=database).stdout)
    assert (again["unchanged"], again["changes"]) == (1, [])
    for day, gate_type in (("31/12/2025", "chinh"), ("2026-01-01", "quoc_te")):
        assert listed(database, "gates", "--as-of", day)["gates"][0]["gate_type"] == gate_type
    assert listed(database, "gates", "--as-of", "30/06/2025") == {"gates": []}


def test_a_preview_of_a_bad_file_shows_both(database: str, tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_bytes(file_of("points", example("points"), example("points", code="x y")))
    done = hub("registry", "import", "points", str(file), "--preview", database=database)
    assert (done.returncode, "dòng 2: BG-20-CMA: mới" in done.stdout) == (1, True)
    assert "dòng 3, cột code: 'x y' không hợp lệ" in done.stderr
    told = json.loads(hub("registry", "import", "points", str(file), "--preview", "--json", database=database).stdout)
    assert (told["taken"], told["added"], len(told["problems"])) == (False, 1, 1)


@pytest.mark.parametrize("data", [b"", b"\0" * 900, b"\x89garbage\xff", b"PK\x03\x04 half of one", b"PK\xff"])
@pytest.mark.parametrize("command", [("registry", "import", "gates"), ("catalogue", "import", "contents")])
def test_a_workbook_by_name_that_is_none(database: str, tmp_path: Path, command: tuple[str, ...], data: bytes) -> None:
    file = tmp_path / "cua-khau.XLSX"
    file.write_bytes(data)
    done = hub(*command, str(file), database=database)
    assert (done.returncode, "tệp hỏng hoặc tải về chưa xong; mở tệp bằng Excel" in done.stderr) == (1, True)
    assert "UTF-8" not in done.stderr


def test_move_device(database: str, devices: Path) -> None:
    hub("registry", "import-sites", str(DEMO), database=database)
    hub("registry", "import-devices", str(devices), database=database)
    move = ("registry", "move-device", "k1", "BG-20-TTH", "--since", "01/07/2025 08:00")
    since = "từ 01/07/2025 08:00"
    for told in (f"chuyển đến BG-20-TTH {since} / moved to BG-20-TTH", f"đã ở BG-20-TTH {since} / stands already at"):
        assert hub(*move, database=database).stdout.startswith(f"k1: {told}")
    (device,) = listed(database, "devices")["devices"]
    assert [(stay["since"], stay["site"]) for stay in device["placements"]] == [
        (None, "BG-20-CMA"), ("2025-07-01 01:00:00+00:00", "BG-20-TTH")
    ]  # fmt: skip
    for day, site in (("30/06/2025", "BG-20-CMA"), ("01/07/2025", "BG-20-TTH")):
        assert listed(database, "devices", "--as-of", day)["devices"][0]["site"] == site


def test_a_move_that_is_far_ahead_is_meant(database: str, devices: Path) -> None:
    hub("registry", "import-sites", str(DEMO), database=database)
    hub("registry", "import-devices", str(devices), database=database)
    day = datetime.now(LOCAL).date()
    for days, arguments, code in ((30, (), 0), (33, (), 2), (33, ("--far",), 0)):
        since = f"{day + timedelta(days=days):%d/%m/%Y}"
        done = hub("registry", "move-device", "k1", "BG-20-TTH", "--since", since, *arguments, database=database)
        assert (done.returncode, f"{since} 00:00" in done.stdout + done.stderr) == (code, True), done.stderr
        assert ("kiểm tra năm, hoặc thêm --far" in done.stderr) == (code == 2)
        hub("registry", "move-device", "k1", "BG-20-CMA", "--since", since, "--far", database=database)
    stay = hub("registry", "move-device", "k1", "BG-20-CMA", database=database)
    assert stay.stdout.startswith("k1: đã ở BG-20-CMA từ đầu / ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("import", "gate", str(DEMO)), "no kind of file 'gate'; there are: provinces, organisations"),
        (("template", "gate"), "no kind of file 'gate'"),
        (("list", "points"), "no list 'points'; there are: provinces, organisations"),
        (("list", "--as-of", "hôm qua"), "--as-of 'hôm qua': cần ngày/tháng/năm"),
        (("move-device", "k1", "BG-20-CMA", "--since", "x"), "--since 'x': cần ngày/tháng/năm"),
        (("move-device", "k1", "BG-20-CMA"), "không có điểm 'BG-20-CMA'; xem / no such site; see"),
        (("template", "gates", "--xlsx", "/nowhere/x.xlsx"), "/nowhere/x.xlsx cannot be written"),
    ],
)
def test_a_wrong_command_line_ends_with_2(database: str, arguments: tuple[str, ...], told: str) -> None:
    done = hub("registry", *arguments, database=database)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr


def test_a_template_is_not_written_over_a_file(tmp_path: Path) -> None:
    file = tmp_path / "gates.xlsx"
    file.write_text("somebody's work")
    done = hub("registry", "template", "gates", "--xlsx", str(file))
    assert (done.returncode, file.read_text()) == (2, "somebody's work")
    assert "may have been filled in; give another name" in done.stderr


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_a_template_on_standard_output(kind: str) -> None:
    done = hub("registry", "template", kind)
    assert (done.returncode, done.stdout[0]) == (0, "\ufeff")
