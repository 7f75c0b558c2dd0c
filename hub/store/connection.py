"""Connections as every part of the hub uses them: own schema, UTC, a name that an administrator recognises."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo


def conninfo(dsn: str, name: str) -> str:
    """`dsn` with this hub's session settings. `name` shows in pg_stat_activity."""
    return make_conninfo(
        dsn, application_name=f"ttdn-hub {name}", options="-c search_path=hub,public -c timezone=UTC", connect_timeout=5
    )


def connect(dsn: str, name: str, **options: Any) -> psycopg.Connection:
    """One connection."""
    return psycopg.connect(conninfo(dsn, name), **options)
