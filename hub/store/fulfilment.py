"""Whether what was planned was shown: evidence out of the tables, judgement by `hub.compliance`, results back.

A local day is judged for every place where a device stood on it, as soon as what tells of its end can have come in;
again when something comes in for it, when the device is moved, when the catalogue or the plan changes. While a device
has not spoken since, its day waits for the first later sign of life, which the chore looks for. What is judged is one
device at a time; a plan for a site or a group asks each of its devices. On the day of a move each place is judged for
the time for which the device stood there, all of them at once. Once evidence of a day has expired, its results stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from contract.events import Facts
from contract.ranges import RangeSet
from hub.catalogue.plan_items import PlannedItem
from hub.compliance.coverage import (
    Coverage,
    CoverageRules,
    Missing,
    MissingReason,
    Presence,
    Seen,
    Unknown,
    coverage,
    heard_of,
    missing_of,
)
from hub.compliance.fulfilment import Fulfilment, Slice, fulfilments
from hub.compliance.intervals import Interval, Intervals
from hub.compliance.local_time import HOUR_MS, local_date
from hub.compliance.plan import stayed, windows
from hub.compliance.proof import proof
from hub.config.storage import JUDGED_DAYS
from hub.grade import Grade
from hub.store import multirange
from hub.store.moment import moment, unix_ms
from hub.store.named import named
from hub.store.plans import plan

MARGIN: Final = timedelta(hours=1)
"""So long after all that tells of its end a day is judged: no transaction that saw it as today is still under way."""
REACH_DAYS: Final = JUDGED_DAYS
"""A hub that has never judged begins so many days ago; a change of plan or catalogue reaches as far."""
WHOLE_DAY: Final = -1
MOST_AT_ONCE: Final = 20
DEFAULT_RULES: Final = CoverageRules()
Connection = psycopg.Connection[Any]
Streams = Mapping[int, Sequence[Seen]]
"""Stored events by stream."""


class Place(NamedTuple):
    """A device where it stood, for which part of a day, and all its placements."""

    placement: int
    day: date
    device: int
    name: str
    site: str | None
    placements: list[int]
    begin_ms: int
    end_ms: int

    @property
    def stay(self) -> Interval:
        """Empty if it did not stand there on this day."""
        return Interval(self.begin_ms, max(self.begin_ms, self.end_ms))


class Shown(NamedTuple):
    """A slice of an approved content."""

    slice: Slice
    code: str
    topic: str


def close_days(connection: Connection, now: datetime, rules: CoverageRules = DEFAULT_RULES) -> None:
    """Hand the days that are over to those that are due, and those of the last weeks if plan or catalogue changed."""
    through = _through(now, rules)
    connection.execute(named("fulfilment")["close_days"], {"through": through, "reach_days": REACH_DAYS})
    connection.execute(named("fulfilment")["heard_again"])
    given = {"first": through - timedelta(days=REACH_DAYS - 1), "last": through}
    connection.execute(named("fulfilment")["again"], given)


def judge_some(connection: Connection, rules: CoverageRules, minimum: Grade, now: datetime) -> int:
    """Judge some of the days that are due, in one transaction; how many there were, of one device each."""
    with connection.transaction():
        given = {"most": MOST_AT_ONCE, "through": _through(now, rules)}
        places = [Place(*row) for row in connection.execute(named("fulfilment")["take"], given).fetchall()]
        items = plan(connection) if places else []
        for place in places:
            if place.site is not None:
                _judge(connection, place, items, rules, minimum, now)
    return len({(place.device, place.day) for place in places})


def _through(now: datetime, rules: CoverageRules) -> date:
    """Days up to this one can be judged: an agent that is on line has told all that their ends need."""
    return local_date(unix_ms(now - MARGIN) - rules.reach_ms - rules.tolerance_ms) - timedelta(days=1)


def _judge(
    connection: Connection,
    place: Place,
    items: Sequence[PlannedItem],
    rules: CoverageRules,
    minimum: Grade,
    now: datetime,
) -> None:
    if not place.stay.length_ms:  # It has been moved: of this day there is nothing to tell here.
        if not _expired(connection, place, rules):
            _forget(connection, place, None)
        return
    heard = _heard(connection, place, rules)
    known = _coverage(connection, place, heard, rules)
    mine = [item for item in items if _asks(connection, item, place)]
    shown = _shown(connection, place, rules, minimum) if mine else []
    doubt = known.doubt
    if _expired(connection, place, rules):  # Asked after the evidence was read: what has gone meanwhile is told of.
        doubt = Intervals.between(*place.stay)
    else:
        unknown = _within(known.unknown, place.stay)
        _forget(connection, place, items)
        _put_unknown(connection, place, unknown)
        _wait(connection, place, heard, unknown)
    for item in mine:
        slices = [one.slice for one in shown if one.code in item.contents or (item.topic and one.topic == item.topic)]
        asked = stayed(item.item, windows(item.item, place.day, place.day), place.stay)
        for result in fulfilments(*asked, slices, doubt):
            _put_result(connection, place, item, result, now)


def _expired(connection: Connection, place: Place, rules: CoverageRules) -> bool:
    """Whether evidence of a stay has gone by its age: what was judged stays then, and what was not is unknown."""
    row = connection.execute(named("fulfilment")["expired"], _around(place, rules)).fetchone()
    return row is not None and bool(row[0])


def _forget(connection: Connection, place: Place, items: Sequence[PlannedItem] | None) -> None:
    """Results of these lines: those of lines that are not in the plan any more stay. None: all, it was not there."""
    connection.execute(named("fulfilment")["forget_unknown"], place._asdict())
    codes = None if items is None else [item.code for item in items]
    connection.execute(named("fulfilment")["forget_results"], place._asdict() | {"items": codes})


def _asks(connection: Connection, item: PlannedItem, place: Place) -> bool:
    """Whether a line of the plan asks this device for something on this day."""
    if not item.item.first_day <= place.day <= item.item.last_day:
        return False
    if item.target_kind == "device":
        return bool(item.target == place.name)
    if item.target_kind == "site":
        return item.target == place.site
    groups = connection.execute(named("fulfilment")["groups_of"], {"device": place.device}).fetchall()
    return (item.target,) in groups


def _heard(connection: Connection, place: Place, rules: CoverageRules) -> Streams:
    around = _around(place, rules)
    streams: dict[int, list[Seen]] = defaultdict(list)
    for query in ("seen", "after"):
        for stream, seq, time_ms in connection.execute(named("fulfilment")[query], around).fetchall():
            streams[stream].append(Seen(seq, time_ms))
    return streams


def _wait(connection: Connection, place: Place, streams: Streams, unknown: Sequence[Unknown]) -> None:
    """While the rest of a day may still come, the day is due again at the next sign of life."""
    if any("late" in piece.reasons for piece in unknown):
        newest_ms = max((one.time_ms for events in streams.values() for one in events), default=place.end_ms)
        given = {"placement": place.placement, "day": place.day, "heard": moment(max(newest_ms, place.end_ms))}
        connection.execute(named("fulfilment")["wait"], given)


def _coverage(connection: Connection, place: Place, streams: Streams, rules: CoverageRules) -> Coverage:
    """Of the stay and a little around it: the rest of a play that begins in it may lie after its end."""
    more_ms = rules.reach_ms + rules.tolerance_ms
    span = Interval(place.begin_ms - more_ms, place.end_ms + more_ms)
    rows = connection.execute(named("fulfilment")["online"], _around(place, rules)).fetchall()
    presence = [Presence("online", begin_ms, end_ms) for begin_ms, end_ms in rows]
    by_name = {str(stream): events for stream, events in streams.items()}
    return coverage(span, heard_of(by_name, rules), _missing(connection, streams), presence, rules)


def _within(unknown: Iterable[Unknown], stay: Interval) -> list[Unknown]:
    """What is unknown of a stay."""
    cut = (
        piece._replace(begin_ms=max(piece.begin_ms, stay.begin_ms), end_ms=min(piece.end_ms, stay.end_ms))
        for piece in unknown
    )
    return [piece for piece in cut if piece.begin_ms < piece.end_ms]


def _missing(connection: Connection, streams: Streams) -> list[Missing]:
    """Numbers that are not stored next to those that were read, of the same streams.

    Others are of other times; a stream of which nothing at all is stored is silence.
    """
    found: list[Missing] = []
    rows = connection.execute(named("fulfilment")["accounts"], {"streams": list(streams)}).fetchall()
    for stream, committed_text, lost_text in rows:
        events = sorted(streams[stream])
        near = RangeSet([(max(events[0].seq - 1, 1), events[-1].seq + 1)])
        committed, lost = multirange.from_sql(committed_text), multirange.from_sql(lost_text)
        highest = max((last for numbers in (committed, lost) for _, last in numbers), default=0)
        holes = RangeSet([(1, highest)]).minus(committed).minus(lost)
        reasons: list[tuple[MissingReason, RangeSet]] = [("hole", holes), ("declared_loss", lost.minus(committed))]
        for reason, numbers in reasons:
            found += missing_of(str(stream), events, numbers.common(near).spans(), reason)
    return found


def _shown(connection: Connection, place: Place, rules: CoverageRules, minimum: Grade) -> list[Shown]:
    """Of the device, wherever it stood: a play goes on while it is moved, and counts where it began."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(named("fulfilment")["slices"], _around(place, rules)).fetchall()
    return [_shown_of(row, minimum) for row in rows]


