"""People, their sessions, tokens, and the log of what was done to them, in the database.

Each change and its entry in the audit log are one transaction. `connection` is in autocommit mode or in a block of
`PeoplePool.connection()`. No address and no secret comes here: what is kept of a secret is made by `hub.people`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from hub.people import strings
from hub.people.deeds import Deed
from hub.people.errors import PeopleRefused
from hub.people.lockout import EVERYWHERE, NO_FAILURES, Failures, failed
from hub.people.principal import Principal, Provinces
from hub.people.roles import Role, is_role, is_scope, scopes_of
from hub.people.sessions import Lifetime, Session
from hub.people.tokens import KnownToken, NewToken
from hub.store.named import named
from hub.store.pool import Pool, make_pool

PeoplePool = Pool
Connection = psycopg.Connection[Any]
_STATEMENT_S: Final = 5.0
_TOKEN_NOTED_EVERY: Final = timedelta(minutes=10)
_CONNECTIONS: Final = 2


@dataclass(frozen=True)
class Person:
    """Somebody who can log in."""

    id: int
    name: str
    role: str
    provinces: Provinces
    password: str = field(repr=False)
    """As it is kept."""
    password_set_at: datetime
    created_at: datetime
    disabled_at: datetime | None
    failures: Failures
    unlocked_at: datetime | None


@dataclass(frozen=True)
class OpenSession:
    """A session and whose it is; the person's role and provinces are those of now."""

    name: str
    role: str
    provinces: Provinces
    session: Session

    def principal(self, lifetime: Lifetime) -> Principal:
        """Who asks with it."""
        role = self.role if is_role(self.role) else None
        until = self.session.ends_at(lifetime)
        return Principal("person", self.name, scopes_of(self.role), self.provinces, role, until)


def people_pool(dsn: str) -> PeoplePool:
    """A pool, not yet open, apart from the one that reads: this one writes sessions and the audit log."""
    return make_pool(dsn, "people", connections=_CONNECTIONS, statement_timeout_s=_STATEMENT_S)


# -- persons ----------------------------------------------------------------------------------------------------------


def add_person(
    connection: Connection, name: str, role: Role, provinces: Provinces, password: str, *, by: str, now: datetime
) -> None:
    """Somebody new; `password` is a hash. PeopleRefused if the name is taken."""
    values = {"name": name, "role": role, "provinces": _array(provinces), "password": password, "now": now}
    with connection.transaction():
        if not _rows(connection, "add_person", values):
            raise PeopleRefused(strings.PERSON_EXISTS.format(name=name))
        detail = {"role": role, "provinces": _array(provinces)}
        _note(connection, by, "person_added", f"person:{name}", now, detail)


def persons(connection: Connection) -> list[Person]:
    """Everybody, by name."""
    return [_person(row) for row in _rows(connection, "persons", {"name": None})]


def find_person(connection: Connection, name: str) -> Person | None:
    """By login name."""
    rows = _rows(connection, "persons", {"name": name})
    return _person(rows[0]) if rows else None


def anybody(connection: Connection) -> bool:
    """Whether there is any person."""
    return bool(_rows(connection, "anybody", {})[0]["exists"])


def set_password(connection: Connection, name: str, password: str, *, by: str, now: datetime) -> None:
    """Another password, as a hash; sessions end and failures are forgiven. PeopleRefused if nobody is called so."""
    with connection.transaction():
        person = _changed(connection, "set_password", name, now, password=password)
        _rows(connection, "close_sessions", {"id": person})
        _note(connection, by, "person_password_set", f"person:{name}", now)


def disable(connection: Connection, name: str, *, by: str, now: datetime) -> None:
    """Nobody comes in by this name any more, and who is in, is out. PeopleRefused if nobody is called so."""
    with connection.transaction():
        person = _changed(connection, "disable", name, now)
        _rows(connection, "close_sessions", {"id": person})
        _note(connection, by, "person_disabled", f"person:{name}", now)


def enable(connection: Connection, name: str, *, by: str, now: datetime) -> None:
    """The opposite. PeopleRefused if nobody is called so."""
    with connection.transaction():
        _changed(connection, "enable", name, now)
        _note(connection, by, "person_enabled", f"person:{name}", now)


def unlock(connection: Connection, name: str, *, by: str, now: datetime) -> None:
    """Wrong passwords of before are forgiven. PeopleRefused if nobody is called so."""
    with connection.transaction():
        _changed(connection, "unlock", name, now)
        _note(connection, by, "person_unlocked", f"person:{name}", now)


def note_failure(connection: Connection, person: Person | None, now: datetime) -> None:
    """A wrong password, in the log and in the person's bucket.

    None is a name that nobody has; it is not written down (people type passwords there), and the same statements are
    run, so that the time does not tell which names exist.
    """
    row_id = person.id if person is not None else 0
    with connection.transaction():
        rows = _rows(connection, "lock_failures", {"id": row_id})
        before = Failures(rows[0]["failures"], rows[0]["failed_at"]) if rows else NO_FAILURES
        more = failed(before, now, EVERYWHERE)
        _rows(connection, "put_failures", {"id": row_id, "failures": more.level, "failed_at": more.at})
        _note(connection, "nobody", "login_failed", f"person:{person.name}" if person else "nobody", now)


def rehash(connection: Connection, person: Person, password: str) -> None:
    """Keep the same password as another hash."""
    _rows(connection, "rehash", {"id": person.id, "password": password, "former": person.password})


