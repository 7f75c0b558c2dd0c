"""The registry: files in, all or nothing, again and again."""

from __future__ import annotations

import psycopg
import pytest

from hub.errors import ImportRefused
from hub.store.ledger_store import LedgerStore
from hub.store.registry import import_devices, import_sites, registry
from tests.hub.making import DEVICE, NOW_MS, delivery
from tests.hub.registry.test_files import DEMO, DEVICE_HEAD, GOOD, HEAD

DEVICES = f"{DEVICE_HEAD}\n{DEVICE},kiosk,BG-20-CMA,Tủ tra cứu\nnew-one,led,BG-20-CMA,\n"


def test_importing_again_changes_nothing(connection: psycopg.Connection) -> None:
    assert import_sites(connection, DEMO.read_bytes()) == (29, 0, 0)
    assert import_sites(connection, DEMO.read_bytes()) == (0, 0, 29)
    changed = GOOD.replace("chinh", "quoc_te").replace("21.8111,107.0488", ",")
    assert import_sites(connection, f"{HEAD}\n{changed}".encode()) == (0, 1, 0)
    assert import_devices(connection, DEVICES.encode()) == (2, 0, 0)
    before = registry(connection)
    assert import_devices(connection, DEVICES.encode()) == (0, 0, 2)
    assert registry(connection) == before


def test_a_device_that_reported_first_keeps_what_it_reported(connection: psycopg.Connection) -> None:
    LedgerStore(connection).commit([delivery([1])], [], NOW_MS)
    import_sites(connection, DEMO.read_bytes())
    assert registry(connection)["devices"][0]["registered_at"] is None
    assert import_devices(connection, DEVICES.encode()) == (1, 1, 0)
    row = connection.execute(
        "SELECT d.title_vi, d.registered_at IS NOT NULL, e.seq FROM device d JOIN fault e ON e.device = d.id"
    ).fetchall()
    assert row == [("Tủ tra cứu", True, 1)]


def test_one_bad_row_and_nothing_is_taken(connection: psycopg.Connection) -> None:
    with pytest.raises(ImportRefused):
        import_sites(connection, f"{HEAD}\n{GOOD}\n{GOOD.replace('CN', 'XX')}".encode())
    with pytest.raises(ImportRefused, match="dòng 2, cột site"):
        import_devices(connection, DEVICES.encode())
    assert registry(connection) == {"sites": [], "devices": []}
