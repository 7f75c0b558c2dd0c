"""`ttdn-hub config`: a sample to start from, and a check before a restart."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from hub.cli.options import ConfigOption
from hub.config import load_settings
from hub.config.sample import sample_toml

app = typer.Typer(help="Write a sample of the settings, or check them.", no_args_is_help=True)


@app.command()
def sample() -> None:
    """Write a complete, commented file to standard output: every setting, its meaning and its default."""
    sys.stdout.write(sample_toml())


@app.command()
def check(config: ConfigOption = None) -> None:
    """Read the settings as the hub would, secrets' files included, and say what is wrong with each.

    Connects to nothing. Exit code 0 if the hub could use them, 2 if not.
    """
    settings = load_settings(config)
    settings.database.conninfo()
    settings.mqtt.secret()
    settings.api.check_tls()
    settings.pki.release_key()
    for broker in settings.mqtt.brokers:
        broker.ssl_context()
    Console(stderr=True).print("the settings are good", style="green")
