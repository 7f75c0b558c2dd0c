"""`ttdn-hub maintain`: the daily upkeep of the database."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from rich.console import Console

from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.store import maintain as store
from hub.store.connection import connect
from hub.store.migrate import check


def maintain(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Let rows go that have been kept for long enough, and keep the rest small. Run it once a day.

    What goes is counted, so that `ttdn-hub audit` still adds up, and hourly counts stay for good. How long each kind of
    row is kept: section [storage] of the settings. Safe at any time, also while the hub works; safe to interrupt.
    Exit code 4 if another one is at work.
    """
    settings = settings_of(config)
    console = Console(stderr=True, soft_wrap=True)
    with connect(settings.database.conninfo(), "maintain", autocommit=True) as connection:
        check(connection)
        done = store.maintain(
            connection,
            settings.storage.retention_days(),
            settings.storage.compress_after_days,
            datetime.now(UTC),
            lambda text: console.print(text, highlight=False),
        )
    if as_json:
        print_json({**asdict(done), "engine": done.engine.name})
    else:
        gone = ", ".join(f"{kind} {rows}" for kind, rows in done.retired.items() if rows) or "none"
        Console().print(f"rows that were let go: {gone}", highlight=False)
