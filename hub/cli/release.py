"""`ttdn-hub release`: signed packages of the agent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.exits import EPILOG
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.words import say, tell
from hub.errors import ConfigError
from hub.releases.keys import make_key
from hub.releases.pack import Wanted, manifest_of
from hub.releases.pack import pack as pack_folder
from hub.releases.shelf import Release, Shelf

app = typer.Typer(
    help="New versions of the agent: make a key, sign a package, put it on the shelf.", no_args_is_help=True
)
_MB = 1_000_000
KeyOption = Annotated[
    Path, typer.Option("--key", metavar="FILE", help="The private key; better not on the hub.", show_default=False)
]


@app.command(epilog=EPILOG)
def keygen(
    private: Annotated[Path, typer.Argument(metavar="PRIVATE", help="As release.key; mode 0600.", show_default=False)],
) -> None:
    """Make the pair of keys of releases: PRIVATE, and beside it the public one, which ends with .pub.

    Whoever has the private key decides what runs on every kiosk: keep it on a stick in a safe, not on the hub. Kiosks
    get the public one when they are installed (deploy/agent/wheels.sh --release-key), the hub as pki.release_key_file.
    """
    public = private.with_suffix(".pub")
    make_key(private, public)
    tell(f"đã tạo / made: {private} (riêng tư / private), {public}")


@app.command(epilog=EPILOG)
def pack(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Made by deploy/agent/wheels.sh.", show_default=False)
    ],
    key: KeyOption,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: ttdn-agent-VERSION-ARCH.ttdn here.")
    ] = None,
    applies_on: Annotated[
        str, typer.Option("--applies-on", metavar="VERSION", help="The oldest version that it may replace.")
    ] = "0.1.0",
    *,
    downgrade: Annotated[
        bool, typer.Option("--allow-downgrade", help="It may also replace a newer version: the way back for a fleet.")
    ] = False,
) -> None:
    """Sign what FOLDER holds, as one package for the link or a USB stick. Runs anywhere; needs no database."""
    wanted, now = Wanted(applies_on, downgrade), datetime.now(UTC)
    output = out or Path(manifest_of(folder, wanted, now).file_name)
    manifest = pack_folder(folder, key, output, wanted, now)
    tell(f"{output}: {manifest.version} {manifest.arch}, Python {', '.join(manifest.python)}")


@app.command(epilog=EPILOG)
def add(
    package: Annotated[Path, typer.Argument(metavar="PACKAGE", help="A signed package.", show_default=False)],
    config: ConfigOption = None,
) -> None:
    """Put a package on the shelf from which kiosks fetch, if it is whole and signed by pki.release_key_file."""
    settings = settings_of(config)
    key = settings.pki.release_key()
    if not key:
        raise ConfigError("pki.release_key_file is not set: no kiosk knows whom to trust; see: ttdn-hub release keygen")
    release = Shelf(settings.releases.folder).add(package, key)
    say(f"{release.manifest.version} {release.manifest.arch}: {release.sha256}, {release.bytes / _MB:.1f} MB")


@app.command("list", epilog=EPILOG)
def list_(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the packages on the shelf."""
    found = Shelf(settings_of(config).releases.folder).releases()
    if as_json:
        print_json({"releases": [_told(release) for release in found]})
        return
    table = Table("version", "machine", "python", "MB", "made (UTC)", "sha256", header_style="bold")
    for release in found:
        made = f"{datetime.fromtimestamp(release.manifest.created_ms / 1000, UTC):%Y-%m-%d %H:%M}"
        cells = (release.manifest.version, release.manifest.arch, ", ".join(release.manifest.python))
        table.add_row(*map(Text, (*cells, f"{release.bytes / _MB:.1f}", made, release.sha256[:16])))
    Console().print(table)


def _told(release: Release) -> dict[str, object]:
    manifest = release.manifest
    return {
        "version": manifest.version,
        "arch": manifest.arch,
        "python": list(manifest.python),
        "bytes": release.bytes,
        "sha256": release.sha256,
        "applies_on": manifest.applies_on,
        "allow_downgrade": manifest.allow_downgrade,
        "created_ms": manifest.created_ms,
    }
