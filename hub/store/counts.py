"""The hourly counts in the database: raised with the rows, rebuilt from them, compared with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from hub.counts.hourly import HOURLY, HourlyCount, Sums
from hub.counts.tally import Key, Tally
from hub.store.arrays import columns
from hub.store.contents import Contents
from hub.store.named import named


def raise_counts(connection: psycopg.Connection, tally: Tally, contents: Contents) -> None:
    """Add a tally, in the transaction that is open. Keys are written in order, so that workers do not deadlock."""
    for hourly in HOURLY:
        sums = tally.sums.get(hourly.kind)
        if sums:
            names = ("placement", "hour", *hourly.group, *hourly.sums)
            _raise(connection, hourly.table, names, _rows(hourly, sums, contents))
    if tally.events:
        rows = [(placement, hour, kind, events) for (placement, hour, kind), events in tally.events.items()]
        _raise(connection, "event_hour", ("placement", "hour", "kind", "events"), rows)


def _rows(hourly: HourlyCount, sums: Mapping[Key, Sums], contents: Contents) -> Iterable[tuple[Any, ...]]:
    if "content" not in hourly.group:
        return [(placement, hour, *group, *values) for (placement, hour, group), values in sums.items()]
    return [
        (placement, hour, contents.id(*content), *rest, *values)
        for (placement, hour, (content, *rest)), values in sums.items()
    ]


def _raise(connection: psycopg.Connection, table: str, names: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
    connection.execute(named("counts")[f"raise_{table}"], columns(sorted(rows), names))
