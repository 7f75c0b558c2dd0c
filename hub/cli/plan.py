"""`ttdn-hub plan`: what must be shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.catalogue.forms import FORMS, PlanForm
from hub.catalogue.plan_items import PlannedItem, hours_told, weekdays_told
from hub.cli.caller import by_whom
from hub.cli.database import database
from hub.cli.exits import EPILOG
from hub.cli.files import FileArgument, PreviewOption, data_of
from hub.cli.imported import tell_import
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.template import XlsxOption, hand_out
from hub.compliance.fulfilment import RESULTS
from hub.compliance.local_time import local_date
from hub.errors import ConfigError
from hub.store import fulfilment, plan_results
from hub.store import plans as store
from hub.store.moment import unix_ms
from hub.store.plan_results import ResultFilter
from hub.strings import FULFILMENTS

app = typer.Typer(help="What must be shown where, when, and how often.", no_args_is_help=True)
imports = typer.Typer(
    help="Take lines of the plan, or groups of devices, from a file, .csv or .xlsx.", no_args_is_help=True
)
app.add_typer(imports, name="import")
FirstOption = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")]
LastOption = Annotated[
    datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="Last local day; yesterday.")
]
ItemOption = Annotated[str | None, typer.Option("--item", help="Only this line of the plan.")]


@app.command(epilog=EPILOG)
def template(
    name: Annotated[PlanForm, typer.Argument(help="Which file.", show_default=False)], xlsx: XlsxOption = None
) -> None:
    """A file to fill in: CSV on standard output, or an Excel workbook with lists to choose from and explanations.

    Example: ttdn-hub plan template items --xlsx ke-hoach.xlsx
    """
    hand_out(FORMS[name], xlsx)


@imports.command("items", epilog=EPILOG)
def import_items(file: FileArgument, config: ConfigOption = None, *, preview: PreviewOption = False) -> None:
    """Add and change lines of the plan as FILE says: all of it or, with one bad row, nothing (exit code 1).

    Columns: code,campaign,target_kind,target,contents,topic,first_day,last_day,weekdays,hours,unit,least,languages,
    shortest_play_s,screens. target_kind: site, device or group. contents: codes, any of which counts, or else a topic.
    weekdays: T2-T6 CN. hours: 7-11 14-17. unit: plays_per_hour, plays_per_day or seconds_per_day. languages: vi:40
    zh:30. A line that is not in the file stays: give it another last_day, or remove it.
    """
    with database(settings_of(config), "plan") as connection:
        done = store.import_plan(connection, data_of(file), by_whom(), datetime.now(UTC), preview=preview)
        tell_import(done, preview=preview)


@imports.command("groups", epilog=EPILOG)
def import_groups(file: FileArgument, config: ConfigOption = None, *, preview: PreviewOption = False) -> None:
    """Make groups of devices what FILE says, members included: all of it or, with one bad row, nothing (exit code 1).

    Columns: code,name_vi,devices; devices: names separated by spaces. A group that is not in the file stays.
    """
    with database(settings_of(config), "plan") as connection:
        done = store.import_groups(connection, data_of(file), by_whom(), datetime.now(UTC), preview=preview)
        tell_import(done, preview=preview)


@app.command("list", epilog=EPILOG)
def list_(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the plan and the groups of devices."""
    with database(settings_of(config), "plan") as connection:
        items, groups = store.plan(connection), store.groups(connection)
    if as_json:
        print_json({"items": [_told(one) for one in items], "groups": [group._asdict() for group in groups]})
        return
    console = Console()
    columns = ("code", "campaign", "target", "what", "days", "weekdays", "hours", "least", "unit", "languages")
    table = Table(*columns, title=f"{len(items)} lines", header_style="bold")
    for one in items:
        rule = one.item
        languages = " ".join(f"{share.language}:{share.percent}" for share in rule.languages)
        what, days = one.topic or " ".join(one.contents), f"{rule.first_day}..{rule.last_day}"
        where = f"{one.target_kind} {one.target}"
        when = (weekdays_told(rule.weekdays), hours_told(rule.hours))
        cells = (one.code, one.campaign or "", where, what, days, *when, str(rule.least), rule.unit, languages)
        table.add_row(*map(Text, cells))
    console.print(table)
    for group in groups:
        console.print(f"{group.code} {group.name_vi}: {' '.join(group.devices)}", markup=False, highlight=False)


@app.command(epilog=EPILOG)
def remove(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Code of a line.", show_default=False)],
    config: ConfigOption = None,
) -> None:
    """Take a line out of the plan. What was judged of it stays, and is judged no more.

    What was planned and is over has a last_day instead.
    """
    with database(settings_of(config), "plan") as connection:
        if not store.remove_item(connection, code, by_whom(), datetime.now(UTC)):
            raise ConfigError(f"no line {code!r} is in the plan; see: ttdn-hub plan list")
    Console().print(f"removed: {code}", markup=False, highlight=False)


def _told(planned: PlannedItem) -> dict[str, Any]:
    row = store.row_of(planned)
    return row | {"contents": list(planned.contents), "languages": dict(planned.item.languages)}


@app.command("results", epilog=EPILOG)
def results(
    config: ConfigOption = None,
    first: FirstOption = None,
    last: LastOption = None,
    item: ItemOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show how the plan stands, window by window: enough, too little, not at all, or unknown.

    Unknown is where nobody knows whether it was shown: events are missing, or the device was silent. A day is judged
    when it is over, and again when something comes in for it.
    """
    wanted = _wanted(first, last, item)
    with database(settings_of(config), "plan") as connection:
        found = plan_results.results(connection, wanted)
    if as_json:
        print_json({"first": wanted.first_day, "last": wanted.last_day, "results": found})
        return
    table = Table("day", "hour", "line", "device", "result", "required", "shown", "unknown min", header_style="bold")
    for one in found:
        hour = "" if one["hour"] == fulfilment.WHOLE_DAY else one["hour"]
        told = FULFILMENTS[one["result"]]
        cells = (one["day"], hour, one["item"], one["device"], told, one["required"], one["shown"])
        table.add_row(*(Text(str(cell)) for cell in (*cells, one["unknown_ms"] // 60_000)))
    Console().print(table)


@app.command("summary", epilog=EPILOG)
def summary(
    config: ConfigOption = None,
    first: FirstOption = None,
    last: LastOption = None,
    item: ItemOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Count the windows of each line of the plan by how they stand; what is unknown is counted apart.

    Only windows that were judged are counted: days that are over, at sites.
    """
    wanted = _wanted(first, last, item)
    with database(settings_of(config), "plan") as connection:
        found = plan_results.summary(connection, wanted)
    if as_json:
        print_json({"first": wanted.first_day, "last": wanted.last_day, "items": found})
        return
    table = Table("line", "windows", *(FULFILMENTS[result] for result in RESULTS), header_style="bold")
    for one in found:
        cells = (one["item"], one["windows"], *(one[result] for result in RESULTS))
        table.add_row(*(Text(str(cell)) for cell in cells))
    Console().print(table)


def _wanted(first: datetime | None, last: datetime | None, item: str | None) -> ResultFilter:
    """These days, or the seven that ended yesterday."""
    until = last.date() if last else local_date(unix_ms(datetime.now(UTC))) - timedelta(days=1)
    return ResultFilter(first.date() if first else until - timedelta(days=6), until, item)
