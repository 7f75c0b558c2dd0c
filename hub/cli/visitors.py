"""`ttdn-hub visitors`: figures of visitors that leave the province."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.database import database
from hub.cli.exits import EPILOG
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.words import say
from hub.store import published as store
from hub.visitors.published import Cell, PublicationRules, PublishedCell

app = typer.Typer(help="Figures of visitors that leave the province.", no_args_is_help=True)
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be published; publish nothing.")]


@app.command(epilog=EPILOG)
def publish(config: ConfigOption = None, *, dry_run: DryRunOption = False, as_json: JsonOption = False) -> None:
    """Publish sessions by site, month and language for months that are closed; the hub does so by itself every night.

    Few sessions are not told (flag c), others are rounded to 5. Each figure is published once and never changed, so run
    it with --dry-run first. The settings visitors.* say when a month is closed, what is few, and which languages count.
    """
    settings = settings_of(config)
    with database(settings, "visitors") as connection:
        visitors = settings.visitors
        rules = PublicationRules(visitors.threshold, visitors.closed_after_days)
        done = store.publish(connection, rules, visitors.languages, datetime.now(UTC), dry_run=dry_run)
    if as_json:
        print_json(
            {
                "published": not dry_run,
                "cells": [_as_json(one) for one in done.cells],
                "left_out": [{**_named(cell), "sessions": sessions} for cell, sessions in done.left_out.items()],
            }
        )
        return
    table = Table("tháng / month", "điểm / site", "ngôn ngữ / language", "lượt phiên / sessions", header_style="bold")
    for one in done.cells:
        table.add_row(*map(Text, (*_named(one.cell).values(), "c" if one.sessions is None else str(one.sessions))))
    if done.cells:
        Console().print(table)
    word = "sẽ công bố / would be published" if dry_run else "đã công bố / published"
    Console().print(f"{word}: {len(done.cells)}", highlight=False)
    if done.left_out:
        say(
            f"không có chỗ trong bảng công bố / without a place in the published table: {sum(done.left_out.values())} "
            f"sessions, such as of {_place(next(iter(done.left_out)))}; see visitors.languages and the registry",
            style="yellow",
        )


def _named(cell: Cell) -> dict[str, str]:
    return {"month": f"{cell.month.year}-{cell.month.month:02}", "site": cell.site, "language": cell.language}


def _as_json(one: PublishedCell) -> dict[str, Any]:
    return {**_named(one.cell), "sessions": one.sessions, "flag": one.flag}


def _place(cell: Cell) -> str:
    month, site, language = _named(cell).values()
    return f"{site or 'no site'} {month} {language}"
