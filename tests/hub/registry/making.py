"""Entries of the registry as tests make them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import psycopg

from hub.registry.cells import BEGINNING
from hub.registry.entries import Organisation, Province, Site
from hub.registry.files import kind_of
from hub.registry.known import GatePeriod, Known, KnownDevice, KnownGate, Stay
from hub.registry.opening import UNKNOWN_WEEK
from hub.registry.plan import Plan, plan


def put_gate(connection: psycopg.Connection[Any], code: str, province: str = "20") -> None:
    """A gate that has always been there, in a province that there may be already."""
    connection.execute("INSERT INTO gate (code, name_vi, neighbour) VALUES (%s, 'x', 'CN')", (code,))
    put_period(connection, code, None, province)


def put_period(connection: psycopg.Connection[Any], gate: str, since: date | None, province: str) -> None:
    """From a day on, without any care for placements."""
    connection.execute("INSERT INTO province VALUES (%s) ON CONFLICT DO NOTHING", (province,))
    connection.execute(
        "INSERT INTO province_period (code, valid_from, name_vi) VALUES (%s, '-infinity', %s) ON CONFLICT DO NOTHING",
        (province, f"Tỉnh {province}"),
    )
    connection.execute(
        "INSERT INTO gate_period VALUES (%s, coalesce(%s::date, '-infinity'), 'phu', %s)"
        " ON CONFLICT (gate, since) DO UPDATE SET province_code = excluded.province_code",
        (gate, since, province),
    )


def put_site(connection: psycopg.Connection[Any], code: str, province: str = "20") -> None:
    """A site at a gate of the same code."""
    put_gate(connection, code, province)
    connection.execute("INSERT INTO site (code, gate, name_vi) VALUES (%s, %s, 'x')", (code, code))


NOW = datetime(2025, 10, 1, 3, tzinfo=UTC)
TODAY = date(2025, 10, 1)
SITE = Site("BG-20-CMA", "BG-20-CMA", "Chi Ma", "operating", None, None, None, None, None, UNKNOWN_WEEK)
ORGANISATION = Organisation("H37.16", "Sở VHTTDL", "20", None, None, None)
KNOWN = Known(
    now=NOW,
    today=TODAY,
    provinces={
        code: [Province(code, None, name, None, None)] for code, name in (("20", "Lạng Sơn"), ("22", "Quảng Ninh"))
    },
    organisations={"H37.16": ORGANISATION},
    gates={
        "BG-20-CMA": KnownGate(
            "BG-20-CMA", "Chi Ma", "CN", 21.8111, 107.0488, "W/M", [GatePeriod(BEGINNING, "chinh", "20")]
        )
    },
    sites={"BG-20-CMA": SITE},
    devices={"k1": KnownDevice("k1", "kiosk", None, True, [Stay(None, "BG-20-CMA")])},
)
"""A registry with one of each, so that the example row of every template fits into it."""
EMPTY = Known(now=NOW, today=TODAY)


def planned(kind: str, text: str | bytes, known: Known = KNOWN, within: frozenset[str] | None = None) -> Plan:
    """What a file would do."""
    return plan(kind_of(kind), text.encode() if isinstance(text, str) else text, known, within)


def problems(kind: str, text: str | bytes, known: Known = KNOWN) -> list[str]:
    """What is wrong with a file, each with row and column."""
    return [str(one) for one in planned(kind, text, known).problems]


def example(kind: str, /, **cells: str) -> dict[str, str]:
    """The row that a template shows as an example, with other cells."""
    return {column.name: column.example for column in kind_of(kind).columns} | cells


def file_of(kind: str, *rows: dict[str, str]) -> bytes:
    """As CSV, with the names of columns as its headings."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [column.name for column in kind_of(kind).columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
