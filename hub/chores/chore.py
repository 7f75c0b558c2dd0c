"""What a chore is, and when it is due. Without I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final, Protocol

import psycopg

from hub.config import HubSettings
from hub.store.chores import MAIN

LOCAL: Final = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Vietnam's time, which knows no summer."""
Do = Callable[[psycopg.Connection[Any], HubSettings, datetime], bool]
"""Does a part of the work in transactions of its own; true if there is more to do at once."""
GoOn = Callable[[], bool]
"""False once the hub is to end."""


def always() -> bool:
    """Go on whatever happens."""
    return True


class DoWhile(Protocol):
    """As `Do`, and looks between its steps whether to go on."""

    def __call__(
        self, connection: psycopg.Connection[Any], settings: HubSettings, now: datetime, go_on: GoOn = always, /
    ) -> bool:
        """True if there is more to do at once."""


@dataclass(frozen=True)
class Chore:
    """Something that is done again and again."""

    name: str
    every: timedelta
    do: Do
    by_night: bool = False
    """Rather between 1 and 5 o'clock local time: it is noticed that it works."""
    lane: str = MAIN
    """Chores of one lane are done one after the other; lanes do not wait for each other."""

    def part(self, connection: psycopg.Connection[Any], settings: HubSettings, now: datetime, _go_on: GoOn) -> bool:
        """Do a part of it; true if there is more to do at once."""
        return self.do(connection, settings, now)

    def is_due(self, done_at: datetime | None, now: datetime) -> bool:
        """Whether it is time. By day a nightly chore is done only if it was due in the last night and not done then."""
        if done_at is None:
            return True
        if not self.by_night:
            return now - done_at >= self.every
        return _latest_night(now) - done_at >= self.every - timedelta(hours=8)


@dataclass(frozen=True)
class LongChore(Chore):
    """One whose part may take long for reasons that are not the hub's: it is asked to end between two steps."""

    do: DoWhile

    def part(self, connection: psycopg.Connection[Any], settings: HubSettings, now: datetime, go_on: GoOn) -> bool:
        """Do a part of it; true if there is more to do at once."""
        return self.do(connection, settings, now, go_on)


def _latest_night(now: datetime) -> datetime:
    """The latest moment that is not after now and of a night, between 1 and 5 o'clock."""
    local = now.astimezone(LOCAL)
    if 1 <= local.hour < 5:
        return now
    morning = local.replace(hour=5, minute=0, second=0, microsecond=0)
    return morning if local >= morning else morning - timedelta(days=1)
