"""What the database says: the rows of one device, in the order in which its agent wrote them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import args_row

from tests.patience import until

_ORDER: Final = "JOIN device d ON d.id = e.device WHERE d.name = %s ORDER BY e.stream, e.seq"
_PLAYS: Final = f"""
    SELECT play_id, slice, content_ref, encode(content_sha256, 'hex'), duration_ms, status::text, reported, rendering,
           panel::text, screen, player FROM play e JOIN shown_content c ON c.id = e.content {_ORDER}"""
_ACTS: Final = f"SELECT session, action::text, target, language, duration_ms, rating FROM interaction e {_ORDER}"
_FAULTS: Final = f"SELECT code, reason, component FROM fault e {_ORDER}"
_LIFE: Final = f"SELECT action::text FROM lifecycle e {_ORDER}"


class Slice(NamedTuple):
    """One row of `play`."""

    play_id: int
    number: int
    ref: str
    sha256: str | None
    duration_ms: int
    status: str
    reported: bool | None
    rendering: bool | None
    panel: str
    screen: str
    player: str


class Act(NamedTuple):
    """One row of `interaction`."""

    session: int
    action: str
    target: str | None
    language: str | None
    duration_ms: int | None
    rating: int | None


class Fault(NamedTuple):
    """One row of `fault`."""

    code: str
    reason: str
    component: str | None


class Seen:
    """All that is stored of one device."""

    def __init__(self, connection: psycopg.Connection, device: str) -> None:
        self._connection, self.device = connection, device

    def slices(self, ref: str | None = None) -> list[Slice]:
        """Rows of `play`, of one content or all."""
        with self._connection.cursor(row_factory=args_row(Slice)) as cursor:
            found = cursor.execute(_PLAYS.encode(), (self.device,)).fetchall()
        return [row for row in found if ref is None or row.ref == ref]

    def contents(self) -> list[str]:
        """Contents in the order in which their plays began."""
        return [row.ref for row in self.slices() if row.number == 0]

    def acts(self) -> list[Act]:
        """Rows of `interaction`."""
        with self._connection.cursor(row_factory=args_row(Act)) as cursor:
            return cursor.execute(_ACTS.encode(), (self.device,)).fetchall()

    def faults(self) -> list[Fault]:
        """Rows of `fault`."""
        with self._connection.cursor(row_factory=args_row(Fault)) as cursor:
            return cursor.execute(_FAULTS.encode(), (self.device,)).fetchall()

    def codes(self) -> list[str]:
        """Codes of the faults."""
        return [fault.code for fault in self.faults()]

    def life(self) -> list[str]:
        """Actions of `lifecycle`."""
        return [row[0] for row in self._connection.execute(_LIFE.encode(), (self.device,))]

    def incidents(self) -> list[tuple[str, Any]]:
        """Kind and detail of each."""
        query = "SELECT i.kind, i.detail FROM incident i JOIN device d ON d.id = i.device WHERE d.name = %s"
        return [(row[0], row[1]) for row in self._connection.execute(query, (self.device,))]

    def wait_for(self, ref: str, true: Callable[[Slice], object], what: str) -> Slice:
        """The first row of this content of which `true` holds, once there is one."""
        until(lambda: any(true(row) for row in self.slices(ref)), f"a play of {ref} that {what}: {self}")
        return next(row for row in self.slices(ref) if true(row))

    def wait_for_fault(self, code: str) -> Fault:
        """The first fault of this code, once there is one."""
        until(lambda: code in self.codes(), f"a fault {code}")
        return next(fault for fault in self.faults() if fault.code == code)

    def __repr__(self) -> str:
        return "\n".join(str(row) for row in [*self.slices(), *self.faults()])


def check_plays(slices: Sequence[Slice]) -> None:
    """What holds of all plays: slices from 0 on of one content, only the last has ended, the first has no time."""
    by_play: dict[int, list[Slice]] = {}
    for row in slices:
        by_play.setdefault(row.play_id, []).append(row)
    for rows in by_play.values():
        assert [row.number for row in rows] == list(range(len(rows))), rows
        assert len({row.ref for row in rows}) == 1, rows
        assert rows[0].duration_ms == 0, rows
        assert all(row.status == "running" for row in rows[:-1]), rows


def shown_ms(slices: Sequence[Slice], *, rendering: bool | None) -> int:
    """Time under this fact."""
    return sum(row.duration_ms for row in slices if row.rendering is rendering)
