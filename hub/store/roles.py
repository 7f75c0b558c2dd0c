"""Logins of readers: PostgreSQL roles that see the schema `report` and nothing else of the database.

Three things make one: the login itself, its row in `reader` (what it may see: no statement of its own can change that),
and grants on the views. Besides, what PostgreSQL lets everybody do by default is shut: advisory locks, with which one
could stop the hub's own work; sizes and statistics, which count the rows of others; temporary objects, with which one
could stand in front of ours. That takes a superuser in part: what is left open is said as statements for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.types.json import Jsonb

from hub.errors import HubError
from hub.people.deeds import Deed
from hub.store.named import named

Connection = psycopg.Connection[Any]
PREFIX: Final = "report_"
MINISTRY: Final = f"{PREFIX}all"
CONNECTIONS: Final = 20
"""Most sessions of one login."""
SETTINGS: Final = {
    "default_transaction_read_only": "on",
    "statement_timeout": "30000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "30000",
    "transaction_timeout": "60000",
    "search_path": "report, pg_temp",
    "TimeZone": "Asia/Ho_Chi_Minh",
}
"""What a session begins with; times in ms. It can change them, so the hub ends what lasts longer than `LONGEST_S`."""
LONGEST_S: Final = 120


class RoleStays(HubError):
    """Stop: a login cannot be dropped; the text says why, and what an administrator of PostgreSQL has to run."""


class Reader(NamedTuple):
    """What a login sees. No provinces: all of them. Not exact: visitors only as they were published."""

    role: str
    provinces: list[str] | None
    exact: bool


class KnownReader(NamedTuple):
    """A login as it is."""

    reader: Reader
    can_log_in: bool
    sessions: int


class Applied(NamedTuple):
    """What `apply` did, and what it may not do."""

    made: list[str]
    """Logins that were not there before."""
    left: list[str]
    """Statements that an administrator of PostgreSQL has to run in this database."""


def wanted(connection: Connection) -> list[Reader]:
    """A login for each province that there is, with those that went into it, and one for the ministry."""
    rows = _rows(connection, "provinces")
    provinces = [Reader(f"{PREFIX}{province}", codes, exact=True) for province, codes in rows]
    return [Reader(MINISTRY, None, exact=False), *provinces]


def known(connection: Connection) -> list[KnownReader]:
    """Logins that there are, or that were there once and are still written down."""
    return [
        KnownReader(Reader(role, provinces, exact), can_log_in, sessions)
        for role, provinces, exact, can_log_in, sessions in _rows(connection, "readers")
    ]


def prevented(connection: Connection, roles: Sequence[str]) -> list[str]:
    """Statements that an administrator has to run before these logins can be made through this connection."""
    return _statements(connection, "prevented", roles=list(roles))


def apply(
    connection: Connection, readers: Sequence[Reader], passwords: Mapping[str, str], *, by: str, now: datetime
) -> Applied:
    """Make these logins, or make them again what they have to be, and shut what readers could come through.

    Passwords leave this process as SCRAM verifiers only. `connection` is in autocommit mode.
    """
    made: list[str] = []
    with connection.transaction():
        there = {row[0] for row in _rows(connection, "existing", roles=[reader.role for reader in readers])}
        for reader in readers:
            for statement in _statements(connection, "make", **_login(connection, reader.role, passwords[reader.role])):
                _run(connection, statement)
            changed = connection.execute(named("roles")["put_reader"], reader._asdict()).rowcount > 0
            if reader.role not in there:
                made.append(reader.role)
            if changed:
                sees = {"provinces": reader.provinces, "exact": reader.exact}
                _note(connection, by, "reader_set", reader.role, now, sees)
    for statement in doors(connection):
        try:
            with connection.transaction():
                _run(connection, statement)
        except psycopg.errors.InsufficientPrivilege:
            continue  # it is still open, and told as such below
    grant(connection)
    return Applied(made, doors(connection))


def grant(connection: Connection) -> None:
    """Give the logins that there are their views, also those that have come since."""
    if _rows(connection, "is_there") != [(True,)]:
        return
    with connection.transaction():
        for statement in _statements(connection, "grants"):
            _run(connection, statement)


def doors(connection: Connection) -> list[str]:
    """Statements that shut what readers could still come through; none when all is shut."""
    return _statements(connection, "doors")


def changed(connection: Connection) -> list[str]:
    """Logins whose sessions begin with other settings than they were given; any login can change its own."""
    return [row[0] for row in _rows(connection, "changed", **_settings())]


def drop(connection: Connection, role: str, *, by: str, now: datetime) -> None:
    """End its sessions and drop a login. RoleStays as it says."""
    connection.execute(named("roles")["end_sessions"], {"role": role})
    try:
        with connection.transaction():
            for statement in _statements(connection, "unmake", role=role):
                _run(connection, statement)
            connection.execute(named("roles")["forget_reader"], {"role": role})
            _note(connection, by, "reader_dropped", role, now, {})
    except psycopg.errors.DependentObjectsStillExist as error:
        where = error.diag.message_detail
        raise RoleStays(f"{role} cannot be dropped: {where}; run there: DROP OWNED BY {role}") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise RoleStays(
            f"{role} is not {connection.info.user}'s to drop ({error.diag.message_primary}); an administrator of "
            f"PostgreSQL has to run in the database {connection.info.dbname}: DROP OWNED BY {role}; DROP ROLE {role}"
        ) from None


def end_overlong(connection: Connection, longest_s: float = LONGEST_S) -> list[str]:
    """End sessions of readers whose transaction lasts longer; the logins whose they were.

    Their own timeouts are only what a session begins with. A transaction that stays open keeps old rows from being
    cleared away and expired chunks from being dropped.
    """
    return [row[0] for row in _rows(connection, "end_overlong", longest_s=longest_s)]


def _login(connection: Connection, role: str, password: str) -> dict[str, Any]:
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    return {"role": role, "verifier": verifier.decode(), "connections": CONNECTIONS, **_settings()}


def _settings() -> dict[str, list[str]]:
    return {"names": list(SETTINGS), "values": list(SETTINGS.values())}


def _rows(connection: Connection, query: str, **values: Any) -> list[tuple[Any, ...]]:
    return connection.execute(named("roles")[query], values).fetchall()


def _statements(connection: Connection, query: str, **values: Any) -> list[str]:
    return [row[0] for row in _rows(connection, query, **values)]


def _run(connection: Connection, statement: str) -> None:
    connection.execute(statement.encode())


def _note(connection: Connection, who: str, deed: Deed, role: str, now: datetime, detail: dict[str, Any]) -> None:
    given = {"now": now, "who": who, "deed": deed, "what": f"reader:{role}", "detail": Jsonb(detail)}
    connection.execute(named("roles")["note"], given)
