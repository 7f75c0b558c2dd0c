"""`ttdn-hub incident`: what went wrong, and who has it in hand."""

from __future__ import annotations

from collections.abc import Callable
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
from hub.cli.exits import EPILOG
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.words import tell
from hub.notices import strings
from hub.notices.message import KINDS
from hub.store import incidents as store

app = typer.Typer(help="What went wrong: list it, take it in hand, close it.", no_args_is_help=True)
NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", help="As `ttdn-hub incident list` shows it.")]
ByOption = Annotated[str, typer.Option("--by", help="Name of the person.", show_default=False)]
AllOption = Annotated[bool, typer.Option("--all", help="Closed ones, too.")]


@app.command("list", epilog=EPILOG)
def list_(config: ConfigOption = None, *, every: AllOption = False, as_json: JsonOption = False) -> None:
    """List incidents, those first that nobody has taken in hand."""
    with database(settings_of(config), "incident") as connection:
        found = store.incidents(connection, only_open=not every)
    if as_json:
        print_json({"incidents": found})
        return
    table = Table("number", "what", "device", "about", "since", "times", "in hand", header_style="bold")
    for one in found:
        what = KINDS[one["kind"]].title if one["kind"] in KINDS else one["kind"]
        hand = f"closed by {one['closed_by']}" if one["closed_at"] else one["acknowledged_by"] or ""
        since = f"{one['opened_at']:%Y-%m-%d %H:%M}Z"
        cells = (one["id"], what, one["device"], one["subject"], since, one["times"], hand)
        table.add_row(*(Text(str(cell)) for cell in cells))
    Console().print(table)


@app.command("acknowledge", epilog=EPILOG)
def acknowledge(number: NumberArgument, by: ByOption, config: ConfigOption = None) -> None:
    """Take an incident in hand: nobody else is told any more. Exit code 4 if it is not open, or somebody has it."""
    _change(store.acknowledge, number, by, config)
    tell(strings.ACKNOWLEDGED.format(number=number, by=by))


@app.command("close", epilog=EPILOG)
def close(number: NumberArgument, by: ByOption, config: ConfigOption = None) -> None:
    """Say that an incident is over; if it comes again, a new one is opened. Exit code 4 if it is not open."""
    _change(store.close, number, by, config)
    tell(strings.CLOSED.format(number=number, by=by))


def _change(
    change: Callable[[psycopg.Connection[Any], int, store.Responder, datetime], None],
    number: int,
    by: str,
    config: Path | None,
) -> None:
    with database(settings_of(config), "incident") as connection:
        change(connection, number, store.Responder(by, by_whom()), datetime.now(UTC))
