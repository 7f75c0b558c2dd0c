"""What is wanted of devices, as people set and ask it: configuration and commands, each change with its audit entry.

`connection` is in autocommit mode or in a block of a pool's connection.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from contract.command import Args
from hub.fleet.errors import NotCommanded
from hub.fleet.opening import of_week
from hub.fleet.orders import COMMAND_DAYS, MAX_PICTURES, PICTURE_DAYS
from hub.fleet.wanted import Settings, told, with_opening
from hub.people.deeds import Deed
from hub.people.principal import Provinces
from hub.registry.opening import Span, Week
from hub.store.named import named

Connection = psycopg.Connection[Any]
Row = dict[str, Any]
Change = Callable[[Mapping[str, Any]], Settings]
"""From what is wanted of a device to what is wanted now. Raises BadSetting."""
ConfigState = Literal["in_force", "refused", "sent", "waiting"]


class Asker(NamedTuple):
    """Who asks, for the audit log, and which devices are theirs."""

    key: str
    within: Provinces = None


class Target(NamedTuple):
    """A device, and where it stands."""

    id: int
    name: str
    site: str | None
    site_vi: str | None


class Set(NamedTuple):
    """What became of one device's configuration."""

    device: str
    revision: int | None
    """None: it was so already."""


def targets(
    connection: Connection, asker: Asker, *, name: str | None = None, province: str | None = None
) -> list[Target]:
    """Devices that stand where the asker may. NotCommanded if there are none."""
    given = {"name": name, "province": province, "provinces": _array(asker.within)}
    rows = connection.execute(named("fleet")["targets"], given).fetchall()
    if not rows:
        raise NotCommanded(f"no device {name!r} is known" if name else "no device stands there")
    return [Target(*row) for row in rows]


def configure(connection: Connection, devices: list[Target], change: Change, asker: Asker, now: datetime) -> list[Set]:
    """Change what is wanted of these devices: of all of them or, with BadSetting, of none."""
    with connection.transaction():
        return [_configure(connection, device, change, asker, now) for device in devices]


def opening_of_site(connection: Connection, device: Target) -> Change:
    """The registry's opening hours of the device's site as a change. BadSetting where it has none."""
    days: list[tuple[Span, ...] | None] = [None] * 7
    for weekday, opens, closes in connection.execute(named("fleet")["site_week"], {"device": device.id}):
        before = days[weekday - 1] or ()
        days[weekday - 1] = before if closes == 0 else (*before, Span(opens, closes))
    week: Week = tuple(days)  # type: ignore[assignment]  # of seven
    opening = of_week(week)
    return lambda settings: with_opening(settings, opening)


def configs(connection: Connection, asker: Asker, *, name: str | None = None, province: str | None = None) -> list[Row]:
    """What is wanted of devices, and what they have."""
    given = {"name": name, "province": province, "provinces": _array(asker.within)}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(named("fleet")["configs"], given).fetchall()


def give(
    connection: Connection,
    device: Target,
    name: str,
    lasts: timedelta,
    asker: Asker,
    now: datetime,
    args: Args | None = None,
) -> str:
    """Give a device a command; it goes out as soon as the device is there. Its code."""
    code = secrets.token_hex(8)
    if args is None:
        args = Args(site=(device.site_vi or "")[:200]) if name == "identify" else Args()
    given = {
        "code": code,
        "device": device.id,
        "name": name,
        "args": Jsonb(msgspec.to_builtins(args)),
        "now": now,
        "by": asker.key,
        "expires_at": now + lasts,
    }
    with connection.transaction():
        connection.execute(named("fleet")["add_command"], given)
        detail = {"command": name, "id": code, "expires_at": (now + lasts).isoformat()}
        note(connection, asker.key, "device_commanded", device.name, now, detail)
    return code


def commands(
    connection: Connection, asker: Asker, *, device: str | None = None, code: str | None = None, most: int = 100
) -> list[Row]:
    """Commands, newest first."""
    given = {"device": device, "code": code, "provinces": _array(asker.within), "most": most}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(named("fleet")["commands"], given).fetchall()


def command(connection: Connection, asker: Asker, code: str) -> Row:
    """One command. NotCommanded if there is none, or it was not given where the asker may."""
    found = commands(connection, asker, code=code, most=1)
    if not found:
        raise NotCommanded(f"no command {code!r} is known")
    return found[0]


def picture(connection: Connection, asker: Asker, code: str) -> tuple[str, bytes]:
    """Content type and bytes of the picture that a command brought. NotCommanded if there is none."""
    given = {"code": code, "provinces": _array(asker.within)}
    row = connection.execute(named("fleet")["picture"], given).fetchone()
    if row is None:
        raise NotCommanded(f"command {code!r} has brought no picture, or it is gone: they are kept {PICTURE_DAYS} days")
    return str(row[0]), bytes(row[1])


def tidy(connection: Connection, now: datetime) -> int:
    """Let pictures and commands go that are old; how many pictures."""
    given = {"most": MAX_PICTURES, "before": now - timedelta(days=PICTURE_DAYS)}
    dropped = connection.execute(named("fleet")["drop_pictures"], given).rowcount
    connection.execute(named("fleet")["drop_commands"], {"before": now - timedelta(days=COMMAND_DAYS)})
    return dropped


def note(connection: Connection, who: str, deed: Deed, device: str, now: datetime, detail: Mapping[str, Any]) -> None:
    """An entry of the audit log about a device."""
    given = {"now": now, "who": who, "deed": deed, "what": f"device:{device}", "detail": Jsonb(detail)}
    connection.execute(named("fleet")["note"], given)


def _configure(connection: Connection, device: Target, change: Change, asker: Asker, now: datetime) -> Set:
    row = connection.execute(named("fleet")["config"], {"device": device.id}).fetchone()
    known: Settings = row[0] or {} if row is not None else {}
    wanted = change(known)
    if wanted == known:
        return Set(device.name, None)
    given = {"device": device.id, "settings": Jsonb(wanted), "now": now, "by": asker.key}
    set_ = connection.execute(named("fleet")["set_config"], given).fetchone()
    revision = int(set_[0]) if set_ is not None else 0
    note(connection, asker.key, "device_configured", device.name, now, {"revision": revision, "settings": told(wanted)})
    return Set(device.name, revision)


def _array(provinces: Provinces) -> list[str] | None:
    return None if provinces is None else sorted(provinces)
