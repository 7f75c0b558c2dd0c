"""A registry with some of each kind, as tests fill it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg

from hub.registry.files import kind_of
from hub.registry.plan import Plan
from hub.store.registry import import_file
from tests.hub.making import DEVICE, NOW_MS
from tests.hub.registry.making import example, file_of
from tests.hub.registry.test_files import DEVICE_HEAD

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
    """Import these rows of a kind."""
    return import_file(connection, kind_of(kind), file_of(kind, *rows), by="command:test", now=now)


def fill(connection: psycopg.Connection[Any]) -> None:
    """A registry with some of each kind."""
    for kind, rows in FILES.items():
        put(connection, kind, *rows)


def stays(connection: psycopg.Connection[Any], device: str) -> list[tuple[Any, ...]]:
    """Where a device stands, and since when."""
    rows = connection.execute(
        "SELECT to_char(since, 'YYYY-MM-DD HH24'), site, province_code FROM placement p JOIN device d ON d.id = device"
        " WHERE name = %s ORDER BY since",
        (device,),
    )
    return [(None if since is None else since, site, province) for since, site, province in rows]
