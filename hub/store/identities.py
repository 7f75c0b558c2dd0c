"""Ids of devices and streams by name, remembered; rows for those heard of for the first time are made on the way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

import psycopg

from hub.ledger.rules import StreamKey
from hub.registry.placements import Placements
from hub.store.named import named

_REMEMBERED: Final = 200_000


class StaleIdentity(Exception):
    """Try again: the database is not the one that the remembered ids are of. They are forgotten now."""


class DeviceIds(NamedTuple):
    """A device: its number, how often it has moved, and where it stood when."""

    id: int
    moves: int
    placements: Placements


class StreamIds(NamedTuple):
    """A stream and its device, as rows name them."""

    device: int
    stream: int
    moves: int
    placements: Placements


class Identities:
    """One connection's knowledge of ids. What it remembers is verified by `lock`, since a database can be restored."""

    def __init__(self) -> None:
        self._devices: dict[str, DeviceIds] = {}
        self._streams: dict[StreamKey, int] = {}

    def forget(self) -> None:
        """Remember nothing; the database may be another one."""
        self._devices.clear()
        self._streams.clear()

    def of(self, connection: psycopg.Connection, keys: Iterable[StreamKey]) -> dict[StreamKey, StreamIds]:
        """Ids of device and stream for each key. Rows that it makes are committed at once: they say nothing yet."""
        keys = list(keys)
        if len(self._streams) > _REMEMBERED:
            self.forget()
        self._learn_devices(connection, {key.device for key in keys if key.device not in self._devices})
        self._learn_streams(connection, [key for key in keys if key not in self._streams])
        found = {}
        for key in keys:
            device = self._devices[key.device]
            found[key] = StreamIds(device.id, self._streams[key], device.moves, device.placements)
        return found

    def device(self, connection: psycopg.Connection, name: str) -> int:
        """The id of one device, asked for each time: no lock verifies it, and a database can be restored."""
        self._learn_devices(connection, {name})
        return self._devices[name].id

    def _learn_devices(self, connection: psycopg.Connection, names: set[str]) -> None:
        if not names:
            return
        known = {"names": sorted(names)}
        rows = connection.execute(named("ledger")["device_ids"], known).fetchall()
        if len(rows) < len(names):
            connection.execute(named("ledger")["ensure_devices"], known)
            rows = connection.execute(named("ledger")["device_ids"], known).fetchall()
        for name, number, moves, since_ms, placements in rows:
            self._devices[name] = DeviceIds(number, moves, Placements(since_ms, placements))

    def _learn_streams(self, connection: psycopg.Connection, keys: list[StreamKey]) -> None:
        if not keys:
            return
        wanted = {(self._devices[key.device].id, UUID(key.stream)): key for key in sorted(keys)}
        arrays = {"devices": [device for device, _ in wanted], "names": [name for _, name in wanted]}
        rows = connection.execute(named("ledger")["stream_ids"], arrays).fetchall()
        if len(rows) < len(wanted):
            try:
                connection.execute(named("ledger")["ensure_streams"], arrays)
            except psycopg.errors.ForeignKeyViolation as error:
                self.forget()
                raise StaleIdentity from error
            rows = connection.execute(named("ledger")["stream_ids"], arrays).fetchall()
        for device, name, number in rows:
            self._streams[wanted[device, name]] = number
