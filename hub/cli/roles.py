"""`ttdn-hub roles`: logins of PostgreSQL for readers: a province's Grafana and boards, the ministry."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.caller import by_whom
from hub.cli.database import database
from hub.cli.exits import DIFFERENT, EPILOG
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.passfile import Passfile
from hub.cli.words import say
from hub.errors import ConfigError
from hub.store import roles as store

_SECRET_BYTES = 24
_SHORTEST = 12
app = typer.Typer(
    help="Logins of PostgreSQL for readers (Grafana, boards, the ministry): they see the schema report, nothing else.",
    no_args_is_help=True,
)
PasswordFileOption = Annotated[
    Path,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="Where passwords are kept, in the form of libpq's password file, for its owner only. What is in it stays; "
        "what is missing is made. Passwords are shown nowhere else.",
        dir_okay=False,
    ),
]
_PASSWORDS = Path("/etc/ttdn-hub/report-passwords")


@app.command(epilog=EPILOG)
def apply(
    config: ConfigOption = None, password_file: PasswordFileOption = _PASSWORDS, *, as_json: JsonOption = False
) -> None:
    """Make a login report_NN for every province of the registry, and report_all for the ministry; safe to run again.

    report_NN sees everything of its province, report_all all provinces but visitors only as they were published. What
    PostgreSQL lets everybody do by default is shut: sizes, statistics, advisory locks, temporary tables.

    Run it again after provinces have changed, after an update of PostgreSQL or TimescaleDB, and after ttdn-hub migrate.
    What this connection may not do is written to standard output as SQL that an administrator of PostgreSQL has to run
    in this database (exit code 1): ttdn-hub roles apply | sudo -u postgres psql -d DATABASE, and apply again.
    """
    with database(settings_of(config), "roles") as connection:
        wanted = store.wanted(connection)
        roles = [reader.role for reader in wanted]
        prevented = store.prevented(connection, roles)
        if prevented:
            _hand_over(connection, [], prevented, as_json=as_json)
        file = Passfile(password_file, connection.info.dbname)
        kept = file.read()
        passwords = {role: kept.get(role) or secrets.token_urlsafe(_SECRET_BYTES) for role in roles}
        _refuse_short(password_file, passwords)
        if kept | passwords != kept:
            file.write(kept | passwords)
        done = store.apply(connection, wanted, passwords, by=by_whom(), now=datetime.now(UTC))
        say(f"{len(roles)} tài khoản đọc / logins of readers: {', '.join(roles)}; passwords: {password_file}")
        _hand_over(connection, done.made, done.left, as_json=as_json)


@app.command("list", epilog=EPILOG)
def list_(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the logins and what they see, and what is amiss.

    Exit code 1 if a province has no login, a login is of no province, or something is open that apply would shut.
    """
    with database(settings_of(config), "roles") as connection:
        found = store.known(connection)
        wanted = store.wanted(connection)
        amiss = [
            *_differences(found, wanted),
            *(f"has changed its own settings: {role}; run: ttdn-hub roles apply" for role in store.changed(connection)),
            *(f"open: {one}" for one in store.doors(connection)),
        ]
    if as_json:
        print_json({"ok": not amiss, "logins": [_as_json(one) for one in found], "amiss": amiss})
    else:
        table = Table("login", "provinces", "visitors", "may log in", "sessions", header_style="bold")
        for known in found:
            table.add_row(*map(Text, _cells(known)))
        Console().print(table)
        for one in amiss:
            say(one, style="yellow")
    if amiss:
        raise typer.Exit(DIFFERENT)


@app.command(epilog=EPILOG)
def drop(
    roles: Annotated[list[str], typer.Argument(metavar="LOGIN...", help="As `ttdn-hub roles list` shows them.")],
    config: ConfigOption = None,
    password_file: PasswordFileOption = _PASSWORDS,
) -> None:
    """Drop logins: their sessions end at once. Only logins that apply has made; exit code 2 for others."""
    with database(settings_of(config), "roles") as connection:
        known = {one.reader.role for one in store.known(connection)}
        unknown = [role for role in roles if role not in known]
        if unknown:
            raise ConfigError(f"{unknown[0]!r} is no login of a reader; see: ttdn-hub roles list")
        file = Passfile(password_file, connection.info.dbname)
        kept = file.read()
        for role in roles:
            store.drop(connection, role, by=by_whom(), now=datetime.now(UTC))
            say(f"đã xóa / dropped: {role}")
        if kept.keys() & set(roles):
            file.write({role: password for role, password in kept.items() if role not in roles})


def _hand_over(connection: psycopg.Connection[Any], made: list[str], left: list[str], *, as_json: bool) -> None:
    """Say what an administrator has to do, and end with exit code 1 if that is anything."""
    if as_json:
        print_json({"ok": not left, "database": connection.info.dbname, "made": made, "left": left})
    elif left:
        say(
            f"Còn việc của quản trị PostgreSQL trong cơ sở dữ liệu {connection.info.dbname}, rồi chạy lại lệnh này / "
            f"{connection.info.user} may not do all of it; an administrator of PostgreSQL has to run the following in "
            f"the database {connection.info.dbname} (ttdn-hub roles apply | sudo -u postgres psql -d "
            f"{connection.info.dbname}); then run ttdn-hub roles apply again:",
            style="red",
        )
        for statement in ("BEGIN", *left, "COMMIT"):
            typer.echo(f"{statement};")
    if left:
        raise typer.Exit(DIFFERENT)


def _refuse_short(file: Path, passwords: dict[str, str]) -> None:
    for role, password in passwords.items():
        if len(password) < _SHORTEST:
            raise ConfigError(
                f"{file}: the password of {role} is too short; {_SHORTEST} letters at least, or take its line out"
            )


def _differences(found: list[store.KnownReader], wanted: list[store.Reader]) -> Iterator[str]:
    there = {one.reader.role: one for one in found}
    for reader in wanted:
        one = there.get(reader.role)
        if one is None or not one.can_log_in:
            yield f"missing: {reader.role}; run: ttdn-hub roles apply"
        elif one.reader != reader:
            yield f"sees other provinces than the registry says: {reader.role}; run: ttdn-hub roles apply"
    for role in sorted(there.keys() - {reader.role for reader in wanted}):
        yield f"of no province any more: {role}; run: ttdn-hub roles drop {role}"


def _cells(known: store.KnownReader) -> tuple[str, ...]:
    reader = known.reader
    provinces = "all" if reader.provinces is None else " ".join(reader.provinces)
    visitors = "exact" if reader.exact else "as published"
    return reader.role, provinces, visitors, "yes" if known.can_log_in else "no", str(known.sessions)


def _as_json(known: store.KnownReader) -> dict[str, Any]:
    return {**known.reader._asdict(), "can_log_in": known.can_log_in, "sessions": known.sessions}
