"""`ttdn-hub registry`: which sites and devices there ought to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.exits import EPILOG
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.registry import devices as devices_file
from hub.registry import sites as sites_file
from hub.store.connection import connect
from hub.store.migrate import check
from hub.store.registry import Imported
from hub.store.registry import import_devices as put_devices
from hub.store.registry import import_sites as put_sites
from hub.store.registry import registry as registered

app = typer.Typer(help="Sites and devices: import them from CSV files, list them.", no_args_is_help=True)
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE.csv", exists=True, dir_okay=False, readable=True, show_default=False)
]


@app.command("import-sites", epilog=EPILOG)
def import_sites(file: FileArgument, config: ConfigOption = None) -> None:
    """Add and change sites as FILE.csv says: all of it or, with one bad row, nothing (exit code 1).

    Columns: code,name_vi,province_vi,province_code,neighbour,gate_type,lat,lon,confidence. UTF-8, separated by commas
    or semicolons. Importing again changes nothing; a site that is not in the file stays.
    """
    _import(file, config, put_sites)


@app.command("import-devices", epilog=EPILOG)
def import_devices(file: FileArgument, config: ConfigOption = None) -> None:
    """Register and change devices as FILE.csv says: all of it or, with one bad row, nothing (exit code 1).

    Columns: name,kind,site,title_vi; kind is kiosk, led, tv or loa; import sites first. A device that reported before
    it was registered keeps everything that it reported; one that is not in the file stays.
    """
    _import(file, config, put_devices)


@app.command("list", epilog=EPILOG)
def list_(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List sites and devices; devices that report and that nobody has registered are shown as such."""
    settings = settings_of(config)
    with connect(settings.database.conninfo(), "registry", autocommit=True) as connection:
        check(connection)
        found = registered(connection)
    if as_json:
        print_json(found)
        return
    console = Console()
    for name, columns in (("sites", sites_file.COLUMNS), ("devices", (*devices_file.COLUMNS, "registered_at"))):
        table = Table(*columns, title=f"{len(found[name])} {name}", header_style="bold")
        for row in found[name]:
            if name == "devices" and row["registered_at"] is None:
                row["registered_at"] = "not registered / chưa đăng ký"
            table.add_row(*(Text("" if row[column] is None else str(row[column])) for column in columns))
        console.print(table)


def _import(file: Path, config: Path | None, put: Callable[[psycopg.Connection, bytes], Imported]) -> None:
    settings = settings_of(config)
    with connect(settings.database.conninfo(), "registry", autocommit=True) as connection:
        check(connection)
        done = put(connection, file.read_bytes())
    Console().print(f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged")
