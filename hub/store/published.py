"""Figures of visitors that leave the province: which are due, and how they are written down, once and for good.

The rules are `hub.visitors.published`; here is what they are asked with. Cells are those of sites whose kiosks told
anything in the month, but for acts of visitors, by all languages on offer. The database refuses to change what is out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg

from hub.compliance.local_time import local_date
from hub.store.moment import unix_ms
from hub.store.named import named
from hub.store.visits import settle
from hub.visitors.published import (
    Cell,
    Month,
    PublicationRules,
    PublishedCell,
    cells,
    closing_day,
    left_out,
    to_publish,
)

Connection = psycopg.Connection[Any]


class Publication(NamedTuple):
    """What has gone out, or would."""

    cells: tuple[PublishedCell, ...]
    left_out: dict[Cell, int]
    """Sessions of these months that have no place in the table; the site is '' where nobody has said where."""


def publish(
    connection: Connection, rules: PublicationRules, languages: Sequence[str], now: datetime, *, dry_run: bool = False
) -> Publication:
    """Publish what is due and was not yet; a dry run publishes nothing, and says what is.

    `connection` is in autocommit mode. ValueError if counts are below zero: they are wrong and nothing goes out.
    """
    while settle(connection):
        pass
    with connection.transaction():
        if not dry_run:
            connection.execute(named("published")["lock"])
        today = local_date(unix_ms(now))
        provinces = _sites(connection, today)
        wanted = _wanted(provinces, languages)
        known = _published(connection)
        due = sorted({cell.month for cell in wanted - known if closing_day(cell.month, rules) <= today})
        sessions = _sessions(connection, due)
        fresh = to_publish(wanted, sessions, known, today, rules)
        if not dry_run:
            _put(connection, fresh, provinces, now)
    return Publication(fresh, {cell: sessions[cell] for cell in sorted(left_out(wanted, sessions))})


def _sites(connection: Connection, until: date) -> dict[tuple[Month, str], str]:
    """Provinces by month and site."""
    rows = connection.execute(named("published")["sites"], {"until": until})
    return {(_month(month), site): province for month, site, province in rows}


def _wanted(open_sites: Iterable[tuple[Month, str]], languages: Sequence[str]) -> frozenset[Cell]:
    return frozenset().union(*(cells(month, [site], languages) for month, site in open_sites))


def _published(connection: Connection) -> frozenset[Cell]:
    rows = connection.execute(named("published")["published"])
    return frozenset(Cell(_month(month), site, language) for month, site, language in rows)


def _sessions(connection: Connection, months: Iterable[Month]) -> dict[Cell, int]:
    rows = connection.execute(named("published")["sessions"], {"months": [date(*month, 1) for month in months]})
    return {Cell(_month(month), site, language): sessions for month, site, language, sessions in rows}


def _put(
    connection: Connection, fresh: Iterable[PublishedCell], provinces: Mapping[tuple[Month, str], str], now: datetime
) -> None:
    rows = [
        {
            "month": date(*one.cell.month, 1),
            "site": one.cell.site,
            "language": one.cell.language,
            "province_code": provinces[one.cell.month, one.cell.site],
            "sessions": one.sessions,
            "flag": one.flag,
            "now": now,
        }
        for one in fresh
    ]
    with connection.cursor() as cursor:
        cursor.executemany(named("published")["put"], rows)


def _month(first_day: date) -> Month:
    return Month(first_day.year, first_day.month)
