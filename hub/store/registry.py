"""The registry in the database: files in, all or nothing; lists out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from hub.registry.devices import Device, read_devices
from hub.registry.sites import Site, read_sites
from hub.store.named import named


class Imported(NamedTuple):
    """What a file did. Importing it again changes nothing."""

    added: int
    changed: int
    unchanged: int


def import_sites(connection: psycopg.Connection, data: bytes) -> Imported:
    """Add and change sites as a CSV file says; none is removed. ImportRefused: nothing was taken."""
    sites = read_sites(data)
    with connection.transaction():
        return _put(connection, "put_site", sites)


def import_devices(connection: psycopg.Connection, data: bytes) -> Imported:
    """Register and change devices as a CSV file says; none is removed. ImportRefused: nothing was taken."""
    with connection.transaction():
        codes = {row[0] for row in connection.execute(named("registry")["site_codes"])}
        return _put(connection, "put_device", read_devices(data, codes))


def registry(connection: psycopg.Connection[Any]) -> dict[str, list[dict[str, Any]]]:
    """Sites, and devices whether registered or only heard of."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return {name: cursor.execute(named("registry")[name]).fetchall() for name in ("sites", "devices")}


def _put(connection: psycopg.Connection, query: str, rows: Iterable[Site | Device]) -> Imported:
    added = changed = unchanged = 0
    for row in rows:
        done = connection.execute(named("registry")[query], row._asdict()).fetchone()
        if done is None:
            unchanged += 1
        elif done[0]:
            added += 1
        else:
            changed += 1
    return Imported(added, changed, unchanged)
