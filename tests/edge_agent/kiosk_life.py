"""A kiosk's life with true time known: its clock, its outbox, its power, and what is wrong with each of them."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from contract import codec
from contract.events import UNNUMBERED, Fault
from contract.ids import ClockState
from edge_agent.clock import Clock
from edge_agent.clock_floor import Floor
from edge_agent.draft import UNSTAMPED, Draft, stamped
from edge_agent.outbox.errors import NotStored
from edge_agent.outbox.store import Entry, OutboxStore
from tests.edge_agent.outbox.making import in_memory, sqlite_error

BEGINS_MS = 1_795_000_000_000
HOUR_MS = 3_600_000


class Happened(NamedTuple):
    """When an event really happened, in which boot, and the floor of its time."""

    true_ms: int
    boot: int
    floor_ms: int


class Final(NamedTuple):
    """What came of it."""

    happened: Happened
    time_ms: int
    clock: ClockState


class Life:
    """`drift_ppm`: by how much its oscillator is too fast."""

    def __init__(self, drift_ppm: int = 0) -> None:
        self.drift_ppm = drift_ppm
        self.true_ms = BEGINS_MS
        self.db = in_memory()
        self.stored_ms = 0
        self.boot = 0
        self.boots = [BEGINS_MS]
        self.happened: list[Happened] = []
        self.sealed: dict[tuple[int, int], bytes] = {}
        self.worst_rtt_ms = 0
        self.power_up(0)

    # -- the machine ---------------------------------------------------------------------------------------------

    def power_up(self, wall_ms: int) -> None:
        """The machine starts, and its wall clock says this."""
        self.boot += 1
        self.booted_ms = self.true_ms
        self.boots.append(self.true_ms)
        self.synchronised = False
        self.wall_offset_ms = wall_ms
        self.start_agent()

    def start_agent(self) -> None:
        self.floor = Floor(attested_ms=BEGINS_MS - 90 * 24 * HOUR_MS, stored_ms=self.stored_ms)
        self.started_ms = self.boottime()
        self.clock = Clock(
            floor=self.floor,
            boottime=self.boottime,
            wall=lambda: self.boottime() + self.wall_offset_ms,
            synchronised=lambda: self.synchronised,
        )
        self.store = OutboxStore(self.db, max_bytes=2**30, boot=f"boot {self.boot}")
        self.db.failures = []

    def boottime(self) -> int:
        passed_ms = self.true_ms - self.booted_ms
        return passed_ms + passed_ms * self.drift_ppm // 1_000_000

    def wait(self, ms: int) -> None:
        """Time passes, in steps of at most a quarter of an hour, at each of which the agent does what it does."""
        while ms > 0:
            step_ms = min(ms, HOUR_MS // 4)
            ms -= step_ms
            self.true_ms += step_ms
            if self.synchronised:
                self.wall_offset_ms = self.true_ms - self.boottime()
            self.note_time()

    def note_time(self) -> None:
        stamp = self.clock.stamp(self.boottime())
        if stamp.final:
            self.stored_ms = stamp.time_ms

    # -- what happens to it --------------------------------------------------------------------------------------

    def ntp(self) -> None:
        """Something disciplines the clock from now on."""
        self.synchronised = True
        self.wall_offset_ms = self.true_ms - self.boottime()
        self.note_time()

    def set_date(self, by_ms: int) -> None:
        """Somebody sets the date; the kernel does not call itself synchronised then."""
        self.synchronised = False
        self.wall_offset_ms += by_ms

    def exchange(self, rtt_ms: int) -> None:
        """The hub answers."""
        sent_ms = self.boottime()
        self.true_ms += rtt_ms // 3
        hub_ms = self.true_ms
        self.true_ms += rtt_ms - rtt_ms // 3
        self.worst_rtt_ms = max(self.worst_rtt_ms, rtt_ms)
        self.clock.learn(hub_ms, sent_ms, self.boottime())
        self.note_time()

    def see(self) -> None:
        """An event."""
        at_ms = self.boottime()
        draft = Draft(at_ms, Fault(seq=UNNUMBERED, time=UNSTAMPED, code="test", reason=str(len(self.happened))))
        stamp = self.clock.stamp(at_ms)
        floor_ms = self.floor.for_stamps(at_ms - self.started_ms)
        self.happened.append(Happened(self.true_ms, self.boot, floor_ms))
        self.store.append([Entry(stamped(draft, stamp), at_ms, stamp.final)])

    def seal(self, most: int) -> int:
        """What the courier does; nothing while the time is not known."""
        return self.store.seal(self.clock.repaired_ms, most) if self.clock.certain() else 0

    def cut_while_sealing(self, *, reached_the_disk: bool) -> None:
        """The power goes at the commit, which may have got through."""
        self.db.failures, self.db.then = [sqlite_error(sqlite3.SQLITE_IOERR)], reached_the_disk
        try:
            self.seal(2)
        except NotStored:
            self.true_ms += 30_000
            self.power_up(0)
        self.db.failures = []

    # -- what became of it ---------------------------------------------------------------------------------------

    def look(self) -> None:
        """Bytes that were sealed once are never others."""
        now = self.rows(sealed=True)
        assert {key: now[key] for key in self.sealed} == self.sealed
        self.sealed = now

    def rows(self, *, sealed: bool) -> dict[tuple[int, int], bytes]:
        rows = self.db.execute("SELECT stream, seq, body FROM event WHERE sealed = ? ORDER BY stream, seq", (sealed,))
        return {(stream, seq): body for stream, seq, body in rows}

    def end(self) -> list[Final]:
        """In the end the hub is reached, and everything gets its final time. In the order in which it happened."""
        self.exchange(100)
        while self.seal(3):
            self.look()
        assert not self.store.has_unsealed()
        assert not self.rows(sealed=False)
        found: list[Final] = []
        for body in self.rows(sealed=True).values():
            event = codec.decode_event(body)
            assert isinstance(event, Fault)
            found.append(Final(self.happened[int(event.reason)], event.time, event.clock))
        assert len(found) == len(self.happened)
        return sorted(found, key=lambda final: final.happened.true_ms)
