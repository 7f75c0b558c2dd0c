"""Sessions of visitors: from acts that were stored to facts and their hourly counts.

The ingest only marks a session as due. Settling reads all its acts again, makes its fact, and moves the counts by the
difference to the fact before: so acts may come in any order and as late as they like, and a fact is always that of all
acts that are stored. Facts live no longer than the acts they are made of; counts stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg

from contract.events import Interaction
from hub.counts.hourly import HOUR_MS
from hub.counts.tally import Cell
from hub.store.arrays import columns, numbers
from hub.store.moment import moment, unix_ms
from hub.store.named import named
from hub.visitors.visit import UNDETERMINED, Counts, Visit, fold

MOST_AT_ONCE: Final = 500
NO_CONTENT: Final = 0
Key = tuple[int, int]
"""Placement and session."""


class Slot(NamedTuple):
    """Where a visit counts."""

    placement: int
    hour: int
    language: str
    content: int


class Due(NamedTuple):
    """A session of which acts have come in, and the times between which all its acts lie."""

    placement: int
    session: int
    first_at: datetime
    last_at: datetime


class _Known(NamedTuple):
    """The fact that is there already."""

    began_at: datetime
    ended_at: datetime
    slot: Slot
    counts: Counts


def mark(connection: psycopg.Connection, cells: Iterable[Cell]) -> None:
    """Note the sessions of these interactions as due, in the transaction that stores them."""
    spans: dict[Key, tuple[int, int]] = {}
    for cell in cells:
        for act in cell.events:
            if isinstance(act, Interaction):
                key = (cell.placement, act.session)
                low, high = spans.get(key, (act.time, act.time))
                spans[key] = (min(low, act.time), max(high, act.time))
    if spans:
        rows = sorted((*key, *span) for key, span in spans.items())
        connection.execute(named("visits")["mark"], columns(rows, ("placement", "session", "first_ms", "last_ms")))


def settle(connection: psycopg.Connection, most: int = MOST_AT_ONCE, *, quiet_s: float = 0) -> int:
    """Make the facts of some sessions that are due, in one transaction; how many there were.

    With `quiet_s` only of those of which nothing has come in for so long: a session is then settled once, at its end.
    """
    with connection.transaction():
        connection.execute(named("visits")["alone"])
        given = {"most": most, "quiet_s": quiet_s}
        due = [Due(*row) for row in connection.execute(named("visits")["take"], given).fetchall()]
        if due:
            known = _known(connection, due)
            visits = _visits(connection, due, known)
            shown = _on_screen(connection, visits)
            _put(connection, visits, shown)
            _count(connection, visits, shown, known)
    return len(due)


def _known(connection: psycopg.Connection, due: Iterable[Due]) -> dict[Key, _Known]:
    keys = sorted((one.placement, one.session) for one in due)
    found = {}
    for placement, session, began, ended, started, duration_ms, language, views, rating, content in connection.execute(
        named("visits")["known"], columns(keys, ("placement", "session"))
    ):
        slot = Slot(placement, unix_ms(began) // HOUR_MS, language, content or NO_CONTENT)
        counts = Counts(int(started), views, duration_ms, int(rating is not None), rating or 0)
        found[placement, session] = _Known(began, ended, slot, counts)
    return found


def _visits(connection: psycopg.Connection, due: Iterable[Due], known: Mapping[Key, _Known]) -> dict[Key, Visit]:
    rows = []
    for one in due:
        before = known.get((one.placement, one.session))
        first, last = one.first_at, one.last_at
        if before is not None:
            first, last = min(first, before.began_at), max(last, before.ended_at)
        rows.append((one.placement, one.session, first.isoformat(), last.isoformat()))
    acts: dict[Key, list[Interaction]] = defaultdict(list)
    for row in connection.execute(
        named("visits")["acts"], columns(sorted(rows), ("placement", "session", "first_at", "last_at"))
    ):
        placement, session, time_ms, seq, action, target, language, duration_ms, rating = row
        acts[placement, session].append(
            Interaction(
                seq=seq,
                time=time_ms,
                session=session,
                action=action,
                target=target,
                language=language,
                duration_ms=duration_ms,
                rating=rating,
            )
        )
    return {key: visit for key, these in acts.items() if (visit := fold(these)) is not None}


def _on_screen(connection: psycopg.Connection, visits: Mapping[Key, Visit]) -> dict[Key, int]:
    keys = list(visits)
    arrays = {
        "number": numbers(range(len(keys))),
        "placement": numbers(placement for placement, _ in keys),
        "moment": [moment(visit.began_ms) for visit in visits.values()],
    }
    found = connection.execute(named("visits")["on_screen"], arrays) if keys else ()
    return {keys[number]: content for number, content in found}


def _put(connection: psycopg.Connection, visits: Mapping[Key, Visit], shown: Mapping[Key, int]) -> None:
    rows = [_row(key, visit, shown.get(key)) for key, visit in sorted(visits.items(), key=lambda item: item[0])]
    with connection.cursor() as cursor:
        cursor.executemany(named("visits")["put"], rows)


def _row(key: Key, visit: Visit, content: int | None) -> dict[str, Any]:
    return {
        "placement": key[0],
        "session": key[1],
        "began_at": moment(visit.began_ms),
        "ended_at": moment(visit.ended_ms),
        "started": visit.started,
        "duration_ms": visit.duration_ms,
        "main_language": visit.main_language or UNDETERMINED,
        "languages": list(visit.languages),
        "page_views": visit.page_views,
        "pages": sorted(visit.page_names),
        "media_plays": visit.media_plays,
        "searches": visit.searches,
        "qr_shown": visit.qr_shown,
        "rating": None if visit.rating is None else visit.rating.rating,
        "content": content,
    }


def _count(
    connection: psycopg.Connection, visits: Mapping[Key, Visit], shown: Mapping[Key, int], known: Mapping[Key, _Known]
) -> None:
    steps: dict[Slot, Counts] = defaultdict(Counts)
    for key, visit in visits.items():
        before = known.get(key)
        if before is not None:
            steps[before.slot] = steps[before.slot].minus(before.counts)
        rating = None if visit.rating is None else visit.rating.rating
        counts = Counts(int(visit.started), visit.page_views, visit.duration_ms, int(rating is not None), rating or 0)
        language = visit.main_language or UNDETERMINED
        slot = Slot(key[0], visit.began_ms // HOUR_MS, language, shown.get(key, NO_CONTENT))
        steps[slot] = steps[slot].plus(counts)
    rows = sorted((*slot, *counts) for slot, counts in steps.items() if any(counts))
    if rows:
        names = (*Slot._fields, *Counts._fields)
        connection.execute(named("visits")["add"], columns(rows, names))
