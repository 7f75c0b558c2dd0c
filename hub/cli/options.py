"""Options that several commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.config import HubSettings, load_settings
from hub.log import set_up_log

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="TOML file with the settings. Else: $TTDN_HUB_CONFIG, else /etc/ttdn-hub/hub.toml if it exists. "
        "The environment (TTDN_HUB_<SECTION>__<FIELD>) wins over all of them.",
        show_default=False,
        dir_okay=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for programs.")]


def settings_of(config: Path | None) -> HubSettings:
    """The settings, with the log set up as they say."""
    settings = load_settings(config)
    set_up_log(settings.log.level, settings.log.format)
    return settings


def print_json(value: Mapping[str, Any]) -> None:
    """One object on standard output; times in ISO 8601."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")
