"""The plan and its groups of devices in the database: files in, all or nothing; `PlannedItem`s out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from hub.catalogue.groups import Group, read_groups
from hub.catalogue.plan_items import Known, PlannedItem, TargetKind, read_plan
from hub.compliance.plan import LanguageShare, PlanItem
from hub.people.deeds import Deed
from hub.store.catalogue import Imported
from hub.store.named import named
from hub.store.resolution import Connection

_OF_ITEM: Final = ("code", "campaign", "target_kind", "target", "topic")
_OF_RULE: Final = ("first_day", "last_day", "unit", "least", "shortest_play_ms", "screens")


def import_groups(
    connection: Connection, data: bytes, who: str = "command", now: datetime | None = None, *, preview: bool = False
) -> Imported:
    """Make groups what a file says, members included; none is removed. ImportRefused: nothing was taken."""
    with connection.transaction(force_rollback=preview):
        groups = read_groups(data, _names(connection, "devices"))
        done = _told([_put_group(connection, group) for group in groups])
        _note_import(connection, "groups_imported", "plan:groups", done, who, now)
        return done


def import_plan(connection: Connection, data: bytes, who: str, now: datetime, *, preview: bool = False) -> Imported:
    """Add and change lines of the plan as a file says; none is removed. ImportRefused: nothing was taken."""
    with connection.transaction(force_rollback=preview):
        items = read_plan(data, _known(connection))
        done = _told([_put_item(connection, item, who, now) for item in items])
        _note_import(connection, "plan_imported", "plan:items", done, who, now)
        return done


def remove_item(connection: Connection, code: str, who: str = "command", now: datetime | None = None) -> bool:
    """Take a line out of the plan; False if there is none. What was judged of it stays."""
    with connection.transaction():
        if connection.execute(named("plans")["remove_item"], {"code": code}).fetchone() is None:
            return False
        _note(connection, "plan_removed", f"plan:{code}", {}, who, now)
    return True


def plan(connection: Connection) -> list[PlannedItem]:
    """Every line."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return [planned_of(row) for row in cursor.execute(named("plans")["items"])]


def groups(connection: Connection) -> list[Group]:
    """Every group."""
    rows = connection.execute(named("plans")["groups"]).fetchall()
    return [Group(code, name_vi, tuple(devices)) for code, name_vi, devices in rows]


def devices_of(connection: Connection, kind: TargetKind, target: str) -> list[str]:
    """The devices that a target stands for now: each of them has to fulfil its lines."""
    rows = connection.execute(named("plans")["devices_of"], {"kind": kind, "target": target})
    return [row[0] for row in rows]


def planned_of(row: dict[str, Any]) -> PlannedItem:
    """From a row of the query `items`. ValueError for what nobody could mean."""
    shares = (LanguageShare(language, percent) for language, percent in sorted(row["languages"].items()))
    item = PlanItem(
        **{name: row[name] for name in _OF_RULE},
        weekdays=frozenset(row["weekdays"]),
        hours=frozenset(row["hours"]),
        languages=tuple(shares),
    )
    return PlannedItem(**{name: row[name] for name in _OF_ITEM}, contents=tuple(row["contents"] or ()), item=item)


def row_of(planned: PlannedItem) -> dict[str, Any]:
    """The columns of a line."""
    row = {name: getattr(planned, name) for name in _OF_ITEM} | {name: getattr(planned.item, name) for name in _OF_RULE}
    return row | {
        "contents": list(planned.contents) or None,
        "weekdays": sorted(planned.item.weekdays),
        "hours": sorted(planned.item.hours),
        "languages": Jsonb(dict(planned.item.languages)),
    }


def _put_group(connection: Connection, group: Group) -> bool | None:
    row = connection.execute(named("plans")["put_group"], group._asdict()).fetchone()
    given = {"code": group.code, "devices": list(group.devices)}
    members = connection.execute(named("plans")["put_members"], given).fetchone()
    if row is not None:
        return bool(row[0])
    return False if members is not None and members[0] else None


def _put_item(connection: Connection, planned: PlannedItem, who: str, now: datetime) -> bool | None:
    given = row_of(planned) | {"recorded_at": now, "recorded_by": who}
    row = connection.execute(named("plans")["put_item"], given).fetchone()
    return None if row is None else bool(row[0])


def _note_import(connection: Connection, deed: Deed, what: str, done: Imported, who: str, now: datetime | None) -> None:
    if done.added or done.changed:
        _note(connection, deed, what, {"added": done.added, "changed": done.changed}, who, now)


def _note(
    connection: Connection, deed: Deed, what: str, detail: dict[str, int], who: str, now: datetime | None
) -> None:
    given = {"now": now or datetime.now(UTC), "who": who, "deed": deed, "what": what, "detail": Jsonb(detail)}
    connection.execute(named("plans")["note"], given)


def _told(done: Sequence[bool | None]) -> Imported:
    """Of each row whether it was added; None: it was there."""
    return Imported(done.count(True), done.count(False), done.count(None))


def _known(connection: Connection) -> Known:
    targets: dict[TargetKind, Collection[str]] = {
        "site": _names(connection, "sites"),
        "device": _names(connection, "devices"),
        "group": _names(connection, "group_codes"),
    }
    topics = frozenset(row[0] for row in connection.execute(named("catalogue")["topic_codes"]))
    return Known(targets, _names(connection, "campaigns"), _names(connection, "contents"), topics)


def _names(connection: Connection, query: str) -> frozenset[str]:
    return frozenset(row[0] for row in connection.execute(named("plans")[query]))
