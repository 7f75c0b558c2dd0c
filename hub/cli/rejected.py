"""`ttdn-hub rejected`: events that are kept as bytes because this hub could not read them."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.database import database
from hub.cli.exits import DIFFERENT, EPILOG
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.store.rejected import Rejected
from hub.store.rejected import rejected as kept_bytes
from hub.store.rejected import retry as read_again

_SHOWN = 80
app = typer.Typer(
    help="Events that are kept as bytes because this hub could not read them: list them, or read them again.",
    no_args_is_help=True,
)
DeviceOption = Annotated[str | None, typer.Option("--device", help="Only those of this device.")]


@app.command("list", epilog=EPILOG)
def list_(config: ConfigOption = None, device: DeviceOption = None, *, as_json: JsonOption = False) -> None:
    """List what is kept, for 30 days at most: whose it is, its number, why it was not read, and its bytes.

    Without a number not even that could be read; the kiosk has declared it lost, and the bytes help to
    find out why.
    Exit code 0, whether there are any or not.
    """
    with database(settings_of(config), "rejected") as connection:
        kept = kept_bytes(connection, device)
    if as_json:
        print_json({"rejected": [_as_json(item) for item in kept]})
    else:
        _show(kept)


@app.command(epilog=EPILOG)
def retry(config: ConfigOption = None) -> None:
    """Read the kept bytes again, as after an upgrade; what can be read now becomes rows.

    Row and removal are one transaction under the stream's lock, so the audit holds all the time, and the ingest may be
    running. Exit code 0 if nothing is left, 1 if something still cannot be read (it stays where it is).
    """
    with database(settings_of(config), "rejected") as connection:
        done = read_again(connection, time.time_ns() // 1_000_000)
    Console().print(f"{done.stored} became rows, {done.left} left")
    if done.left:
        raise typer.Exit(DIFFERENT)


def _as_json(item: Rejected) -> dict[str, Any]:
    return item._asdict() | {"event": _text(item.event)}


def _text(data: bytes) -> str:
    """The bytes as text; what is no UTF-8 is escaped, and so it is told apart from what is."""
    return data.decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """`text` without what a terminal would obey: a device must not paint the operator's screen."""
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)


def _show(kept: list[Rejected]) -> None:
    table = Table("device", "stream", "number", "since (UTC)", "times", "reason", "bytes", header_style="bold")
    for item in kept:
        cells = (
            item.device,
            (item.stream or "-")[:8],
            str(item.seq or "-"),
            f"{item.stored_at:%Y-%m-%d %H:%M}",
            str(item.times),
            item.reason,
            _text(item.event)[:_SHOWN],
        )
        table.add_row(*(Text(printable(cell)) for cell in cells))  # never read as markup
    console = Console()
    console.print(table)
    console.print(f"{len(kept)} kept")
