"""`ttdn-hub rollout`: a new version for many kiosks, a few first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.caller import by_whom
from hub.cli.database import database
from hub.cli.exits import DIFFERENT, EPILOG, OK
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.words import say, tell
from hub.errors import ConfigError
from hub.fleet.rollout import Rules, steps_of
from hub.releases.shelf import Shelf
from hub.store import rollouts as store

app = typer.Typer(help="Roll out a version of the agent wave by wave; it halts by itself.", no_args_is_help=True)
NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", help="As `ttdn-hub rollout status` shows it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="For those who ask later.")]


@app.command(epilog=EPILOG)
def start(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="As 0.2.0, on the shelf.", show_default=False)],
    group: Annotated[
        str | None, typer.Option("--group", help="Code of a group of devices.", show_default=False)
    ] = None,
    province: Annotated[str | None, typer.Option("--province", metavar="NN", help="As 20.", show_default=False)] = None,
    device: Annotated[
        list[str] | None, typer.Option("--device", help="One device; any number of times.", show_default=False)
    ] = None,
    step: Annotated[str, typer.Option("--step", help="How many have it after each wave.")] = "1,10%,100%",
    soak_minutes: Annotated[
        int, typer.Option("--soak-minutes", min=0, max=43_200, help="So long a wave has to stay good.")
    ] = 60,
    halt_failures: Annotated[
        int,
        typer.Option("--halt-failures", min=1, help="It halts when it failed on so many; in the first wave on one."),
    ] = 2,
    config: ConfigOption = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All registered devices.")] = False,
) -> None:
    """Begin to bring VERSION to devices; those that are away get it when they are back.

    ttdn-hub rollout start 0.2.0 --group kiosk-cma --step 1,10%,100%
    """
    settings, steps = settings_of(config), steps_of(step)
    if not (group or province or device or every):
        raise ConfigError("say for which devices: --group, --province, --device or --all")
    offers = Shelf(settings.releases.folder).offers(version)
    if not offers:
        raise ConfigError(f"there is no package of {version} on the shelf; see: ttdn-hub release add")
    plan = store.Plan(version, offers, steps, Rules(timedelta(minutes=soak_minutes), halt_failures))
    choice = store.Choice(device or [], province, group, every)
    with database(settings, "rollout") as connection:
        number = store.start(connection, plan, choice, by=by_whom(), now=_now())
    tell(f"đợt cập nhật / roll-out {number}: {version}")


@app.command(epilog=EPILOG)
def status(
    number: Annotated[int | None, typer.Argument(metavar="NUMBER", show_default=False)] = None,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show roll-outs, newest first, or one with its devices. Exit code 1 if it, or the newest one, is halted."""
    with database(settings_of(config), "rollout") as connection:
        found = store.status(connection, number)
    if number is not None and not found:
        raise ConfigError(f"there is no roll-out {number}")
    if as_json:
        print_json({"rollouts": found})
    else:
        _show(found)
    raise typer.Exit(DIFFERENT if found and found[0]["state"] == "halted" else OK)


@app.command(epilog=EPILOG)
def halt(number: NumberArgument, reason: ReasonOption = "", config: ConfigOption = None) -> None:
    """Tell no further devices for now; those that have answered the command go on."""
    with database(settings_of(config), "rollout") as connection:
        store.change(connection, number, "halted", reason, by=by_whom(), now=_now())
    say(f"đã tạm dừng / halted: {number}")


@app.command(epilog=EPILOG)
def resume(number: NumberArgument, reason: ReasonOption = "", config: ConfigOption = None) -> None:
    """Go on with one that is halted; devices on which it did not work get it once more."""
    with database(settings_of(config), "rollout") as connection:
        store.change(connection, number, "running", reason, by=by_whom(), now=_now())
    say(f"tiếp tục / goes on: {number}")


@app.command(epilog=EPILOG)
def stop(number: NumberArgument, reason: ReasonOption = "", config: ConfigOption = None) -> None:
    """End one for good; what devices have, they keep."""
    with database(settings_of(config), "rollout") as connection:
        store.change(connection, number, "stopped", reason, by=by_whom(), now=_now())
    say(f"đã kết thúc / ended: {number}")


def _show(found: list[dict[str, Any]]) -> None:
    table = Table("number", "version", "state", "wave", "devices", "have it", "failed", "under way", "reason")
    for row in found:
        wave = f"{row['wave'] + 1} of {len(row['steps'])} ({row['steps'][row['wave']]})"
        cells = (row["id"], row["version"], row["state"], wave, row["devices"], row["applied"], row["failed"])
        table.add_row(*(Text(str(cell)) for cell in (*cells, row["under_way"], row["reason"])))
    Console().print(table)
    for member in [member for row in found for member in row.get("members", [])]:
        fate = member["fate"] or ("told" if member["ordered_at"] else "not yet")
        away = "" if member["online"] or member["fate"] else ", away"
        wave = "-" if member["wave"] is None else member["wave"] + 1
        tell(f"{wave}  {member['device']}: {fate}{away}  {member['detail']}".rstrip())


def _now() -> datetime:
    return datetime.now(UTC)
