"""Connections as every part of the hub uses them: own schema, UTC, a name that an administrator recognises."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo


def conninfo(dsn: str, name: str, *, lock_timeout_s: float = 0, statement_timeout_s: float = 0) -> str:
    """`dsn` with this hub's session settings; a time of 0 is none. `name` shows in pg_stat_activity."""
    settings = {
        "search_path": "hub,public",
        "timezone": "UTC",
        "lock_timeout": f"{round(lock_timeout_s * 1000)}",
        "statement_timeout": f"{round(statement_timeout_s * 1000)}",
    }
    options = " ".join(f"-c {key}={value}" for key, value in settings.items())
    return make_conninfo(
        dsn, application_name=f"ttdn-hub {name}", options=options, connect_timeout=5, tcp_user_timeout=15_000
    )


def connect(
    dsn: str, name: str, *, lock_timeout_s: float = 0, statement_timeout_s: float = 0, **options: Any
) -> psycopg.Connection:
    """One connection."""
    settings = conninfo(dsn, name, lock_timeout_s=lock_timeout_s, statement_timeout_s=statement_timeout_s)
    return psycopg.connect(settings, **options)
