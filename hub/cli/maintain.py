"""`ttdn-hub maintain`: the daily upkeep of the database."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import psycopg
from rich.console import Console

from hub.chores.service import LOCK_S
from hub.cli.database import database
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.store import maintain as store


def maintain(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Let rows go that have been kept for long enough, and keep the rest small. Run it once a day.

    What goes is counted, so that `ttdn-hub audit` still adds up, and hourly counts stay for good. How long each kind of
    row is kept: section [storage] of the settings. Safe at any time, also while the hub works; safe to interrupt.
    Exit code 4 if another one is at work, or if somebody holds a lock for so long that the ingest would wait as well.
    """
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
