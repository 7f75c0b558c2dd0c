"""Which chores are done when, and who does them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import psycopg

from hub.store.named import named

MAIN: Final = "chores"
"""The lane of all chores that say nothing else."""


def alone(connection: psycopg.Connection[Any], lane: str = MAIN) -> bool:
    """Whether this connection does the chores of a lane from now on: nobody else does while it lives."""
    row = connection.execute(named("chores")["alone"], {"lane": lane}).fetchone()
    return row is not None and bool(row[0])


def done_at(connection: psycopg.Connection[Any], name: str) -> datetime | None:
    """When a chore was last done; None if it never was."""
    row = connection.execute(named("chores")["done_at"], {"name": name}).fetchone()
    return None if row is None else row[0]


def done(connection: psycopg.Connection[Any], name: str, now: datetime) -> None:
    """Note that a chore is done."""
    connection.execute(named("chores")["done"], {"name": name, "now": now})
