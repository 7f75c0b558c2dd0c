"""What every endpoint asks with: the pool, the hub's idea of silence, and the time."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hub.api.models import Device
from hub.config import IngestSettings
from hub.people.principal import Provinces
from hub.store.readers import Place, Reader, ReaderPool, Row, reading

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR = re.compile(r"(\d{1,17})\.(\d{1,10})\.(\d{1,16})\.(\d{1,10})", re.ASCII)


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Question:
    """Answers within one snapshot; `now` is one moment for all of them."""

    reader: Reader
    now: datetime
    silence: IngestSettings

    def devices(self, name: str | None = None, *, exact: bool) -> list[Device]:
        """Devices with their screens, by site; those of no site last. `exact`: with what counts acts of visitors."""
        rows = self.reader.devices(self.now, self.silence.alive_timeout_s, self.silence.link_timeout_s, name)
        only = rows[0]["id"] if name is not None and rows else None
        screens: dict[int, list[Row]] = defaultdict(list)
        for screen in self.reader.screens(only):
            screens[screen["device"]].append(screen)
        incidents: dict[int, dict[str, int]] = defaultdict(dict)
        for row in self.reader.open_incidents(only):
            incidents[row["device"]][row["kind"]] = row["open"]
        return [Device.from_row(row, screens[row["id"]], incidents[row["id"]], exact=exact) for row in rows]

    def live_brokers(self) -> list[str]:
        """Brokers that a live worker listens on."""
        return self.reader.live_brokers(self.now, self.silence.link_timeout_s)


@dataclass(frozen=True)
class Questions:
    """Makes one a request."""

    pool: ReaderPool
    silence: IngestSettings
    clock: Callable[[], datetime] = utc_now

    @contextmanager
    def ask(self, provinces: Provinces) -> Iterator[Question]:
        """One snapshot of the database, of which nothing outside these provinces is seen."""
        with reading(self.pool, provinces) as reader:
            yield Question(reader, self.clock(), self.silence)


def cursor_of(row: Row) -> str:
    """Where a page of plays ended. Not by the event's number: those that are missing would count acts of visitors."""
    return f"{(row['time'] - _EPOCH) // _MICROSECOND}.{row['stream_id']}.{row['play_id']}.{row['slice']}"


def place_of(cursor: str) -> Place | None:
    """What `cursor_of` made; None if it is none of ours."""
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        return None
    microseconds, stream, play_id, slice_ = (int(part) for part in match.groups())
    if max(stream, slice_) >= 2**31:
        return None
    return Place(_EPOCH + timedelta(microseconds=microseconds), stream, play_id, slice_)
