"""A database from before there were gates: what its sites said of their gates, and where devices stood, is kept."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from hub.store import migrate as migrate_module
from hub.store.connection import connect
from hub.store.migrate import check, migrate, migrations
from hub.store.registry import import_sites, listed
from tests.hub.registry.test_files import GOOD, HEAD


@pytest.fixture
def connection(empty_engine_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """To a database as it was before the registry's migration, with two sites and two devices."""
    before = [one for one in migrations() if one.number < registry_number()]
    with monkeypatch.context() as patched:
        patched.setattr(migrate_module, "migrations", lambda: before)
        migrate(empty_engine_database)
    with connect(empty_engine_database, "test", autocommit=True) as opened:
        for code, province, name in (("BG-20-CMA", "20", "Lạng Sơn"), ("BG-22-HMO", "22", "Quảng Ninh")):
            opened.execute(
                "INSERT INTO site VALUES (%s, %s, %s, %s, 'CN', 'chinh', 21.8111, 107.0488, 'W/M')",
                (code, "Chi Ma" if province == "20" else "Hoành Mô", name, province),
            )
        opened.execute("INSERT INTO device (name) VALUES ('k1'), ('stranger')")
        opened.execute("UPDATE placement SET site = 'BG-20-CMA', province_code = '20' WHERE device = 1")
        opened.execute(
            "INSERT INTO placement (device, since, site, province_code) VALUES (1, '2025-01-01', 'BG-22-HMO', '22')"
        )
        opened.execute(
            "INSERT INTO placement (device, since, site, province_code) VALUES (1, '2024-01-01', 'BG-22-HMO', '04')"
        )
        migrate(empty_engine_database)
        yield opened


def registry_number() -> int:
    (number,) = (one.number for one in migrations() if one.name.endswith("_registry.sql"))
    return number


def test_what_a_database_held_is_there_afterwards(connection: psycopg.Connection) -> None:
    check(connection)
    sites, gates = listed(connection, "sites"), listed(connection, "gates")
    assert [(site["code"], site["gate"], site["name_vi"], site["status"]) for site in sites] == [
        ("BG-20-CMA", "BG-20-CMA", "Chi Ma", "operating"),
        ("BG-22-HMO", "BG-22-HMO", "Hoành Mô", "operating"),
    ]
    assert {(site["gate_type"], site["lat"], site["lon"], site["surveyed"], site["confidence"]) for site in sites} == {
        ("chinh", 21.8111, 107.0488, False, "W/M")
    }
    assert [(gate["province_code"], gate["province_vi"], gate["since"]) for gate in gates] == [
        ("20", "Lạng Sơn", None), ("22", "Quảng Ninh", None)
    ]  # fmt: skip
    assert {row["code"]: row["name_vi"] for row in listed(connection, "provinces")} == {
        "04": "Tỉnh 04", "20": "Lạng Sơn", "22": "Quảng Ninh"
    }  # fmt: skip
    k1, stranger = listed(connection, "devices")
    assert [(stay["site"], stay["province_code"]) for stay in k1["placements"]] == [
        ("BG-20-CMA", "20"), ("BG-22-HMO", "04"), ("BG-22-HMO", "22")
    ]  # fmt: skip
    assert (stranger["site"], len(stranger["placements"])) == (None, 1)


def test_the_file_of_before_changes_nothing(connection: psycopg.Connection) -> None:
    assert import_sites(connection, f"{HEAD}\n{GOOD}".encode()) == (0, 0, 1)