def _shown_of(row: Mapping[str, Any], minimum: Grade) -> Shown:
    facts = Facts(**{name: row[name] for name in Facts.__struct_fields__})
    time = Interval(row["time_ms"] - row["duration_ms"], row["time_ms"])
    one = Slice(row["play_id"], row["slice"], time, proof(facts, minimum), row["language"])
    return Shown(one, row["code"], row["topic"])


def _around(place: Place, rules: CoverageRules) -> dict[str, Any]:
    """Evidence is read from so long before and after: longer than a slice and than the tolerance."""
    more_ms = HOUR_MS + rules.reach_ms + rules.tolerance_ms
    times = {"first": moment(place.begin_ms - more_ms), "last": moment(place.end_ms + more_ms)}
    return {"placements": place.placements, "device": place.device, **times}


def _put_unknown(connection: Connection, place: Place, unknown: Sequence[Unknown]) -> None:
    rows = [
        {
            "placement": place.placement,
            "day": place.day,
            "begins": moment(piece.begin_ms),
            "ends": moment(piece.end_ms),
            "reasons": sorted(piece.reasons),
        }
        for piece in unknown
    ]
    with connection.cursor() as cursor:
        cursor.executemany(named("fulfilment")["put_unknown"], rows)


def _put_result(connection: Connection, place: Place, item: PlannedItem, result: Fulfilment, now: datetime) -> None:
    languages = {
        part.language: {"required": part.required, "shown": part.shown, "at_most": part.at_most}
        for part in result.languages
    }
    given = {
        "item": item.code,
        "placement": place.placement,
        "day": place.day,
        "hour": WHOLE_DAY if result.window.hour is None else result.window.hour,
        "result": result.result,
        "required": result.total.required,
        "shown": result.total.shown,
        "at_most": result.total.at_most,
        "shown_ms": result.shown_ms,
        "unknown_ms": result.unknown.length_ms,
        "languages": Jsonb(languages),
        "now": now,
    }
    connection.execute(named("fulfilment")["put_result"], given)
