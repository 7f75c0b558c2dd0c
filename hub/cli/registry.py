"""`ttdn-hub registry`: provinces, organisations, gates, sites, devices, campaigns, activities."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, get_args

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.caller import by_whom
from hub.cli.database import database
from hub.cli.exits import DIFFERENT, EPILOG, OK
from hub.cli.files import FileArgument, PreviewOption, data_of
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.template import XlsxOption, hand_out
from hub.cli.words import tell
from hub.errors import ConfigError, ImportRefused
from hub.registry import strings
from hub.registry.cells import BEGINNING_VI, DAY_VI, MOMENT_VI, read_day, read_moment, shown
from hub.registry.files import KINDS, FileKind, kind_of
from hub.registry.plan import Plan
from hub.registry.rows import refuse
from hub.store import registry as store
from hub.store.registry import ListName

MOST_DAYS_AHEAD: Final = 31
"""A move further ahead is rather a slip of the pen."""
app = typer.Typer(help="What there ought to be: import it from CSV or Excel files, list it.", no_args_is_help=True)
_LISTS: Final[tuple[ListName, ...]] = get_args(ListName)
_COLUMNS: Final[dict[ListName, tuple[str, ...]]] = {
    "provinces": ("code", "name_vi", "valid_from", "valid_until", "merged_into"),
    "organisations": ("agency_code", "name_vi", "province", "parent", "valid_from", "valid_until"),
    "gates": ("code", "name_vi", "neighbour", "gate_type", "province_code", "province_vi", "since", "sites"),
    "sites": ("code", "name_vi", "gate", "gate_type", "province_code", "province_vi", "status", "devices"),
    "devices": ("name", "kind", "site", "province_code", "title_vi", "registered_at"),
    "campaigns": ("code", "name_vi", "begins_on", "ends_on", "organisation", "document"),
    "activities": ("code", "kind", "name_vi", "place", "held_on", "people", "organisation"),
}
_KINDS_HELP: Final = f"One of: {', '.join(kind.name for kind in KINDS)}. points: gates with one site each, in one row."
KindArgument = Annotated[str, typer.Argument(metavar="KIND", help=_KINDS_HELP, show_default=False)]


@app.command(epilog=EPILOG)
def template(kind: KindArgument, xlsx: XlsxOption = None) -> None:
    """A file to fill in: CSV on standard output, or an Excel workbook with lists to choose from and explanations.

    The one of provinces holds the border provinces already; look them through before you import them. Example:

    ttdn-hub registry template gates --xlsx cua-khau.xlsx
    """
    hand_out(_chosen(kind), xlsx)


@app.command("import", epilog=EPILOG)
def import_(
    kind: KindArgument,
    file: FileArgument,
    config: ConfigOption = None,
    *,
    preview: PreviewOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add and change entries as a CSV or Excel FILE says: all of it or, with one bad row, nothing (exit code 1).

    Importing again changes nothing; what is not in the file stays. Columns: ttdn-hub registry template KIND. Examples:

    ttdn-hub registry import gates cua-khau.xlsx --preview

    ttdn-hub registry import gates cua-khau.xlsx
    """
    _import(kind, file, config, preview=preview, as_json=as_json)


@app.command("import-sites", epilog=EPILOG)
def import_sites(file: FileArgument, config: ConfigOption = None) -> None:
    """The same as: ttdn-hub registry import points FILE. Gates with one site each, of the same code and name.

    Columns: code,name_vi,province_vi,province_code,neighbour,gate_type,lat,lon,confidence.
    """
    _import("points", file, config)


@app.command("import-devices", epilog=EPILOG)
def import_devices(file: FileArgument, config: ConfigOption = None) -> None:
    """The same as: ttdn-hub registry import devices FILE.

    Columns: name,kind,site,title_vi and, if you like, since. A device that reported before it was registered keeps
    everything that it reported.
    """
    _import("devices", file, config)


