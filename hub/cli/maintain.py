"""`ttdn-hub maintain`: the daily upkeep of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import psycopg
import typer
from rich.console import Console

from hub.chores.chores import CHORES
from hub.chores.service import LOCK_S, ChoreService
from hub.cli.database import database
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.run import run_parts
from hub.config import HubSettings
from hub.metrics import HubMetrics
from hub.service import Service
from hub.store import maintain as store

StayOption = Annotated[
    bool,
    typer.Option(
        "--stay",
        help="Do all that the hub does by itself, until stopped: upkeep by night, notices, plan, visits, certificates. "
        "Any number may run; one does it.",
    ),
]


def maintain(config: ConfigOption = None, *, as_json: JsonOption = False, stay: StayOption = False) -> None:
    """Let rows go that have been kept for long enough, and keep the rest small. Run it once a day, or with --stay.

    What goes is counted, so that `ttdn-hub audit` still adds up, and hourly counts stay for good. How long each kind of
    row is kept: section [storage] of the settings. Safe at any time, also while the hub works; safe to interrupt.
    Exit code 4 if another one is at work, or if somebody holds a lock for so long that the ingest would wait as well.
    """
    if stay:
        run_parts(config, _chores, migrate_first=False)
        return
    settings = settings_of(config)
    console = Console(stderr=True, soft_wrap=True)
    with database(settings, "maintain", lock_timeout_s=LOCK_S) as connection:
        try:
            done = store.maintain(
                connection,
                settings.storage.retention_days(),
                settings.storage.compress_after_days,
                datetime.now(UTC),
                lambda text: console.print(text, highlight=False),
            )
        except psycopg.errors.LockNotAvailable as error:
            told = f"somebody else held what upkeep needs for longer than {LOCK_S:g} s ({str(error).strip()})"
            raise store.UpkeepBusy(f"{told}; what was done stays done; try again later") from None
    if as_json:
        print_json({**asdict(done), "engine": done.engine.name})
    else:
        gone = ", ".join(f"{kind} {rows}" for kind, rows in done.retired.items() if rows) or "none"
        Console().print(f"rows that were let go: {gone}", highlight=False)
        if done.rejected_forgotten:
            Console().print(f"messages that nobody could read: {done.rejected_forgotten} let go", highlight=False)


def _chores(settings: HubSettings) -> Sequence[Service]:
    return (ChoreService(settings, HubMetrics(), CHORES),)
