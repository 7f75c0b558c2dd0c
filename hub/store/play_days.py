"""The daily record: what was shown on local days that are over, with what it was by the catalogue, as text.

The ingest pays nothing for it: counts of a day that is not over mark nothing (a trigger's condition on `play_hour`).
Any change of a day that is over, be it late events, a moved device or counts made again, appends a mark, and so does a
change of the catalogue. Here days are closed, and marked days are recorded or restated: only what differs is written,
and a day that differs counts its statements (`restated`). A move restates days that it takes plays from, at once. Safe
to interrupt, to run again, and beside the ingest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from hub.compliance.local_time import local_date
from hub.store.named import named
from hub.store.resolution import Connection, hold_catalogue

MARGIN: Final = timedelta(hours=1)
"""So long after its end a day is closed: no transaction that saw it as today is still under way then."""
PORTION_DAYS: Final = 200
"""Days of a place in one transaction."""


@dataclass
class DaysRecorded:
    """What was done; days are of one place each."""

    through: date
    """All days up to this one are over and recorded."""
    recorded: int = 0
    restated: int = 0


def record_days(
    connection: Connection, now: datetime, tell: Callable[[str], None] = lambda _text: None
) -> DaysRecorded:
    """Record what is due. `connection` is in autocommit mode."""
    through = local_date(round((now - MARGIN).timestamp() * 1000)) - timedelta(days=1)
    connection.execute(named("play_days")["close"], {"through": through, "now": now})
    done = DaysRecorded(through)
    while _record_portion(connection, now, done):
        tell(f"daily record: {done.recorded} days recorded, {done.restated} restated")
    return done


def restate_moved(connection: Connection, placements: Sequence[int], since: str, until: str) -> None:
    """Bring the record of a device's placements in line with counts that have just gone from one to the other.

    In the transaction of the move, which holds the catalogue, for days that are on record at either. Otherwise plays
    would be in the record of the old placement and, not on record, at the new one, too. `since` and `until` are moments
    as PostgreSQL writes them.
    """
    given = {"placements": list(placements), "since": since, "until": until}
    days = [row[0] for row in connection.execute(named("play_days")["recorded"], given).fetchall()]
    if days:
        pairs = [(placement, day) for placement in placements for day in days]
        arrays = {"placements": [pair[0] for pair in pairs], "days": [pair[1] for pair in pairs]}
        connection.execute(named("play_days")["record"], arrays | {"now": datetime.now(UTC)})


def _record_portion(connection: Connection, now: datetime, done: DaysRecorded) -> bool:
    """False if there was nothing left."""
    with connection.transaction():
        hold_catalogue(connection)
        given = {"through": done.through, "most": PORTION_DAYS}
        days = connection.execute(named("play_days")["take"], given).fetchall()
        if not days:
            return False
        # A statement of its own: it sees all counts whose marks were seen, and perhaps newer ones, marked as well.
        arrays = {"placements": [row[0] for row in days], "days": [row[1] for row in days], "now": now}
        row = connection.execute(named("play_days")["record"], arrays).fetchone()
        if row is not None:
            done.recorded += row[0]
            done.restated += row[1]
    return True
