"""The registry: files in, all or nothing, again and again; what holds from a day on; a device's past stays true."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from contract.events import AnyEvent, Interaction
from hub.errors import ConfigError, ImportRefused
from hub.ingest.committer import commit
from hub.registry import template
from hub.registry.files import KINDS, kind_of
from hub.registry.plan import Plan
from hub.store import placements, recount
from hub.store import registry as store
from hub.store.audit import audit
from hub.store.connection import connect
from hub.store.ledger_store import LedgerStore
from hub.store.placements import place
from hub.store.registry import import_devices, import_file, import_sites, listed, move_device, preview_file
from tests.hub.making import DEVICE, NOW_MS, delivery, play
from tests.hub.registry.making import example, file_of
from tests.hub.registry.test_files import DEMO, DEVICE_HEAD, GOOD, HEAD

DEVICES = f"{DEVICE_HEAD}\n{DEVICE},kiosk,BG-20-CMA,Tủ tra cứu\nnew-one,led,BG-20-CMA,\n"
NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
FILES = {
    "provinces": [
        example("provinces", code="20", valid_from=""),
        example("provinces", code="22", name_vi="Quảng Ninh"),
    ],
    "organisations": [example("organisations", parent="H37"), example("organisations", agency_code="H37", parent="")],
    "gates": [example("gates", since=""), example("gates", code="BG-22-HMO", province_code="22", since="")],
    "sites": [example("sites"), example("sites", code="BG-22-HMO", gate="BG-22-HMO", lat="", lon="")],
    "points": [example("points")],
    "devices": [example("devices", since="")],
    "campaigns": [example("campaigns")],
    "activities": [example("activities")],
}


def put(connection: psycopg.Connection[Any], kind: str, *rows: dict[str, str], now: datetime = NOW) -> Plan:
    return import_file(connection, kind_of(kind), file_of(kind, *rows), by="command:test", now=now)


def fill(connection: psycopg.Connection[Any]) -> None:
    """A registry with some of each kind."""
    for kind, rows in FILES.items():
        put(connection, kind, *rows)


def everything(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    return {name: listed(connection, name) for name in ("provinces", "organisations", "gates", "sites", "devices",
                                                        "campaigns", "activities")}  # fmt: skip


def stays(connection: psycopg.Connection[Any], device: str) -> list[tuple[Any, ...]]:
    rows = connection.execute(
        "SELECT to_char(since, 'YYYY-MM-DD HH24'), site, province_code FROM placement p JOIN device d ON d.id = device"
        " WHERE name = %s ORDER BY since",
        (device,),
    )
    return [(None if since is None else since, site, province) for since, site, province in rows]


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


# -- devices ----------------------------------------------------------------------------------------------------------


def test_a_device_that_reported_first_keeps_what_it_reported(connection: psycopg.Connection) -> None:
    LedgerStore(connection).commit([delivery([1])], [], NOW_MS)
    import_sites(connection, DEMO.read_bytes())
    assert listed(connection, "devices")[0]["registered_at"] is None
    assert import_devices(connection, DEVICES.encode()) == (1, 1, 0)
    row = connection.execute(
        "SELECT d.title_vi, d.registered_at IS NOT NULL, e.seq FROM device d JOIN fault e ON e.device = d.id"
    ).fetchall()
    assert row == [("Tủ tra cứu", True, 1)]
    assert stays(connection, DEVICE) == [(None, "BG-20-CMA", "20")]


def test_moving_a_device_leaves_its_past_where_it_was(connection: psycopg.Connection) -> None:
    import_sites(connection, DEMO.read_bytes())
    import_devices(connection, DEVICES.encode())
    ledger = LedgerStore(connection)
    hours = [play(seq, time=NOW_MS - (5 - seq) * 3_600_000) for seq in (1, 2, 3, 4, 5)]
    commit(ledger, [delivery(hours)], [], NOW_MS)
    since = NOW - timedelta(hours=2, minutes=10)
    hour = since.replace(minute=0, second=0, microsecond=0)
    for is_new in (True, False):
        assert move_device(connection, DEVICE, "BG-22-HMO", since, by="person:an", now=NOW) == (is_new, hour)
    assert [site for _, site, _ in stays(connection, DEVICE)] == ["BG-20-CMA", "BG-22-HMO"]
    rows = connection.execute("SELECT seq, site FROM play JOIN placement p ON p.id = placement ORDER BY seq").fetchall()
    assert rows == [(1, "BG-20-CMA"), (2, "BG-20-CMA"), (3, "BG-22-HMO"), (4, "BG-22-HMO"), (5, "BG-22-HMO")]
    assert recount.differences(connection, DEVICE) == []
    (device,) = (row for row in listed(connection, "devices", NOW.date()) if row["name"] == DEVICE)
    assert (device["site"], device["site_vi"]) == ("BG-22-HMO", "Hoành Mô")
    (device,) = (row for row in listed(connection, "devices", date(2026, 1, 1)) if row["name"] == DEVICE)
    assert (device["site"], [stay["until"] for stay in device["placements"]][1]) == ("BG-20-CMA", None)
    noted = connection.execute("SELECT who, what, detail FROM audit_entry WHERE deed = 'device_moved'").fetchall()
    assert noted == [("person:an", f"device:{DEVICE}", {"site": "BG-22-HMO", "since": since.isoformat()})]


@pytest.mark.parametrize(("device", "site"), [("nobody", "BG-20-CMA"), (DEVICE, "BG-99")])
def test_moving_what_there_is_not(connection: psycopg.Connection, device: str, site: str) -> None:
    import_sites(connection, DEMO.read_bytes())
    import_devices(connection, DEVICES.encode())
    with pytest.raises(ConfigError, match=r"không có (thiết bị 'nobody'|điểm 'BG-99'); .*see: ttdn-hub registry list"):
        move_device(connection, device, site, None, by="x")


def test_a_file_moves_devices_from_a_moment_on(connection: psycopg.Connection) -> None:
    import_sites(connection, DEMO.read_bytes())
    import_devices(connection, DEVICES.encode())
    row = example("devices", name=DEVICE, site="BG-22-HMO", since="01/07/2025 08:30", title_vi="Tủ tra cứu")
    (change,) = put(connection, "devices", row).changes
    assert change.fields() == {"site": ("BG-20-CMA", "BG-22-HMO")}
    assert stays(connection, DEVICE) == [(None, "BG-20-CMA", "20"), ("2025-07-01 01", "BG-22-HMO", "22")]
    assert put(connection, "devices", row).unchanged == 1


# -- gates that change ------------------------------------------------------------------------------------------------


def gate(connection: psycopg.Connection, since: str, province: str, gate_type: str = "chinh") -> Plan:
    return put(connection, "gates", example("gates", since=since, province_code=province, gate_type=gate_type))


def test_type_and_province_hold_from_a_day_on(connection: psycopg.Connection) -> None:
    fill(connection)
    gate(connection, "01/07/2025", "22")
    gate(connection, "01/01/2026", "22", "quoc_te")

    def on(year: int, month: int, day: int) -> tuple[str, str, str, date | None]:
        (found,) = (row for row in listed(connection, "gates", date(year, month, day)) if row["code"] == "BG-20-CMA")
        (site,) = (row for row in listed(connection, "sites", date(year, month, day)) if row["code"] == "BG-20-CMA")
        assert (site["gate_type"], site["province_code"]) == (found["gate_type"], found["province_code"])
        return found["gate_type"], found["province_code"], found["province_vi"], found["since"]

    assert on(2025, 6, 30) == ("chinh", "20", "Lạng Sơn", None)
    assert on(2025, 7, 1) == ("chinh", "22", "Quảng Ninh", date(2025, 7, 1))
    assert on(2025, 12, 31) == ("chinh", "22", "Quảng Ninh", date(2025, 7, 1))
    assert on(2026, 1, 1) == ("quoc_te", "22", "Quảng Ninh", date(2026, 1, 1))
    (periods,) = (row["periods"] for row in listed(connection, "gates") if row["code"] == "BG-20-CMA")
    assert [(one["since"], one["until"]) for one in periods] == [
        (None, date(2025, 7, 1)), (date(2025, 7, 1), date(2026, 1, 1)), (date(2026, 1, 1), None)
    ]  # fmt: skip


def test_a_province_change_begins_new_placements_at_midnight_here(connection: psycopg.Connection) -> None:
    fill(connection)
    name = "bg-20-cma-k1"
    midnight_ms = int(datetime(2025, 6, 30, 17, tzinfo=UTC).timestamp() * 1000)
    plays = [play(1, time=midnight_ms - 1), play(2, time=midnight_ms), play(3, time=midnight_ms + 40 * 86_400_000)]
    ledger = LedgerStore(connection)
    commit(ledger, [delivery(plays, device=name)], [], NOW_MS)
    gate(connection, "01/07/2025", "22")
    assert stays(connection, name) == [(None, "BG-20-CMA", "20"), ("2025-06-30 17", "BG-20-CMA", "22")]
    commit(ledger, [delivery([play(4, time=midnight_ms - 2), play(5, time=midnight_ms + 2)], device=name)], [], NOW_MS)
    rows = connection.execute(
        "SELECT seq, province_code FROM play JOIN placement p ON p.id = placement ORDER BY seq"
    ).fetchall()
    assert rows == [(1, "20"), (2, "22"), (3, "22"), (4, "20"), (5, "22")]
    assert recount.differences(connection, name) == []


def test_a_type_change_begins_none(connection: psycopg.Connection) -> None:
    fill(connection)
    gate(connection, "01/07/2025", "20", "quoc_te")
    assert stays(connection, "bg-20-cma-k1") == [(None, "BG-20-CMA", "20")]


def test_a_change_holds_until_the_next_one_that_is_known(connection: psycopg.Connection) -> None:
    fill(connection)
    gate(connection, "01/07/2025", "22")
    gate(connection, "01/01/2025", "22")
    assert [(since, province) for since, _, province in stays(connection, "bg-20-cma-k1")] == [
        (None, "20"), ("2024-12-31 17", "22"), ("2025-06-30 17", "22")
    ]  # fmt: skip
    gate(connection, "01/01/2025", "20")
    assert [province for *_, province in stays(connection, "bg-20-cma-k1")] == ["20", "20", "22"]
    gate(connection, "từ đầu", "22")
    assert [province for *_, province in stays(connection, "bg-20-cma-k1")] == ["22", "20", "22"]


def test_a_device_placed_across_a_change_gets_a_placement_on_each_side(connection: psycopg.Connection) -> None:
    fill(connection)
    gate(connection, "01/07/2025", "22")
    put(connection, "devices", example("devices", name="k9", since=""))
    assert stays(connection, "k9") == [(None, "BG-20-CMA", "20"), ("2025-06-30 17", "BG-20-CMA", "22")]
    put(connection, "gates", example("gates", code="BG-22-HMO", since="01/06/2025", province_code="20"))
    with connection.transaction():
        place(connection, "k9", "BG-22-HMO", datetime(2025, 5, 1, tzinfo=UTC))
    assert stays(connection, "k9") == [
        (None, "BG-20-CMA", "20"), ("2025-05-01 00", "BG-22-HMO", "22"), ("2025-05-31 17", "BG-22-HMO", "20"),
        ("2025-06-30 17", "BG-20-CMA", "22"),
    ]  # fmt: skip


def test_a_file_without_dates_changes_a_gate_from_today_on(connection: psycopg.Connection) -> None:
    """So that a list which somebody corrects after a merger does not move the past."""
    put(
        connection,
        "points",
        example("points"),
        example("points", code="BG-22-HMO", province_code="22", province_vi="Quảng Ninh"),
    )
    put(
        connection,
        "points",
        example("points", province_code="22", province_vi="Quảng Ninh"),
        now=datetime(2025, 10, 1, 17, tzinfo=UTC),
    )
    (periods,) = (row["periods"] for row in listed(connection, "gates") if row["code"] == "BG-20-CMA")
    assert [(one["since"], one["province_code"]) for one in periods] == [(None, "20"), (date(2025, 10, 2), "22")]


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


# -- with the ingest at work ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_changes_while_the_ingest_works(database: str, connection: psycopg.Connection) -> None:
    """Gates change their province and devices their place while batches come in: every row is where it belongs."""
    fill(connection)
    names = [f"w{number}" for number in range(4)]
    put(connection, "devices", *(example("devices", name=name, since="") for name in names))

    def work(name: str) -> None:
        with connect(database, "test", autocommit=True) as own:
            ledger = LedgerStore(own)
            for first in range(1, 100, 5):
                events: list[AnyEvent] = [
                    play(seq, time=NOW_MS - seq * 3_600_000)
                    if seq % 2
                    else Interaction(seq=seq, time=NOW_MS - seq * 3_600_000, session=first, action="page_view")
                    for seq in range(first, first + 5)
                ]
                commit(ledger, [delivery(events, device=name)], [], NOW_MS)

    def change() -> None:
        with connect(database, "test", autocommit=True) as own:
            for days in range(1, 9):
                day = f"{NOW.date() - timedelta(days=days % 4)}"
                put(own, "gates", example("gates", since=day, province_code=("20", "22")[days % 2]))
                cells = {"site": ("BG-22-HMO", "BG-20-CMA")[days % 2], "since": f"{day} 0{days}:00"}
                put(own, "devices", *(example("devices", name=name) | cells for name in reversed(names)))

    with ThreadPoolExecutor() as pool:
        done = [*[pool.submit(work, name) for name in names], pool.submit(change)]
    for one in done:
        one.result()
    for name in names:
        assert recount.differences(connection, name) == []
    for table, rows in (("play", 200), ("interaction", 200)):
        counted = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE e.placement = (SELECT p.id FROM placement p"
            f" WHERE p.device = e.device AND p.since <= e.time ORDER BY p.since DESC LIMIT 1)) FROM {table} e".encode()
        ).fetchone()
        assert counted == (rows, rows)
    assert audit(connection).ok


def test_a_deadlock_with_the_ingest_is_tried_again(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_sites(connection, DEMO.read_bytes())
    calls = []

    def lock(*given: Any) -> None:
        calls.append(given)
        if len(calls) < 3:
            raise psycopg.errors.DeadlockDetected

    monkeypatch.setattr(placements, "lock", lock)
    assert import_devices(connection, DEVICES.encode()) == (2, 0, 0)
    assert len(calls) == 3
    monkeypatch.setattr(placements, "lock", lambda *_: lock_fails())

    def lock_fails() -> None:
        raise psycopg.errors.DeadlockDetected

    with pytest.raises(psycopg.errors.DeadlockDetected):
        import_devices(connection, DEVICES.replace(DEVICE, "another").encode())
    assert "another" not in {row["name"] for row in listed(connection, "devices")}
