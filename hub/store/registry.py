"""The registry in the database: files in, all or nothing; a device moved; lists out.

One change at a time: what a file would do is planned (`hub.registry.plan`) on what is known under the registry's lock,
and carried out in the same transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal, NamedTuple, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from hub.compliance.local_time import local_date
from hub.errors import ConfigError, ImportRefused
from hub.people.deeds import Deed
from hub.registry import gates, points
from hub.registry.cells import BEGINNING, LOCAL
from hub.registry.entries import Activity, Campaign, Device, Gate, Organisation, Point, Province, Site
from hub.registry.files import FileKind, kind_of
from hub.registry.known import GatePeriod, Known, KnownDevice, KnownGate, Stay
from hub.registry.opening import Day, Span, Week
from hub.registry.plan import Change, Plan, plan
from hub.store import placements
from hub.store.named import named

Connection = psycopg.Connection[Any]
Row = dict[str, Any]
_T = TypeVar("_T")
ListName = Literal["provinces", "organisations", "gates", "sites", "devices", "campaigns", "activities"]
_LOCK: Final = 0x72656769
_ATTEMPTS: Final = 5
_EVER: Final = "-infinity"


class Imported(NamedTuple):
    """What a file did. Importing it again changes nothing."""

    added: int
    changed: int
    unchanged: int


class Moved(NamedTuple):
    """What became of a device that somebody moved."""

    is_new: bool
    """False: that it stands there was known already."""
    since: datetime | None
    """From when on it stands there; None: from the beginning."""


def import_file(
    connection: Connection,
    kind: FileKind[Any],
    data: bytes,
    *,
    by: str,
    within: frozenset[str] | None = None,
    now: datetime | None = None,
) -> Plan:
    """Add and change entries as a CSV or .xlsx file says; none is removed. ImportRefused: nothing was taken.

    `by`: who does it, for the audit log; `within`: provinces that are theirs to change, None: all.
    """
    return _retried(lambda: _import(connection, kind, data, by, within, now or datetime.now(UTC)))


def preview_file(
    connection: Connection,
    kind: FileKind[Any],
    data: bytes,
    *,
    within: frozenset[str] | None = None,
    now: datetime | None = None,
) -> Plan:
    """What `import_file` would do now, with all that is wrong; nothing is changed."""
    with connection.transaction():
        return plan(kind, data, known(connection, now or datetime.now(UTC)), within)


def import_sites(connection: Connection, data: bytes, by: str = "command") -> Imported:
    """Gates with one site each, of the same code, as a file says. ImportRefused: nothing was taken."""
    return _imported(connection, "points", data, by)


def import_devices(connection: Connection, data: bytes, by: str = "command") -> Imported:
    """Register and change devices as a file says. ImportRefused: nothing was taken."""
    return _imported(connection, "devices", data, by)


def move_device(
    connection: Connection, device: str, site: str, since: datetime | None, *, by: str, now: datetime | None = None
) -> Moved:
    """Say where a device stands, as `placements.place` does. ConfigError: no such device, or no such site."""
    now = now or datetime.now(UTC)

    def move() -> Moved:
        with connection.transaction():
            _run(connection, "lock", lock=_LOCK)
            try:
                moved = placements.place(connection, device, site, since, now)
            except LookupError as error:
                raise ConfigError(error.args[0]) from None
            if moved:
                detail = {"site": site, "since": since.isoformat() if since is not None else None}
                _note(connection, by, "device_moved", f"device:{device}", now, detail)
            return Moved(moved, placements.stands_since(connection, device, since or now))

    return _retried(move)


def listed(
    connection: Connection, name: ListName, as_of: date | None = None, provinces: list[str] | None = None
) -> list[Row]:
    """One list of the registry; what belongs to each entry stands in it: periods, opening hours, placements."""
    given = {"as_of": as_of, "provinces": provinces}
    rows = _rows(connection, "registry_lists", name, given)
    for row in rows:
        row |= {part.name: [] for part in _PARTS.get(name, ())}
    by_key = {row[_KEYS[name]]: row for row in rows} if name in _KEYS else {}
    for part in _PARTS.get(name, ()):
        for found in _rows(connection, "registry_lists", part.query, given):
            whole = by_key.get(found.pop(part.key))
            if whole is not None:
                whole[part.name].append(found)
    return rows


class _Part(NamedTuple):
    """Rows of another query that belong to the entries of a list."""

    name: str
    query: str
    key: str


_KEYS: Final[dict[ListName, str]] = {"gates": "code", "sites": "code", "devices": "name"}
_PARTS: Final[dict[ListName, tuple[_Part, ...]]] = {
    "gates": (_Part("periods", "gate_periods", "gate"),),
    "sites": (_Part("opening_hours", "hours", "site"),),
    "devices": (_Part("placements", "placements", "device"),),
}


def alone(connection: Connection) -> None:
    """Until the transaction that is open ends, nobody else changes the registry."""
    _run(connection, "lock", lock=_LOCK)


# -- what is known ----------------------------------------------------------------------------------------------------


def known(connection: Connection, now: datetime) -> Known:
    """Everything that a file may name or change."""
    provinces: dict[str, list[Province]] = defaultdict(list)
    for row in _rows(connection, "registry", "known_provinces"):
        provinces[row["code"]].append(Province(**row))
    return Known(
        now=now,
        today=local_date(int(now.timestamp() * 1000)),
        provinces=provinces,
        organisations={row["agency_code"]: Organisation(**row) for row in _all(connection, "organisations")},
        gates={row["code"]: _known_gate(row) for row in _all(connection, "gates")},
        sites=_known_sites(connection),
        devices={row["name"]: _known_device(row) for row in _all(connection, "devices")},
        campaigns={row["code"]: Campaign(**row) for row in _all(connection, "campaigns")},
        activities={row["code"]: Activity(**row) for row in _all(connection, "activities")},
    )


def _known_gate(row: Row) -> KnownGate:
    periods = zip(row.pop("since"), row.pop("gate_types"), row.pop("provinces"), strict=True)
    return KnownGate(**row, periods=[GatePeriod(*period) for period in periods])


def _known_device(row: Row) -> KnownDevice:
    stays = [Stay(*stay) for stay in zip(row.pop("since"), row.pop("sites"), strict=True)]
    return KnownDevice(**row, stays=stays)


def _known_sites(connection: Connection) -> dict[str, Site]:
    spans: dict[tuple[str, int], list[Span]] = defaultdict(list)
    for row in _all(connection, "hours"):
        spans[row["site"], row["weekday"]].append(Span(row["opens_min"], row["closes_min"]))

    def day(site: str, weekday: int) -> Day:
        found = spans.get((site, weekday))
        return None if found is None else tuple(span for span in found if span != Span(0, 0))

    def week(site: str) -> Week:
        return (day(site, 1), day(site, 2), day(site, 3), day(site, 4), day(site, 5), day(site, 6), day(site, 7))

    return {row["code"]: Site(**row, hours=week(row["code"])) for row in _all(connection, "sites")}


# -- what a plan does -------------------------------------------------------------------------------------------------


def _import(
    connection: Connection, kind: FileKind[Any], data: bytes, by: str, within: frozenset[str] | None, now: datetime
) -> Plan:
    with connection.transaction():
        _run(connection, "lock", lock=_LOCK)
        holds = known(connection, now)
        planned = plan(kind, data, holds, within)
        if planned.problems:
            raise ImportRefused(planned.problems)
        _PUT[kind.name](connection, planned.changes, holds)
        if planned.changes:
            detail = {"added": planned.added, "changed": planned.changed}
            _note(connection, by, "registry_imported", f"registry:{kind.name}", now, detail)
    return planned


def _put_provinces(connection: Connection, changes: Sequence[Change], _known: Known) -> None:
    for change in changes:
        _put_province(connection, change.entry)


def _put_province(connection: Connection, province: Province) -> None:
    _run(connection, "put_province", code=province.code)
    _run(connection, "put_province_period", **province._asdict())


def _put_organisations(connection: Connection, changes: Sequence[Change], _known: Known) -> None:
    for change in changes:
        _run(connection, "put_organisation", **change.entry._asdict())


def _put_gates(connection: Connection, changes: Sequence[Change], known: Known) -> None:
    """Locks of all of them first, in the order that `placements` says."""
    moved: list[Gate] = []
    for change in changes:
        gate: Gate = change.entry
        _run(connection, "put_gate", **gate._asdict())
        former: Gate | None = change.former
        if former is None or (former.gate_type, former.province_code) != (gate.gate_type, gate.province_code):
            moved.append(gate)
    placements.lock_at(connection, [gate.code for gate in moved])
    for gate in moved:
        begins = gates.begins(gate, known)
        _run(connection, "put_gate_period", **gate._asdict(), begins=_EVER if begins == BEGINNING else begins)
        moment = _EVER if begins == BEGINNING else datetime.combine(begins, time(0), LOCAL).isoformat()
        placements.settle(connection, gate.code, moment)


def _put_sites(connection: Connection, changes: Sequence[Change], _known: Known) -> None:
    for change in changes:
        site: Site = change.entry
        _run(connection, "put_site", **site._asdict())
        _run(connection, "drop_hours", site=site.code)
        for weekday, day in enumerate(site.hours, start=1):
            closed = (Span(0, 0),) if day == () else ()
            for span in closed or day or ():
                _run(connection, "put_hours", site=site.code, weekday=weekday, **span._asdict())


def _put_points(connection: Connection, changes: Sequence[Change], known: Known) -> None:
    gate_changes = []
    for change in changes:
        point: Point = change.entry
        if point.province_code not in known.provinces:
            _put_province(connection, Province(point.province_code, None, point.province_vi, None, None))
        gate = points.gate_of(point)
        gate_changes.append(Change(change.row, change.key, gate, gates.before(gate, known)))
    _put_gates(connection, gate_changes, known)
    for change in changes:
        _run(connection, "put_point", code=change.entry.code, name_vi=change.entry.name_vi)


def _put_devices(connection: Connection, changes: Sequence[Change], known: Known) -> None:
    moved: list[Device] = []
    for change in changes:
        _run(connection, "put_device", **change.entry._asdict())
        if change.former is None or change.former.site != change.entry.site:
            moved.append(change.entry)
    placements.lock(connection, [device.name for device in moved])
    for device in moved:
        placements.place(connection, device.name, device.site, device.since, known.now)


def _put_campaigns(connection: Connection, changes: Sequence[Change], _known: Known) -> None:
    for change in changes:
        _run(connection, "put_campaign", **change.entry._asdict())


def _put_activities(connection: Connection, changes: Sequence[Change], _known: Known) -> None:
    for change in changes:
        _run(connection, "put_activity", **change.entry._asdict())


_PUT: Final[dict[str, Callable[[Connection, Sequence[Change], Known], None]]] = {
    "provinces": _put_provinces,
    "organisations": _put_organisations,
    "gates": _put_gates,
    "sites": _put_sites,
    "points": _put_points,
    "devices": _put_devices,
    "campaigns": _put_campaigns,
    "activities": _put_activities,
}


# -- inside -----------------------------------------------------------------------------------------------------------


def _imported(connection: Connection, name: str, data: bytes, by: str) -> Imported:
    done = import_file(connection, kind_of(name), data, by=by)
    return Imported(done.added, done.changed, done.unchanged)


def _retried(work: Callable[[], _T]) -> _T:
    """Again, if the ingest and we have waited for each other and PostgreSQL has chosen us to step back."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return work()
        except psycopg.errors.DeadlockDetected:
            continue
    return work()


def _all(connection: Connection, name: str) -> list[Row]:
    return _rows(connection, "registry", f"known_{name}")


def _run(connection: Connection, query: str, **values: Any) -> None:
    connection.execute(named("registry")[query], values)


def _rows(connection: Connection, file: str, query: str, values: Row | None = None) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(named(file)[query], values or {}).fetchall()


def _note(connection: Connection, who: str, deed: Deed, what: str, now: datetime, detail: Row) -> None:
    _run(connection, "note", now=now, who=who, deed=deed, what=what, detail=Jsonb(detail))
