"""`ttdn-hub counts`: hourly counts beside the rows that they are of."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from hub.cli.database import database
from hub.cli.exits import DIFFERENT, EPILOG
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.errors import ConfigError
from hub.store import recount

_SHOWN = 20
app = typer.Typer(help="Compare the hourly counts with the rows, or rebuild them.", no_args_is_help=True)
DeviceOption = Annotated[str | None, typer.Option("--device", help="Only the counts of this device.")]


@app.command("verify", epilog=EPILOG)
def verify(config: ConfigOption = None, device: DeviceOption = None, *, as_json: JsonOption = False) -> None:
    """Prove that every hourly count is what its rows say (exit code 0), or show where it is not (exit code 1).

    Hours from before rows were let go (`ttdn-hub maintain`) cannot be compared and are passed over.
    """
    with database(settings_of(config), "counts") as connection:
        known = _devices(recount.devices(connection), device)
        found = {
            name: different
            for name in track(known, "comparing", console=Console(stderr=True))
            if (different := recount.differences(connection, name))
        }
    if as_json:
        different_of = {name: [one._asdict() for one in found[name]] for name in found}
        print_json({"ok": not found, "devices": len(known), "different": different_of})
    else:
        for name, different in found.items():
            for table, side, row in different[:_SHOWN]:
                Console().print(f"{name}: {table} {side}: {row}", markup=False, highlight=False)
        word = "OK" if not found else f"{len(found)} DEVICES DIFFER (ttdn-hub counts rebuild)"
        Console().print(f"{word}: {len(known)} devices", highlight=False)
    if found:
        raise typer.Exit(DIFFERENT)


@app.command("rebuild", epilog=EPILOG)
def rebuild(config: ConfigOption = None, device: DeviceOption = None) -> None:
    """Make the hourly counts again from the rows, device by device; counts of hours without rows stay.

    Not needed in ordinary life. Safe while the hub works: what a device sends meanwhile waits a moment.
    """
    with database(settings_of(config), "counts") as connection:
        known = _devices(recount.devices(connection), device)
        for name in track(known, "rebuilding", console=Console(stderr=True)):
            recount.rebuild(connection, name)
    Console().print(f"counts of {len(known)} devices are rebuilt", highlight=False)


def _devices(known: list[str], device: str | None) -> list[str]:
    if device is None:
        return known
    if device not in known:
        raise ConfigError(f"no device {device!r} is known here; see: ttdn-hub registry list")
    return [device]
