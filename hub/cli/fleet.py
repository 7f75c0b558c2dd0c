"""`ttdn-hub fleet`: the configuration that devices are to have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.caller import by_whom
from hub.cli.database import database
from hub.cli.exits import EPILOG
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.words import tell
from hub.config import HubSettings
from hub.fleet import strings, wanted
from hub.fleet.errors import BadSetting
from hub.fleet.wanted import Expected
from hub.store import fleet as store

app = typer.Typer(help="Devices: the configuration that the hub wants them to have.", no_args_is_help=True)
_KEYS = f"Settings: {', '.join(wanted.KEYS)}. {EPILOG}"
DeviceArgument = Annotated[str | None, typer.Argument(metavar="DEVICE", help="As bg-20-cma-k1.", show_default=False)]
ProvinceOption = Annotated[
    str | None, typer.Option("--province", metavar="CODE", help="All devices of a province.", show_default=False)
]
AllOption = Annotated[bool, typer.Option("--all", help="All devices.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any number of times; KEY= leaves it to the device's own file.",
        show_default=False,
    ),
]
OpeningOption = Annotated[bool, typer.Option("--opening-of-site", help="Opening hours as the registry has them.")]


@app.command("config", epilog=_KEYS)
def config(
    device: DeviceArgument = None,
    province: ProvinceOption = None,
    changes: SetOption = None,
    config: ConfigOption = None,
    *,
    every: AllOption = False,
    opening_of_site: OpeningOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what devices are to have and whether they have it; with --set change it first.

    ttdn-hub fleet config bg-20-cma-k1 --set intervals.look_s=5 --set budget.month_bytes=60000000

    ttdn-hub fleet config --province 20 --set opening.mon=07:00-17:00 --set opening.sat=22:00-06:00
    """
    if sum((device is not None, province is not None, every)) != 1:
        raise BadSetting("say which devices: DEVICE, --province CODE or --all, one of them")
    settings, asker = settings_of(config), store.Asker(by_whom())
    with database(settings, "fleet") as connection:
        found = store.targets(connection, asker, name=device, province=province)
        now = datetime.now(UTC)
        with connection.transaction():  # all of it, or nothing
            if opening_of_site:
                for one in found:
                    store.configure(connection, [one], store.opening_of_site(connection, one), asker, now)
            if changes:
                expected = expected_of(settings)
                store.configure(connection, found, lambda known: wanted.changed(known, changes, expected), asker, now)
        rows = store.configs(connection, asker, name=device, province=province)
    if as_json:
        print_json({"devices": [row | {"told": wanted.told(row["settings"])} for row in rows]})
    else:
        _show(rows)


def expected_of(settings: HubSettings) -> Expected:
    """What of the hub's settings a device's configuration has to go with."""
    return Expected(settings.compliance.heartbeat_s, settings.ingest.alive_timeout_s)


def _show(rows: list[dict[str, Any]]) -> None:
    if not rows:
        tell(strings.NOTHING_SET)
        return
    table = Table("device", "revision", "has", "state", "settings", "said", header_style="bold")
    for row in rows:
        told = "\n".join(f"{key}={value}" for key, value in wanted.told(row["settings"]).items()) or "-"
        state = strings.CONFIG_STATES[row["state"]]
        cells = (row["device"], str(row["revision"]), str(row["reported"] or "-"), state, told, row["detail"])
        table.add_row(*map(Text, cells))
    Console().print(table)
