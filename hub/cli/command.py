"""`ttdn-hub command`: what devices are asked to do, and what became of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import psycopg
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.caller import by_whom
from hub.cli.database import database
from hub.cli.exits import EPILOG
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.words import say, tell
from hub.fleet import strings
from hub.fleet.errors import NotCommanded
from hub.fleet.orders import MAX_LASTS_S, ORDERS, order
from hub.store import fleet as store

app = typer.Typer(help="Commands: ask a device for something, and see what became of it.", no_args_is_help=True)
_LOOK_S: Final = 0.5
_ANSWER_S: Final = 30
_ORDERS = f"Commands: {'; '.join(f'{known.name}: {known.meaning}' for known in ORDERS)}. {EPILOG}"
DeviceArgument = Annotated[str, typer.Argument(metavar="DEVICE", help="As bg-20-cma-k1.", show_default=False)]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write its picture there.", show_default=False)
]
WaitOption = Annotated[bool, typer.Option("--wait", help="Wait for the answer, 30 s longer than it is valid at most.")]


@app.command(epilog=_ORDERS)
def send(
    device: DeviceArgument,
    name: Annotated[str, typer.Argument(metavar="COMMAND", help="See below.", show_default=False)],
    lasts_s: Annotated[
        int | None,
        typer.Option("--for", min=5, max=MAX_LASTS_S, help="Not to be done later than after so many seconds."),
    ] = None,
    out: OutOption = None,
    config: ConfigOption = None,
    *,
    wait: WaitOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ask DEVICE for something; it is done once, as soon as the device is there. Exit code 4 if it was not done.

    ttdn-hub command send bg-20-cma-k1 snapshot --wait --out man-hinh.jpg
    """
    known, now, asker = order(name), datetime.now(UTC), store.Asker(by_whom())
    if out is not None:
        _refuse_existing(out)
    lasts = timedelta(seconds=lasts_s) if lasts_s is not None else known.lasts
    with database(settings_of(config), "command") as connection:
        (target,) = store.targets(connection, asker, name=device)
        code = store.give(connection, target, known.name, lasts, asker, now)
        until = f"{now + lasts:%Y-%m-%d %H:%M:%S}"
        if not as_json:
            tell(strings.GIVEN.format(code=code, device=device, expires=until))
        row = _answered(connection, asker, code, lasts) if wait or out is not None else None
        row = row or store.command(connection, asker, code)
        _tell(row, as_json=as_json)
        if out is not None and row["has_picture"]:
            _write(out, store.picture(connection, asker, code)[1])
    if (wait or out is not None) and row["outcome"] != "done":
        raise NotCommanded(row["detail"] or strings.STILL_WAITING.format(code=code))


@app.command("list", epilog=EPILOG)
def list_(
    device: Annotated[
        str | None, typer.Argument(metavar="DEVICE", help="Only of this one.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the last 100 commands, newest first."""
    with database(settings_of(config), "command") as connection:
        found = store.commands(connection, store.Asker(by_whom()), device=device)
    if as_json:
        print_json({"commands": found})
        return
    table = Table("command", "device", "what", "given (UTC)", "by", "outcome", "said", header_style="bold")
    for row in found:
        given = f"{row['issued_at']:%Y-%m-%d %H:%M}"
        outcome = strings.OUTCOMES[row["outcome"]] + (" (ảnh / picture)" if row["has_picture"] else "")
        cells = (row["code"], row["device"], row["name"], given, row["issued_by"], outcome, row["detail"])
        table.add_row(*map(Text, cells))
    Console().print(table)


@app.command(epilog=EPILOG)
def show(
    code: Annotated[str, typer.Argument(metavar="COMMAND", help="As the list shows it.", show_default=False)],
    out: OutOption = None,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what became of one command, and write the picture that it brought."""
    asker = store.Asker(by_whom())
    with database(settings_of(config), "command") as connection:
        _tell(store.command(connection, asker, code), as_json=as_json)
        if out is not None:
            _refuse_existing(out)
            _write(out, store.picture(connection, asker, code)[1])


def _answered(
    connection: psycopg.Connection[Any], asker: store.Asker, code: str, lasts: timedelta
) -> dict[str, Any] | None:
    end_s = time.monotonic() + lasts.total_seconds() + _ANSWER_S
    while time.monotonic() < end_s:
        row = store.command(connection, asker, code)
        if row["outcome"] is not None:
            return row
        time.sleep(_LOOK_S)
    return None


def _tell(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(row)
    else:
        tell(f"{row['device']} {row['name']}: {strings.OUTCOMES[row['outcome']]}: {row['detail']}".rstrip(": "))


def _refuse_existing(file: Path) -> None:
    if file.exists():
        raise NotCommanded(strings.FILE_EXISTS.format(file=file))


def _write(file: Path, body: bytes) -> None:
    try:
        with file.open("xb") as opened:
            opened.write(body)
    except OSError as error:
        raise NotCommanded(f"{file}: {error.strerror}") from error
    say(strings.PICTURE_WRITTEN.format(file=file))
