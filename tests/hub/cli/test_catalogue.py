"""`ttdn-hub catalogue` and `ttdn-hub plan` as an operator sees them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import openpyxl
import psycopg
import pytest

from hub.catalogue.forms import FORMS
from hub.store.contents import Contents
from tests.hub.catalogue.making import DRAFT, A, B, contents_file, groups_file, plan_file
from tests.hub.catalogue.test_frame_hash import drawn, landscape, png
from tests.hub.command import hub
from tests.hub.registry.making import put_site


@pytest.fixture
def database(database: str, connection: psycopg.Connection) -> str:
    """With a site, a device, and a content that was seen."""
    put_site(connection, "BG-20-CMA")
    connection.execute("INSERT INTO device (name, kind, registered_at) VALUES ('k1', 'led', now())")
    Contents(connection).id("chao-mung.mp4", A)
    return database


def written(folder: Path, data: bytes) -> str:
    path = folder / "file.csv"
    path.write_bytes(data)
    return str(path)


def verdict(connection: psycopg.Connection) -> str:
    """Of what was seen, today."""
    row = connection.execute(
        "SELECT verdict::text FROM resolved WHERE local_day(now()) BETWEEN first_day AND last_day"
    ).fetchone()
    return "" if row is None else str(row[0])


def test_a_content_s_life(database: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    done = hub("catalogue", "import", "topics", database=database)
    assert (done.returncode, done.stdout) == (0, "11 added, 0 changed, 0 unchanged\n")
    draft = written(tmp_path, contents_file({"media_sha256": A, "title_vi": "[bold]Chào mừng", **DRAFT}))
    again = "1 shown contents have another verdict, 0 recorded days are to be restated\n"
    done = hub("catalogue", "import", "contents", draft, "--preview", database=database)
    assert done.stdout == (
        "ND-1: phiên bản 1, mới / new\nxem trước, chưa ghi gì / a preview, nothing was written\n"
        f"1 added, 0 changed, 0 unchanged\n{again}"
    )
    done = hub("catalogue", "import", "contents", draft, database=database)
    assert done.stdout == f"1 added, 0 changed, 0 unchanged\n{again}"
    approved = written(tmp_path, contents_file({"media_sha256": A, "title_vi": "[bold]Chào mừng"}))
    done = hub("catalogue", "import", "contents", approved, "--preview", database=database)
    assert "ND-1: approval_no: (trống) -> 12/QĐ-SVHTTDL\n" in done.stdout
    assert verdict(connection) == "unknown"
    hub("catalogue", "import", "contents", approved, "--reason", "văn bản đến muộn", database=database)
    assert verdict(connection) == "approved"
    assert "[bold]Chào mừng" in hub("catalogue", "list", database=database).stdout
    (listed,) = json.loads(hub("catalogue", "list", "--json", database=database).stdout)["contents"]
    assert (listed["code"], listed["version"], listed["approval_date"]) == ("ND-1", 2, "2025-01-05")
    shown = json.loads(hub("catalogue", "show", "ND-1", "--json", database=database).stdout)
    assert [version["in_force"] for version in shown["versions"]] == [False, True]
    assert [seen["verdict"] for seen in shown["seen"]] == ["not_yet_valid", "approved"]
    told = hub("catalogue", "show", "ND-1", database=database).stdout
    assert f"seen: chao-mung.mp4 {A} 2025-01-01..: Đã phê duyệt (approved, version 2)" in told
    done = hub("catalogue", "withdraw", "ND-1", "--from", "02/01/2025", "--reason", "sai", database=database)
    assert (done.returncode, done.stdout) == (0, again)
    assert verdict(connection) == "expired"
    done = hub("catalogue", "withdraw", "ND-1", "--reason", "sai", database=database)
    assert (done.returncode, "không có phê duyệt nào còn hiệu lực" in done.stderr) == (2, True)
    hub("catalogue", "delete", "ND-1", "--reason", "nhập nhầm", database=database)
    assert verdict(connection) == "unknown"
    assert "1 contents" in hub("catalogue", "list", "--deleted", database=database).stdout
    assert "deleted on" in hub("catalogue", "show", "ND-1", database=database).stdout
    assert hub("catalogue", "import", "contents", approved, database=database).returncode == 1
    assert hub("catalogue", "restore", "ND-1", "--reason", "nhầm", database=database).returncode == 0
    done = hub("catalogue", "resolve", database=database)
    assert done.stdout == "0 shown contents have another verdict, 0 recorded days are to be restated\n"
    deeds = connection.execute("SELECT deed, who LIKE 'command:%', reason FROM catalogue_change ORDER BY id").fetchall()
    assert deeds == [
        ("imported", True, None),
        ("imported", True, "văn bản đến muộn"),
        ("withdrawn", True, "sai"),
        ("deleted", True, "nhập nhầm"),
        ("restored", True, "nhầm"),
        ("resolved", True, None),
    ]


def test_refusals(database: str, tmp_path: Path) -> None:
    bad = written(tmp_path, contents_file({"kind": "x"}, {"code": "ND-2", "topic": "y"}))
    done = hub("catalogue", "import", "contents", bad, database=database)
    assert "dòng 3, cột topic: 'y' chưa có trong danh sách chủ đề; ttdn-hub catalogue import topics nhập" in done.stderr
    hub("catalogue", "import", "topics", database=database)
    done = hub("catalogue", "import", "contents", bad, database=database)
    assert (done.returncode, done.stdout) == (1, "")
    assert "dòng 2, cột kind: 'x' không hợp lệ" in done.stderr
    assert "dòng 3, cột topic: 'y' chưa có trong danh sách chủ đề" in done.stderr
    for command in (("show", "ND-9"), ("delete", "ND-9", "--reason", "x"), ("restore", "ND-9", "--reason", "x")):
        done = hub("catalogue", *command, database=database)
        assert (done.returncode, "ND-9" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_frame_hash(tmp_path: Path) -> None:
    picture = tmp_path / "frame.png"
    picture.write_bytes(png(drawn(landscape, 90, 60)))
    done = hub("catalogue", "frame-hash", str(picture))
    assert (done.returncode, len(done.stdout.strip())) == (0, 16)
    picture.write_bytes(b"x")
    done = hub("catalogue", "frame-hash", str(picture))
    assert (done.returncode, "không phải tệp PNG" in done.stderr) == (2, True)


def test_the_plan(database: str, tmp_path: Path) -> None:
    hub("catalogue", "import", "topics", database=database)
    hub("catalogue", "import", "contents", written(tmp_path, contents_file({"media_sha256": B})), database=database)
    groups = written(tmp_path, groups_file({"code": "N-1", "name_vi": "Tủ", "devices": "k1"}))
    done = hub("plan", "import", "groups", groups, database=database)
    assert done.stdout == "1 added, 0 changed, 0 unchanged\n"
    lines = plan_file({"hours": "7-11"}, {"code": "KH-2", "target_kind": "group", "target": "N-1", "weekdays": "T2-T6"})
    file = written(tmp_path, lines)
    assert "2 added" in hub("plan", "import", "items", file, "--preview", database=database).stdout
    assert hub("plan", "import", "items", file, database=database).stdout == "2 added, 0 changed, 0 unchanged\n"
    assert hub("plan", "import", "items", file, database=database).stdout == "0 added, 0 changed, 2 unchanged\n"
    listed = hub("plan", "list", database=database).stdout
    assert "2 lines" in listed
    assert "N-1 Tủ: k1" in listed
    told = json.loads(hub("plan", "list", "--json", database=database).stdout)
    assert [(item["code"], item["hours"][:2]) for item in told["items"]] == [("KH-1", [7, 8]), ("KH-2", [0, 1])]
    assert told["groups"] == [{"code": "N-1", "name_vi": "Tủ", "devices": ["k1"]}]
    assert hub("plan", "remove", "KH-1", database=database).returncode == 0
    done = hub("plan", "remove", "KH-1", database=database)
    assert (done.returncode, "no line 'KH-1'" in done.stderr) == (2, True)


def test_the_way_of_a_workbook(database: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    """Templates, filled in by Excel's like, looked at and imported, from the subjects to the plan."""
    connection.execute("INSERT INTO campaign VALUES ('DT-2026-01', 'Tết', '2026-01-01', '2026-02-28')")
    for led in ("led-1", "led-2"):
        connection.execute("INSERT INTO device (name, kind, registered_at) VALUES (%s, 'led', now())", [led])
    for noun, name, more in (
        ("catalogue", "topics", {"code": "rieng", "letter": ""}),
        ("catalogue", "contents", {"code": "ND-1", "kind": "Phim, video", "valid_from": date(2026, 1, 1)}),
        ("plan", "groups", {}),
        ("plan", "items", {"target_kind": "Nhóm thiết bị", "target": "NHOM-LED", "least": 4, "unit": "Lượt mỗi giờ"}),
    ):
        file = tmp_path / f"{name}.xlsx"
        assert hub(noun, "template", name, "--xlsx", str(file)).returncode == 0
        book = openpyxl.load_workbook(file)
        example = {column.name: column.example for column in FORMS[name].columns}
        book.worksheets[0].append([value or None for value in (example | more).values()])
        book.save(file)
        added = "12 added" if name == "topics" else "1 added"
        done = hub(noun, "import", name, str(file), "--preview", database=database)
        assert "xem trước, chưa ghi gì" in done.stdout, done.stderr
        for told in (added, "0 added"):
            done = hub(noun, "import", name, str(file), database=database)
            assert done.stdout.startswith(f"{told}, 0 changed"), done.stderr
    (item,) = json.loads(hub("plan", "list", "--json", database=database).stdout)["items"]
    assert (item["target"], item["contents"], item["least"]) == ("NHOM-LED", ["ND-1"], 4)


@pytest.mark.parametrize("name", FORMS)
def test_a_template_on_standard_output(name: str) -> None:
    noun = "catalogue" if name in {"topics", "contents"} else "plan"
    done = hub(noun, "template", name)
    assert (done.returncode, done.stdout[0]) == (0, "\ufeff")
    assert hub(noun, "template", "gates").returncode == 2


@pytest.mark.parametrize(
    "command", [("catalogue",), ("catalogue", "import", "contents"), ("plan", "import", "items")], ids=" ".join
)
def test_help(command: tuple[str, ...]) -> None:
    assert hub(*command, "--help").returncode == 0
