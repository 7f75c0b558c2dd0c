"""`ttdn-hub user`: people who may log in."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.caller import by_whom
from hub.cli.database import database
from hub.cli.exits import EPILOG
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.people import (
    AllProvincesOption,
    ProvinceOption,
    as_array,
    day,
    now,
    told,
    warn_of_unknown,
)
from hub.cli.words import say
from hub.errors import ConfigError
from hub.people import strings
from hub.people.errors import PeopleRefused
from hub.people.lockout import EVERYWHERE, wait_s
from hub.people.names import login_name, new_login_name, provinces_of
from hub.people.passwords import Argon2, refuse_weak
from hub.people.roles import ROLES, Role, is_role
from hub.store import people
from hub.store.people import Person

_ROLES = "; ".join(f"{grant.role}: {', '.join(grant.scopes)}" for grant in ROLES)
_EPILOG = f"Roles and what they may: {_ROLES}. What the words mean: ttdn-hub token create --help. {EPILOG}"
app = typer.Typer(
    help="People who may log in: add them, list them, set passwords, shut them out.", no_args_is_help=True
)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Login name, as nguyen.an.", show_default=False)]
RoleOption = Annotated[
    str, typer.Option("--role", metavar="ROLE", help=f"One of {', '.join(get_args(Role))}.", show_default=False)
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="Its first line is the password; without it the terminal asks. A password is never an argument: those are "
        "seen by everybody on the machine.",
        exists=True,
        dir_okay=False,
        readable=True,
        show_default=False,
    ),
]


@app.command(epilog=_EPILOG)
def add(
    name: NameArgument,
    role: RoleOption,
    province: ProvinceOption = None,
    password_file: PasswordFileOption = None,
    config: ConfigOption = None,
    *,
    all_provinces: AllProvincesOption = False,
) -> None:
    """Add somebody, with a role and the provinces that are theirs to see; the terminal asks for a password.

    A password has 12 letters or more, is not the name, and no common word with digits. Examples:

    ttdn-hub user add nguyen.an --role staff --province 20

    ttdn-hub user add tran.binh --role administrator --all-provinces --password-file /run/secrets/binh
    """
    known_name = new_login_name(name)
    if not is_role(role):
        raise PeopleRefused(strings.BAD_ROLE.format(role=role, known=", ".join(get_args(Role))))
    provinces = provinces_of(province or [], every=all_provinces)
    with database(settings_of(config), "people") as connection:
        if people.find_person(connection, known_name) is not None:
            raise PeopleRefused(strings.PERSON_EXISTS.format(name=known_name))
        kept = Argon2().hash(_password(known_name, password_file))
        people.add_person(connection, known_name, role, provinces, kept, by=by_whom(), now=now())
        warn_of_unknown(connection, provinces)
    say(f"đã thêm / added: {known_name}, {strings.ROLES[role]} ({role}), {told(provinces)}")


@app.command("list", epilog=EPILOG)
def list_(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List everybody: role, provinces, whether disabled, and whether locked by wrong passwords from many addresses."""
    with database(settings_of(config), "people") as connection:
        found = people.persons(connection)
    if as_json:
        print_json({"people": [_as_json(person) for person in found]})
        return
    table = Table("name", "role", "provinces", "password of (UTC)", "state", header_style="bold")
    for person in found:
        cells = (person.name, person.role, told(person.provinces), day(person.password_set_at), _state(person))
        table.add_row(*map(Text, cells))
    Console().print(table)


@app.command(epilog=EPILOG)
def password(name: NameArgument, password_file: PasswordFileOption = None, config: ConfigOption = None) -> None:
    """Set another password; the terminal asks for it. Sessions of this person end, and locks are lifted."""
    known_name = _known_form(name)
    with database(settings_of(config), "people") as connection:
        if people.find_person(connection, known_name) is None:
            raise PeopleRefused(strings.NO_PERSON.format(name=known_name))
        kept = Argon2().hash(_password(known_name, password_file))
        people.set_password(connection, known_name, kept, by=by_whom(), now=now())
    say(f"đã đổi mật khẩu / password set: {known_name}")


@app.command(epilog=EPILOG)
def disable(name: NameArgument, config: ConfigOption = None) -> None:
    """Shut somebody out: sessions end at once, and nobody comes in by this name until it is enabled again."""
    with database(settings_of(config), "people") as connection:
        people.disable(connection, _known_form(name), by=by_whom(), now=now())
    say(f"đã khóa tài khoản / disabled: {_known_form(name)}")


@app.command(epilog=EPILOG)
def enable(name: NameArgument, config: ConfigOption = None) -> None:
    """Let somebody in again who was disabled."""
    with database(settings_of(config), "people") as connection:
        people.enable(connection, _known_form(name), by=by_whom(), now=now())
    say(f"đã mở tài khoản / enabled: {_known_form(name)}")


@app.command(epilog=EPILOG)
def unlock(name: NameArgument, config: ConfigOption = None) -> None:
    """Forgive wrong passwords: whoever had to wait after too many of them may try again at once."""
    with database(settings_of(config), "people") as connection:
        people.unlock(connection, _known_form(name), by=by_whom(), now=now())
    say(f"đã bỏ tạm khóa / unlocked: {_known_form(name)}")


def _known_form(typed: str) -> str:
    name = login_name(typed)
    if name is None:
        raise PeopleRefused(strings.NO_PERSON.format(name=typed))
    return name


def _password(name: str, file: Path | None) -> str:
    """From the file or the terminal; PeopleRefused if it is weak, or there is neither."""
    if file is not None:
        given = _first_line(file)
    elif sys.stdin.isatty():
        given = typer.prompt(strings.ASK, hide_input=True, err=True)
        if typer.prompt(strings.ASK_AGAIN, hide_input=True, err=True) != given:
            raise PeopleRefused(strings.ENTRIES_DIFFER)
    else:
        raise PeopleRefused(strings.NO_TERMINAL)
    refuse_weak(given, name)
    return str(given)


def _first_line(file: Path) -> str:
    try:
        return next(iter(file.read_text(encoding="utf-8").splitlines()), "")
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not a text file in UTF-8") from None


def _locked_s(person: Person) -> float:
    return wait_s(person.failures, now(), EVERYWHERE)


def _state(person: Person) -> str:
    if person.disabled_at is not None:
        return f"disabled since {day(person.disabled_at)}"
    locked_s = _locked_s(person)
    return f"locked until {day(now() + timedelta(seconds=locked_s))}" if locked_s else "ok"


def _as_json(person: Person) -> dict[str, Any]:
    locked_s = _locked_s(person)
    return {
        "name": person.name,
        "role": person.role,
        "provinces": as_array(person.provinces),
        "created_at": person.created_at,
        "password_set_at": person.password_set_at,
        "disabled_at": person.disabled_at,
        "locked_until": now() + timedelta(seconds=locked_s) if locked_s else None,
    }