# -- sessions ---------------------------------------------------------------------------------------------------------


def open_session(connection: Connection, person: Person, sha256: bytes, lifetime: Lifetime, now: datetime) -> bool:
    """Somebody has come in; sessions that are over are forgotten on this occasion.

    False, and no session, if since `person` was read somebody was disabled or got another password.
    """
    with connection.transaction():
        over = {"began_before": now - lifetime.most, "seen_before": now - lifetime.idle}
        _rows(connection, "forget_sessions", over)
        values = {"sha256": sha256, "person": person.id, "password": person.password, "now": now}
        if not _rows(connection, "open_session", values):
            return False
        _note(connection, f"person:{person.name}", "login", f"person:{person.name}", now)
    return True


def find_session(connection: Connection, sha256: bytes, lifetime: Lifetime, now: datetime) -> OpenSession | None:
    """A session that is not over, of a person who is not disabled. Its use is noted now and then."""
    rows = _rows(connection, "session", {"sha256": sha256})
    if not rows:
        return None
    row = rows[0]
    session = Session(row["began_at"], row["seen_at"])
    if session.is_over(now, lifetime):
        return None
    if session.is_to_be_noted(now):
        _rows(connection, "note_session", {"sha256": sha256, "now": now})
        session = session._replace(seen_at=now)
    return OpenSession(row["name"], row["role"], _provinces(row["provinces"]), session)


def close_session(connection: Connection, sha256: bytes, now: datetime) -> None:
    """Somebody has gone; nothing happens if the session is not there."""
    with connection.transaction():
        for row in _rows(connection, "close_session", {"sha256": sha256}):
            _note(connection, f"person:{row['name']}", "logout", f"person:{row['name']}", now)


# -- tokens -----------------------------------------------------------------------------------------------------------


def add_token(
    connection: Connection,
    token: NewToken,
    name: str,
    scopes: frozenset[str],
    provinces: Provinces,
    expires_at: datetime,
    *,
    by: str,
    now: datetime,
) -> None:
    """Keep what is to be kept of a new token."""
    told = {"name": name, "scopes": sorted(scopes), "provinces": _array(provinces), "expires_at": expires_at}
    with connection.transaction():
        _rows(connection, "add_token", told | {"key": token.key, "sha256": token.sha256, "now": now})
        detail = told | {"expires_at": expires_at.isoformat()}
        _note(connection, by, "token_created", f"token:{token.key}", now, detail)


def tokens(connection: Connection) -> list[KnownToken]:
    """All of them, also those that are over, in the order of their making."""
    return [_token(row) for row in _rows(connection, "tokens", {"key": None})]


def find_token(connection: Connection, key: str) -> KnownToken | None:
    """By the part that is no secret."""
    rows = _rows(connection, "tokens", {"key": key})
    return _token(rows[0]) if rows else None


def note_token(connection: Connection, token: KnownToken, now: datetime) -> None:
    """A token was let through; written down now and then."""
    if token.used_at is None or now >= token.used_at + _TOKEN_NOTED_EVERY:
        _rows(connection, "note_token", {"id": token.id, "now": now})


def revoke_token(connection: Connection, key: str, *, by: str, now: datetime) -> str:
    """It lets nobody in any more; returns its name. PeopleRefused if there is none. Again: nothing changes."""
    with connection.transaction():
        rows = _rows(connection, "revoke_token", {"key": key, "now": now})
        if not rows:
            raise PeopleRefused(strings.NO_SUCH_KEY.format(key=key))
        _note(connection, by, "token_revoked", f"token:{key}", now)
    return str(rows[0]["name"])


def unknown_provinces(connection: Connection, provinces: Provinces) -> list[str]:
    """Those in which no registered site stands: perhaps a slip of the pen, perhaps sites come later."""
    codes = sorted(provinces or ())
    return [code for code in codes if not _rows(connection, "province_is_known", {"code": code})[0]["exists"]]


# -- inside -----------------------------------------------------------------------------------------------------------


def _rows(connection: Connection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(named("people")[query], values)
        return cursor.fetchall() if cursor.description is not None else []


def _changed(connection: Connection, query: str, name: str, now: datetime, **more: str) -> int:
    rows = _rows(connection, query, {"name": name, "now": now} | more)
    if not rows:
        raise PeopleRefused(strings.NO_PERSON.format(name=name))
    return int(rows[0]["id"])


def _note(
    connection: Connection, who: str, deed: Deed, what: str, now: datetime, detail: Mapping[str, Any] | None = None
) -> None:
    values = {"now": now, "who": who, "deed": deed, "what": what, "detail": Jsonb(dict(detail or {}))}
    _rows(connection, "note", values)


def _array(provinces: Provinces) -> list[str] | None:
    return None if provinces is None else sorted(provinces)


def _provinces(array: list[str] | None) -> Provinces:
    return None if array is None else frozenset(array)


def _person(row: Mapping[str, Any]) -> Person:
    kept = {name: value for name, value in row.items() if name not in {"provinces", "failures", "failed_at"}}
    failures = Failures(row["failures"], row["failed_at"])
    return Person(**kept, provinces=_provinces(row["provinces"]), failures=failures)


def _token(row: Mapping[str, Any]) -> KnownToken:
    scopes = frozenset(scope for scope in row["scopes"] if is_scope(scope))
    return KnownToken(**{**row, "scopes": scopes, "provinces": _provinces(row["provinces"])})
