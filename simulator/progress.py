"""What the demo shows while it runs: a line that is renewed on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from importlib.resources import files
from typing import Final, TextIO

import psycopg
from msgspec import Struct

_TERMINAL_S: Final = 1.0
_PLAIN_S: Final = 5.0
_CONNECT_S: Final = 2
_CLEAR: Final = "\r\x1b[K"


class Look(Struct, frozen=True):
    """One look at the database."""

    at_s: float
    online: int
    rows: int
    p50_ms: float | None
    p99_ms: float | None
    incidents: int = 0


class Watch:
    """Looks at the hub's database with a connection of its own, which may go and come back."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._query = (files("simulator") / "progress.sql").read_text(encoding="utf-8").encode()
        self._connection: psycopg.Connection | None = None

    def look(self) -> Look | None:
        """How it is now; None while the database cannot be asked."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    self._dsn, autocommit=True, connect_timeout=_CONNECT_S, application_name="demo"
                )
            row = self._connection.execute(self._query).fetchone()
        except psycopg.OperationalError:
            self.close()
            return None
        if row is None:
            return None
        p50_ms, p99_ms = row[2] or (None, None)
        return Look(time.monotonic(), row[0], row[1], p50_ms, p99_ms, row[3])

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Console:
    """Where the demo speaks. A renewed line gives way to every full one."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._terminal = out.isatty()
        self.every_s = _TERMINAL_S if self._terminal else _PLAIN_S
        """How often a line of progress is worth its while."""

    def say(self, text: str) -> None:
        """A line that stays."""
        self._write(f"{_CLEAR if self._terminal else ''}{text}\n")

    def renew(self, text: str) -> None:
        """A line of progress."""
        self._write(f"{_CLEAR}{text}" if self._terminal else f"{text}\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def line(now: Look | None, before: Look | None, *, running_s: float, sites: int, devices: int, waiting: int) -> str:
    """One line of progress; a dash is what cannot be known at present."""
    rate = online = p50 = p99 = incidents = "-"
    if now is not None:
        online, incidents = str(now.online), str(now.incidents)
        p50, p99 = (_seconds(value) for value in (now.p50_ms, now.p99_ms))
        if before is not None and now.at_s > before.at_s:
            rate = f"{(now.rows - before.rows) / (now.at_s - before.at_s):.1f}"
    return (
        f"{running_s:5.0f} s | {sites} sites | {online}/{devices} devices online | {rate} events/s"
        f" | screen to row p50 {p50} p99 {p99} | waiting in outboxes {waiting} | {incidents} incidents open"
    )


def _seconds(ms: float | None) -> str:
    return "-" if ms is None else f"{ms / 1000:.2f} s"
