"""The one table of visitors that leaves the province: sessions by site, month and language. Nothing else, no totals.

A figure below the threshold is null with flag `c`, others are rounded to the nearest multiple of 5. A cell is published
once, when its month is closed, and never again: not corrected, not summed, not at another granularity. So no two
publications can be subtracted from each other.

Which cells there are is decided without looking at a single visitor: `cells`, every site that was open by every
language that kiosks offer. A language that nobody chose is `null, c` just as one that nine visitors chose: a row's
absence says nothing, and null says "fewer than the threshold", none included. What was counted in no such cell
(`left_out`) is not published, however much it is.

The threshold is a multiple of 5, so that no rounded figure falls below it and gives away the one it stands for.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

ROUNDED_TO: Final = 5


class Month(NamedTuple):
    """A month of local time."""

    year: int
    month: int

    @property
    def last_day(self) -> date:
        """Its last day."""
        return date(self.year, self.month, monthrange(self.year, self.month)[1])


class Cell(NamedTuple):
    """A place in the table. `language` is a BCP 47 tag, `und` where visitors chose none."""

    month: Month
    site: str
    language: str


@dataclass(frozen=True, slots=True)
class PublicationRules:
    """What is small, and when a month is closed."""

    threshold: int = 10
    """Sessions; fewer are not told. Our choice, not the law's."""
    closed_after_days: int = 65
    """Days after a month's last day: longer than a kiosk may be off line and still tell."""

    def __post_init__(self) -> None:
        """ValueError where a published figure would tell more than it should."""
        if self.threshold < ROUNDED_TO or self.threshold % ROUNDED_TO:
            raise ValueError(f"threshold must be a multiple of {ROUNDED_TO}, at least that, not {self.threshold}")
        if self.closed_after_days < 0:
            raise ValueError(f"closed_after_days must be at least 0, not {self.closed_after_days}")


class PublishedCell(NamedTuple):
    """A row of the table, as it leaves and as it is kept."""

    cell: Cell
    sessions: int | None
    flag: Literal["c"] | None


def cells(month: Month, sites: Iterable[str], languages: Iterable[str]) -> frozenset[Cell]:
    """The cells of a month: all `sites` open in it by all `languages` on offer, whether anybody came or not."""
    offered = tuple(languages)
    return frozenset(Cell(month, site, language) for site in sites for language in offered)


def closing_day(month: Month, rules: PublicationRules) -> date:
    """The first day on which the month's figures may leave."""
    return month.last_day + timedelta(days=rules.closed_after_days)


def to_publish(
    wanted: Iterable[Cell],
    sessions: Mapping[Cell, int],
    published: Collection[Cell],
    today: date,
    rules: PublicationRules,
) -> tuple[PublishedCell, ...]:
    """The cells that may be published `today`, a local day, and were not yet; ordered by month, site and language.

    `sessions` are the exact figures; a cell without one has none. ValueError for a negative figure.
    """
    fresh = set(wanted) - set(published)
    ripe = sorted(cell for cell in fresh if closing_day(cell.month, rules) <= today)
    return tuple(_published(cell, sessions.get(cell, 0), rules) for cell in ripe)


def left_out(wanted: Collection[Cell], sessions: Mapping[Cell, int]) -> frozenset[Cell]:
    """Cells that have sessions and no place in the table: a language or site that the registry does not know."""
    return frozenset(cell for cell, count in sessions.items() if count) - frozenset(wanted)


def _published(cell: Cell, sessions: int, rules: PublicationRules) -> PublishedCell:
    if sessions < 0:
        raise ValueError(
            f"{sessions} sessions in {cell}: the counts are wrong, and the acts of which to count again are gone"
        )
    if sessions < rules.threshold:
        return PublishedCell(cell, None, "c")
    return PublishedCell(cell, (sessions + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO, None)
