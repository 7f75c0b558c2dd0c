"""What holds from a moment on: a device's place, a gate's type and province; a device's past stays true."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from contract.events import AnyEvent, Interaction
from hub.errors import ConfigError
from hub.ingest.committer import commit
from hub.registry.plan import Plan
from hub.store import placements, recount
from hub.store.audit import audit
from hub.store.connection import connect
from hub.store.ledger_store import LedgerStore
from hub.store.placements import place
from hub.store.registry import import_devices, import_sites, listed, move_device
from tests.hub.making import DEVICE, NOW_MS, delivery, play
from tests.hub.registry.making import example
from tests.hub.registry.test_files import DEMO
from tests.hub.store.registered import DEVICES, NOW, fill, put, stays

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
