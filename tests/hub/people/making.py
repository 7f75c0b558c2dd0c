"""Short ways to people: a password that is fit, and hashing that costs nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from argon2 import PasswordHasher

import simulator
from hub.people.passwords import Argon2
from hub.people.roles import Role
from hub.people.tokens import NewToken, new_token
from hub.store import people

DEMO = Path(simulator.__file__).parent / "data" / "sites.csv"
"""29 sites."""
CHEAP = Argon2(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1), most_waiting=100)
PASSWORD = "bốn con ngựa vàng"
NOW = datetime(2026, 9, 21, 14, 30, tzinfo=UTC)


class Clock:
    """A time that tests set."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def pass_s(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now += timedelta(seconds=seconds)


def add_person(
    connection: psycopg.Connection,
    name: str = "nguyen.an",
    role: Role = "staff",
    provinces: frozenset[str] | None = None,
    now: datetime = NOW,
) -> None:
    """Somebody with PASSWORD."""
    people.add_person(connection, name, role, provinces, CHEAP.hash(PASSWORD), by="command:test", now=now)


def add_token(
    connection: psycopg.Connection,
    *scopes: str,
    provinces: frozenset[str] | None = None,
    days: float = 1,
    now: datetime = NOW,
) -> NewToken:
    """A token with these scopes."""
    made, expires_at = new_token(), now + timedelta(days=days)
    people.add_token(connection, made, "test", frozenset(scopes), provinces, expires_at, by="command:test", now=now)
    return made
