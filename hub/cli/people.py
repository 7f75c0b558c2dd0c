"""What `ttdn-hub user` and `ttdn-hub token` share: which provinces, and words for both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import psycopg
import typer

from hub.cli.words import say
from hub.people.principal import Provinces
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