@app.command("move-device", epilog=EPILOG)
def move_device(
    device: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    site: Annotated[str, typer.Argument(metavar="SITE", show_default=False)],
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help=f"{MOMENT_VI} (UTC+7). Else: now.", show_default=False),
    ] = None,
    config: ConfigOption = None,
    *,
    far: Annotated[bool, typer.Option("--far", help=f"TIME may be more than {MOST_DAYS_AHEAD} days ahead.")] = False,
) -> None:
    """Say where a device stands from a full hour on; what it told before stays with the place where it stood then.

    What is stored already of the time since goes over to the new place, with its hourly counts. Example:

    ttdn-hub registry move-device bg-20-cma-k1 BG-20-TTH --since "01/07/2025 08:00"
    """
    moment = None if since is None else read_moment(since)
    if since is not None and moment is None:
        raise ConfigError(strings.NO_MOMENT.format(since=since, expected=MOMENT_VI))
    if moment is not None and not far and moment > datetime.now(UTC) + timedelta(days=MOST_DAYS_AHEAD):
        raise ConfigError(strings.FAR_OFF.format(since=shown(moment), most=MOST_DAYS_AHEAD))
    with database(settings_of(config), "registry") as connection:
        moved = store.move_device(connection, device, site, moment, by=by_whom())
    told = strings.MOVED if moved.is_new else strings.STANDS
    from_when = BEGINNING_VI if moved.since is None else f"từ {shown(moved.since)}"
    tell(told.format(device=device, site=site, since=from_when))


@app.command("list", epilog=EPILOG)
def list_(
    only: Annotated[
        str | None,
        typer.Argument(metavar="[LIST]", help=f"One of: {', '.join(_LISTS)}. Else: all.", show_default=False),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DAY", help=f"As it was on that day: {DAY_VI}.", show_default=False),
    ] = None,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the registry; devices that report and that nobody has registered are shown as such."""
    if only is not None and only not in _LISTS:
        raise ConfigError(f"no list {only!r}; there are: {', '.join(_LISTS)}")
    day = _day(as_of)
    with database(settings_of(config), "registry") as connection:
        found = {name: store.listed(connection, name, day) for name in _LISTS if only in {None, name}}
    if as_json:
        print_json({str(name): rows for name, rows in found.items()})
        return
    for name, rows in found.items():
        table = Table(*_COLUMNS[name], title=f"{len(rows)} {name}", header_style="bold")
        for row in rows:
            if name == "devices" and row["registered_at"] is None:
                row["registered_at"] = "not registered / chưa đăng ký"
            table.add_row(*(_cell(row[column]) for column in _COLUMNS[name]))
        Console().print(table)


def _chosen(kind: str) -> FileKind[Any]:
    try:
        return kind_of(kind)
    except LookupError as error:
        raise ConfigError(str(error)) from None


def _import(kind: str, file: Path, config: Path | None, *, preview: bool = False, as_json: bool = False) -> None:
    chosen = _chosen(kind)
    with database(settings_of(config), "registry") as connection:
        try:
            data = data_of(file)
            if preview:
                planned = store.preview_file(connection, chosen, data)
            else:
                planned = store.import_file(connection, chosen, data, by=by_whom())
        except ImportRefused as refused:
            planned = Plan(kind, problems=refused.found)
    if as_json:
        print_json(planned.as_json() | {"taken": not preview and not planned.problems})
        raise typer.Exit(DIFFERENT if planned.problems else OK)
    if preview:
        _show(planned)
    refuse(planned.problems)
    tell(f"{planned.added} added, {planned.changed} changed, {planned.unchanged} unchanged")


def _show(planned: Plan) -> None:
    """Line by line what a file would do."""
    for change in planned.changes:
        since = f" (từ {change.since()})" if change.since() else ""
        if change.former is None:
            tell(f"dòng {change.row}: {change.key}: mới / new{since}")
        for name, (old, new) in change.fields().items():
            tell(f"dòng {change.row}: {change.key}: {name}: {_shown(old)} -> {_shown(new)}{since}")
    tell("xem trước, chưa ghi gì / a preview, nothing was written")


def _shown(value: str | None) -> str:
    return "(trống)" if value is None else repr(value)


def _cell(value: object) -> Text:
    if isinstance(value, datetime):
        return Text(f"{value:%Y-%m-%d %H:%M}")
    return Text("" if value is None else str(value))


def _day(text: str | None) -> date | None:
    day = None if text is None else read_day(text)
    if text is not None and day is None:
        raise ConfigError(f"--as-of {text!r}: cần {DAY_VI} / not a day, such as 31/12/2025 or 2025-12-31")
    return day
