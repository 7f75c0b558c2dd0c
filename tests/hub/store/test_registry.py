"""The registry: files in, all or nothing, again and again; lists out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from hub.errors import ImportRefused
from hub.registry import template
from hub.registry.files import KINDS, kind_of
from hub.registry.plan import Plan
from hub.store import registry as store
from hub.store.connection import connect
from hub.store.registry import import_devices, import_file, import_sites, listed, move_device, preview_file
from tests.hub.registry.making import example, file_of
from tests.hub.registry.test_files import DEMO, GOOD, HEAD
from tests.hub.store.registered import DEVICES, FILES, NOW, fill, put


def everything(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    return {name: listed(connection, name) for name in ("provinces", "organisations", "gates", "sites", "devices",
                                                        "campaigns", "activities")}  # fmt: skip


# -- files ------------------------------------------------------------------------------------------------------------


def test_importing_again_changes_nothing(connection: psycopg.Connection) -> None:
    assert import_sites(connection, DEMO.read_bytes()) == (29, 0, 0)
    assert import_sites(connection, DEMO.read_bytes()) == (0, 0, 29)
    changed = GOOD.replace("chinh", "quoc_te").replace("21.8111,107.0488", ",")
    assert import_sites(connection, f"{HEAD}\n{changed}".encode()) == (0, 1, 0)
    assert import_devices(connection, DEVICES.encode()) == (2, 0, 0)
    before = everything(connection)
    assert import_devices(connection, DEVICES.encode()) == (0, 0, 2)
    assert everything(connection) == before


def test_every_kind_comes_back_as_it_was_written(connection: psycopg.Connection) -> None:
    assert set(FILES) == {kind.name for kind in KINDS}
    for kind, rows in FILES.items():
        planned = put(connection, kind, *rows)
        assert planned.added == len(rows) - (1 if kind == "points" else 0), kind
        for again in (file_of(kind, *rows), template.workbook(kind_of(kind), rows)):
            plan = import_file(connection, kind_of(kind), again, by="command:test", now=NOW)
            assert (plan.added, plan.changed, plan.unchanged) == (0, 0, len(rows)), (kind, plan.changes)
    told = everything(connection)
    assert {name: len(rows) for name, rows in told.items()} == {
        "provinces": 2, "organisations": 2, "gates": 2, "sites": 2, "devices": 1, "campaigns": 1, "activities": 1
    }  # fmt: skip
    site, other = told["sites"]
    assert (site["surveyed"], other["surveyed"], other["lat"]) == (True, False, 21.8111)
    assert (site["funding"], site["invested_at"], site["devices"]) == ("ngan_sach_dia_phuong", date(2023, 3, 15), 1)
    assert site["opening_hours"][:2] == [
        {"weekday": 1, "opens_min": 420, "closes_min": 690}, {"weekday": 1, "opens_min": 810, "closes_min": 1020}
    ]  # fmt: skip
    assert (told["activities"][0]["people"], told["activities"][0]["province"]) == (45, "20")


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("provinces", {"name_vi": "Lạng Sơn mới", "valid_until": "01/01/2030", "merged_into": "22"}),
        ("organisations", {"name_vi": "Sở khác", "province": "", "parent": "", "valid_until": "01/01/2030"}),
        ("gates", {"name_vi": "Cửa khẩu khác", "neighbour": "LA", "gate_type": "quoc_te", "lat": "", "lon": "",
                   "confidence": ""}),
        ("sites", {"name_vi": "Điểm khác", "status": "suspended", "invested_at": "", "funding": "", "organisation": "",
                   "lat": "", "lon": "", "hours_mon": "nghỉ", "hours_sun": ""}),
        ("points", {"name_vi": "Tên khác", "gate_type": "phu", "lat": "", "lon": ""}),
        ("devices", {"kind": "tv", "title_vi": "", "site": "BG-22-HMO"}),
        ("campaigns", {"name_vi": "x", "begins_on": "01/01/2026", "ends_on": "02/01/2026", "organisation": "",
                       "document": ""}),
        ("activities", {"kind": "khac", "name_vi": "x", "place": "x", "held_on": "01/01/2026", "people": "0",
                        "organisation": "H37"}),
    ],
)  # fmt: skip
def test_every_column_can_be_changed_and_is_previewed(
    connection: psycopg.Connection, kind: str, cells: dict[str, str]
) -> None:
    fill(connection)
    before = everything(connection)
    row = FILES[kind][0] | cells
    preview = preview_file(connection, kind_of(kind), file_of(kind, row), now=NOW)
    assert everything(connection) == before
    (change,) = preview.changes
    names = {"hours" if name.startswith("hours") else name for name in cells}
    assert set(change.fields()) == names
    done = put(connection, kind, row)
    assert done == preview
    assert everything(connection) != before
    again = put(connection, kind, row)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 1)


def test_one_bad_row_and_nothing_is_taken(connection: psycopg.Connection) -> None:
    with pytest.raises(ImportRefused):
        import_sites(connection, f"{HEAD}\n{GOOD}\n{GOOD.replace('CN', 'XX')}".encode())
    with pytest.raises(ImportRefused, match="dòng 2, cột site"):
        import_devices(connection, DEVICES.encode())
    assert not any(everything(connection).values())
    assert connection.execute("SELECT count(*) FROM audit_entry").fetchone() == (0,)


def test_who_imported_what_is_in_the_audit_log(connection: psycopg.Connection) -> None:
    put(connection, "points", example("points"))
    put(connection, "points", example("points"))
    put(connection, "devices", example("devices", since=""), example("devices", name="k2", since=""))
    with pytest.raises(ImportRefused):
        put(connection, "gates", example("gates", code="x"))
    preview_file(connection, kind_of("points"), file_of("points", example("points", name_vi="x")), now=NOW)
    entries = connection.execute("SELECT who, deed, what, detail, at FROM audit_entry ORDER BY id").fetchall()
    assert entries == [
        ("command:test", "registry_imported", "registry:points", {"added": 1, "changed": 0}, NOW),
        ("command:test", "registry_imported", "registry:devices", {"added": 2, "changed": 0}, NOW),
    ]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_two_imports_at_once_are_one_after_the_other(database: str) -> None:
    def work() -> Plan:
        with connect(database, "test", autocommit=True) as own:
            return import_file(own, kind_of("points"), DEMO.read_bytes(), by="x")

    with ThreadPoolExecutor() as pool:
        plans = [pool.submit(work) for _ in range(3)]
    assert sorted((plan.result().added, plan.result().unchanged) for plan in plans) == [(0, 29), (0, 29), (29, 0)]


# -- lists ------------------------------------------------------------------------------------------------------------


def test_what_begins_later_is_not_there_yet(connection: psycopg.Connection) -> None:
    fill(connection)
    put(connection, "gates", example("gates", code="BG-20-NEW", since="01/01/2027"))
    codes = {row["code"] for row in listed(connection, "gates", date(2026, 12, 31))}
    assert "BG-20-NEW" not in codes
    assert "BG-20-NEW" in {row["code"] for row in listed(connection, "gates", date(2027, 1, 1))}
    assert "BG-20-NEW" in {row["code"] for row in listed(connection, "gates")}


def test_provinces_as_of_a_day(connection: psycopg.Connection) -> None:
    yen_bai = example(
        "provinces", code="15", name_vi="Yên Bái", valid_from="", valid_until="01/07/2025", merged_into="15"
    )
    put(connection, "provinces", yen_bai, example("provinces", code="15", name_vi="Lào Cai"), example("provinces"))
    for day, names in ((date(2025, 6, 30), ["Yên Bái"]), (date(2025, 7, 1), ["Lào Cai", "Lạng Sơn"])):
        assert [row["name_vi"] for row in listed(connection, "provinces", day)] == names
    assert len(listed(connection, "provinces")) == 3
    assert len(listed(connection, "provinces", provinces=["15"])) == 2


def test_lists_of_certain_provinces(connection: psycopg.Connection) -> None:
    fill(connection)
    put(connection, "organisations", example("organisations", agency_code="G09", province="", parent=""))
    put(connection, "organisations", example("organisations", agency_code="H49.3", province="22", parent=""))
    for organisation in ("G09", "H49.3"):
        put(connection, "activities", example("activities", code=f"X-{organisation[:3]}", organisation=organisation))
    move_device(connection, "bg-20-cma-k1", "BG-22-HMO", NOW - timedelta(days=1), by="x")

    def seen(name: store.ListName, *provinces: str) -> list[str]:
        key = {"organisations": "agency_code", "devices": "name"}.get(name, "code")
        return [row[key] for row in listed(connection, name, provinces=list(provinces))]

    assert seen("organisations", "22") == ["G09", "H49.3"]
    assert seen("activities", "20") == ["TH-2025-01", "X-G09"]
    assert (seen("gates", "22"), seen("sites", "22"), seen("gates", "04")) == (["BG-22-HMO"], ["BG-22-HMO"], [])
    (there,) = listed(connection, "devices", NOW.date(), ["20"])
    assert (there["site"], [stay["site"] for stay in there["placements"]]) == (None, ["BG-20-CMA"])
    (here,) = listed(connection, "devices", NOW.date(), ["22"])
    assert (here["site"], [stay["site"] for stay in here["placements"]]) == ("BG-22-HMO", ["BG-22-HMO"])
    assert seen("devices", "04") == []
