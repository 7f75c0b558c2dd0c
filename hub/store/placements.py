"""Moving a device from place to place, without changing what was true before.

A move takes effect at a full hour, so that no hour's count is of two places. Rows and counts of the time since then, if
they are there already, go over to the new placement in the same transaction; the ledger's locks keep the ingest from
writing with the old one meanwhile, and `device.moves` tells it that what it remembers has changed. Days on record
follow in the same transaction, so that no play is told of at both places.

A placement is of one site in one province. A gate that changes its province from a day on gives the placements at it an
end there and begins new ones, at the same sites; a device that is placed for longer than its gate stays in a province
gets as many. Locks are taken in one order: catalogue (shared), gate, devices by their ids, streams by theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import psycopg

from hub.registry import strings
from hub.store.named import named
from hub.store.play_days import restate_moved
from hub.store.resolution import hold_catalogue

_ROWS: Final = ("play", "screen", "interaction", "health", "fault", "lifecycle", "loss", "visit", "visit_due")
_COUNTS: Final = ("play_hour", "interaction_hour", "health_hour", "fault_hour", "event_hour", "visit_hour")
_EVER: Final = "-infinity"


def place(
    connection: psycopg.Connection,
    device: str,
    site: str,
    since: datetime | None = None,
    now: datetime | None = None,
) -> bool:
    """Say where a device stands, in the transaction that is open; False if that is known already.

    Without `since`: from the beginning if nobody has said anything before, else from the present hour on. With it: from
    the full hour before it until the device's next placement, if there is a later one.
    """
    hold_catalogue(connection)
    if connection.execute(named("placements")["lock_gate"], {"site": site}).fetchone() is None:
        raise LookupError(strings.NO_SITE.format(site=site))
    found = connection.execute(named("placements")["lock_device"], {"device": device}).fetchone()
    if found is None:
        raise LookupError(strings.NO_DEVICE.format(device=device))
    number = found[0]
    connection.execute(named("placements")["lock_streams"], {"device": number})
    now = now or datetime.now(UTC)
    given = {"device": number, "site": site, "since": since, "now": now}
    if connection.execute(named("placements")["stands"], given).fetchone() is not None:
        return False
    begins = _EVER
    if since is not None or connection.execute(named("placements")["place_first"], given).fetchone() is None:
        begins = _move(connection, number, site, since or now)
    _settle(connection, number, begins)
    connection.execute(named("placements")["moved"], given)
    connection.execute(named("placements")["withdraw_commands"], given)
    return True


def stands_since(connection: psycopg.Connection, device: str, at: datetime) -> datetime | None:
    """Since when a device has stood where it stands at a moment; None: from the beginning."""
    row = connection.execute(named("placements")["stands_since"], {"device": device, "at": at}).fetchone()
    return None if row is None else row[0]


def lock(connection: psycopg.Connection, devices: Iterable[str]) -> None:
    """Before several devices are placed in one transaction: so no two of those that do it wait for each other."""
    hold_catalogue(connection)
    found = connection.execute(named("placements")["lock_devices"], {"devices": sorted(devices)}).fetchall()
    connection.execute(named("placements")["lock_streams_of_all"], {"devices": [row[0] for row in found]})


def lock_at(connection: psycopg.Connection, gates: Iterable[str]) -> list[int]:
    """The same before placements at several gates are settled: every device that stands there at any time."""
    hold_catalogue(connection)
    found = connection.execute(named("placements")["lock_devices_at"], {"gates": sorted(gates)}).fetchall()
    devices = [row[0] for row in found]
    connection.execute(named("placements")["lock_streams_of_all"], {"devices": devices})
    return devices


def settle(connection: psycopg.Connection, gate: str, since: str) -> None:
    """Bring placements at a gate in line with its provinces, from a full hour on (a moment as PostgreSQL writes it).

    In the transaction that has changed the gate's periods and holds the gate's row.
    """
    for device in lock_at(connection, [gate]):
        if _settle(connection, device, since):
            connection.execute(named("placements")["moved"], {"device": device})


def _move(connection: psycopg.Connection, device: int, site: str, since: datetime | str) -> str:
    """A placement from a full hour on; returns that moment."""
    given = {"device": device, "site": site, "since": since}
    ((new, old, begins, ends),) = connection.execute(named("placements")["move"], given).fetchall()
    _hand_over(connection, new, old, begins, ends)
    return str(begins)


def _settle(connection: psycopg.Connection, device: int, since: str) -> bool:
    """From this moment on, let every placement of a device say its gate's province; False if all of them do."""
    changed = False
    given = {"device": device, "since": since}
    while (found := connection.execute(named("placements")["unsettled"], given).fetchone()) is not None:
        placement, site, moment, is_beginning = found
        if is_beginning:
            connection.execute(named("placements")["settle_beginning"], {"placement": placement})
        else:
            _move(connection, device, site, moment)
        changed = True
    return changed


def _hand_over(connection: psycopg.Connection, new: int, old: int | None, since: str, until: str) -> None:
    """Give what is stored of the old placement between two moments (as PostgreSQL writes them) to the new one."""
    connection.execute(named("placements")["settle_no_visits"])
    given = {"new": new, "old": old, "since": since, "until": until}
    # While the counts are all at the old one: they tell which days of an incident go.
    connection.execute(named("placements")["hand_over_incident"], given)
    for table in (*_ROWS, *_COUNTS):
        connection.execute(named("placements")[f"hand_over_{table}"], given)
    if old is not None:
        restate_moved(connection, (old, new), since, until)
