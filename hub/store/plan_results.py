"""How the plan stands, window by window or counted: what `hub.store.fulfilment` has judged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from hub.compliance.fulfilment import Result
from hub.store.named import named

Row = dict[str, Any]
Connection = psycopg.Connection[Any]


class ResultFilter(NamedTuple):
    """Which windows: of local days, both included; None: any."""

    first_day: date
    last_day: date
    item: str | None = None
    device: str | None = None
    site: str | None = None
    result: Result | None = None


class ResultPlace(NamedTuple):
    """A place in the order of windows: the last one of a page."""

    day: date
    item: str
    placement: int
    hour: int


def page_of(wanted: ResultFilter, limit: int | None = None, after: ResultPlace | None = None) -> Mapping[str, Any]:
    """What the query `results` is given, but for the provinces."""
    place = after._asdict() if after is not None else dict.fromkeys(ResultPlace._fields)
    first_day = wanted.first_day if after is None else max(wanted.first_day, after.day)
    given = wanted._replace(first_day=first_day)._asdict()
    return given | {"limit": limit} | {f"after_{name}": value for name, value in place.items()}


def results(connection: Connection, wanted: ResultFilter) -> list[Row]:
    """Windows of all provinces, oldest first."""
    return _rows(connection, "results", page_of(wanted))


def summary(connection: Connection, wanted: ResultFilter) -> list[Row]:
    """How many windows of each line stand how, in all provinces; `wanted.result` says nothing here."""
    return _rows(connection, "summary", wanted._asdict())


def _rows(connection: Connection, query: str, given: Mapping[str, Any]) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(named("plan_results")[query], {**given, "provinces": None}).fetchall()
