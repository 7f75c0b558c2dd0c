"""What goes to devices and comes back, as the ingest sees it: each is taken by one worker, each answer booked once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import psycopg

from contract.command import Args, Command, Reply
from contract.config import DeviceConfig
from hub.fleet.errors import BadSetting
from hub.fleet.wanted import device_config
from hub.store.fleet import note
from hub.store.moment import moment, unix_ms
from hub.store.named import named

log = logging.getLogger(__name__)
MOST: Final = 200
"""Sent in one go."""
STALE_SENDS: Final = 4
"""So often a configuration is sent, once at each hello, before its silence is an incident."""


class Due(NamedTuple):
    """Something to be published for a device on a broker."""

    device: str
    broker: str
    message: DeviceConfig | Command
    is_stale: bool = False
    """A configuration that has been sent often enough to have been answered."""


class FleetTraffic:
    """One connection's hand on it; the connection is in autocommit mode. Raises psycopg.Error."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def hello(self, device: str, revision: int, now_ms: int) -> None:
        """A device has told which revision is in force there."""
        row = self._execute("hello", name=device, reported=revision, now=moment(now_ms)).fetchone()
        if row is not None and row[0]:
            self._close_incidents(device, now_ms)

    def answered(self, device: str, reply: Reply, now_ms: int) -> str | None:
        """Book a reply; the reason if it is a refusal of a configuration that was not known yet."""
        if reply.command is not None:
            self._answered_command(device, reply.command, reply, now_ms)
            return None
        given = {"name": device, "revision": reply.config, "detail": reply.detail, "now": moment(now_ms)}
        if reply.outcome == "applied":
            row = self._execute("config_applied", **given).fetchone()
            if row is not None and row[0]:
                self._close_incidents(device, now_ms)
            return None
        return reply.detail if self._execute("config_refused", **given).fetchone() is not None else None

    def due(self, brokers: Sequence[str], now_ms: int) -> list[Due]:
        """What this worker is to publish now; it is nobody else's for a while."""
        now = moment(now_ms)
        self._execute("expire_commands", now=now)
        given = {"brokers": list(brokers), "now": now, "most": MOST}
        configs = self._execute("take_configs", **given).fetchall()
        commands = self._execute("take_commands", **given).fetchall()
        found = []
        for name, broker, revision, settings, sends, is_refused in configs:
            try:
                config = device_config(settings, revision)
            except BadSetting as error:  # of a hub with other bounds; it costs the other devices nothing
                log.error("what is wanted of %s cannot be sent, set it anew: %s", name, error)  # noqa: TRY400
                continue
            found.append(Due(name, broker, config, is_stale=sends >= STALE_SENDS and not is_refused))
        for device, broker, code, name, args, issued_at, expires_at, has_gone in commands:
            if has_gone:
                log.info("command %s is not sent: %s stands in another province now", code, device)
                continue
            try:
                command = _command(code, name, args, unix_ms(issued_at), unix_ms(expires_at))
            except msgspec.ValidationError as error:  # the same; and who gave it is to know
                log.error("command %s for %s cannot be sent: %s", code, device, error)  # noqa: TRY400
                self._execute("command_unreadable", code=code, detail=f"it cannot be sent: {error}"[:512], now=now)
                continue
            found.append(Due(device, broker, command))
        return found

    def _answered_command(self, device: str, code: str, reply: Reply, now_ms: int) -> None:
        shot = reply.picture
        given = {
            "code": code,
            "device": device,
            "outcome": reply.outcome,
            "detail": reply.detail,
            "picture_type": shot.content_type if shot is not None else None,
            "picture": shot.body if shot is not None else None,
            "now": moment(now_ms),
        }
        with self._connection.transaction():
            row = self._execute("answer_command", **given).fetchone()
            if row is not None:
                detail = {"command": row[0], "id": code, "outcome": reply.outcome, "detail": reply.detail}
                note(self._connection, f"device:{device}", "command_answered", device, moment(now_ms), detail)

    def _close_incidents(self, device: str, now_ms: int) -> None:
        self._execute("close_config_incidents", name=device, now=moment(now_ms))

    def _execute(self, query: str, **values: object) -> psycopg.Cursor[Any]:
        return self._connection.execute(named("fleet")[query], values)


def _command(code: str, name: str, args: Any, issued_ms: int, expires_ms: int) -> Command:
    return Command(id=code, name=name, issued_ms=issued_ms, expires_ms=expires_ms, args=msgspec.convert(args, Args))
