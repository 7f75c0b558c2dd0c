"""What `ttdn-hub user` and `ttdn-hub token` share: who runs the command, which provinces, and words for both."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console

from hub.cli.options import settings_of
from hub.people.principal import Provinces
from hub.store.connection import connect
from hub.store.migrate import check
from hub.store.people import unknown_provinces

ProvinceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--province", metavar="NN", help="Two digits of a province, as 20; any number of times.", show_default=False
    ),
]
AllProvincesOption = Annotated[
    bool, typer.Option("--all-provinces", help="All provinces, and devices that nobody has registered yet.")
]


@contextmanager
def database(config: Path | None) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database of this hub's version."""
    settings = settings_of(config)
    with connect(settings.database.conninfo(), "people", autocommit=True) as connection:
        check(connection)
        yield connection


def by_whom() -> str:
    """Who runs this, for the audit log: the user of the system, and behind sudo the one who called it."""
    name = os.environ.get("SUDO_USER") if os.geteuid() == 0 else None
    try:
        return f"command:{name or pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"command:{os.getuid()}"


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def told(provinces: Provinces) -> str:
    """Provinces in a table."""
    return "all" if provinces is None else " ".join(sorted(provinces))


def as_array(provinces: Provinces) -> list[str] | None:
    """Provinces in JSON; null: all."""
    return None if provinces is None else sorted(provinces)


def day(moment: datetime | None) -> str:
    """A moment in a table."""
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def warn_of_unknown(connection: psycopg.Connection[Any], provinces: Provinces) -> None:
    """Say which provinces have no site yet: it may be a slip of the pen."""
    for code in unknown_provinces(connection, provinces):
        say(f"chưa có điểm nào ở tỉnh {code} / no site is registered in province {code} yet", style="yellow")


def say(text: str, style: str = "green") -> None:
    """On standard error, so that standard output holds answers only."""
    Console(stderr=True, soft_wrap=True).print(text, style=style, markup=False, highlight=False)
