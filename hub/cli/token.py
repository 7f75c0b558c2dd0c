"""`ttdn-hub token`: secrets by which programs use the API."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import Annotated, Any

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
from hub.people import strings
from hub.people.errors import PeopleRefused
from hub.people.names import provinces_of, token_name
from hub.people.roles import PERSONAL, SCOPES, is_scope
from hub.people.tokens import KEY, KnownToken, new_token
from hub.store import people

_OFFERED = [item for item in SCOPES if item.scope not in PERSONAL]
_NAMES = ", ".join(item.scope for item in _OFFERED)
_SCOPES = "; ".join(f"{item.scope}: {item.meaning}" for item in _OFFERED)
_EPILOG = f"Scopes: {_SCOPES}. {EPILOG}"
app = typer.Typer(
    help="Secrets by which programs use the API: create them, list them, revoke them.", no_args_is_help=True
)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What it is for, as grafana.", show_default=False)]
ScopeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="SCOPE",
        help=f"What it may: {_NAMES}; any number of times.",
        show_default=False,
    ),
]
DaysOption = Annotated[int, typer.Option("--days", min=1, max=1_830, help="It ends after so many days.")]
KeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="The 12 letters that the list shows.", show_default=False)
]


@app.command(epilog=_EPILOG)
def create(
    name: NameArgument,
    scope: ScopeOption = None,
    province: ProvinceOption = None,
    days: DaysOption = 365,
    config: ConfigOption = None,
    *,
    all_provinces: AllProvincesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a token and print it, once: the hub keeps only a hash of it.

    Programs send it as the header Authorization: Bearer ttdn_... Examples:

    ttdn-hub token create grafana --scope read --province 20 --days 90

    ttdn-hub token create prometheus --scope metrics --all-provinces > /etc/prometheus/ttdn-token
    """
    scopes = frozenset(scope or [])
    for unknown in sorted(one for one in scopes if not is_scope(one)):
        raise PeopleRefused(strings.BAD_SCOPE.format(scope=unknown, known=_NAMES))
    for personal in sorted(scopes & PERSONAL):
        raise PeopleRefused(strings.PERSONAL_SCOPE.format(scope=personal))
    if not scopes:
        raise PeopleRefused(strings.NO_SCOPE)
    purpose, provinces = token_name(name), provinces_of(province or [], every=all_provinces)
    made, began_at = new_token(), now()
    expires_at = began_at + timedelta(days=days)
    with database(settings_of(config), "people") as connection:
        people.add_token(connection, made, purpose, scopes, provinces, expires_at, by=by_whom(), now=began_at)
        warn_of_unknown(connection, provinces)
    if as_json:
        print_json({"token": made.text, "key": made.key, "name": purpose, "expires_at": expires_at})
        return
    sys.stdout.write(f"{made.text}\n")
    say(
        "token chỉ hiện một lần này, hãy cất kỹ / shown this once only. "
        f"key {made.key}, {purpose}: {', '.join(sorted(scopes))}; {told(provinces)}; until {day(expires_at)} UTC"
    )


@app.command("list", epilog=EPILOG)
def list_(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List all tokens, also those that are over: key, name, what they may and where, and when they were used."""
    with database(settings_of(config), "people") as connection:
        found = people.tokens(connection)
    moment = now()
    if as_json:
        print_json({"tokens": [_as_json(token, moment) for token in found]})
        return
    table = Table("key", "name", "scopes", "provinces", "until (UTC)", "used (UTC)", "state", header_style="bold")
    for token in found:
        scopes = " ".join(sorted(token.scopes))
        cells = (token.key, token.name, scopes, told(token.provinces), day(token.expires_at), day(token.used_at))
        table.add_row(*map(Text, (*cells, _state(token, moment))))
    Console().print(table)


@app.command(epilog=EPILOG)
def revoke(key: KeyArgument, config: ConfigOption = None) -> None:
    """End a token at once; there is no way back. Its KEY stands in the list, and within the token: ttdn_KEY_..."""
    if not KEY.fullmatch(key):
        raise PeopleRefused(strings.NOT_A_KEY)
    with database(settings_of(config), "people") as connection:
        name = people.revoke_token(connection, key, by=by_whom(), now=now())
    say(f"đã thu hồi / revoked: {key} ({name})")


def _state(token: KnownToken, moment: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if moment >= token.expires_at else "ok"


def _as_json(token: KnownToken, moment: datetime) -> dict[str, Any]:
    return {
        "key": token.key,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "provinces": as_array(token.provinces),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "used_at": token.used_at,
        "state": _state(token, moment),
    }
