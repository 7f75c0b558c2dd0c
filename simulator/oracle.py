"""The judge of demo, tests and chaos: what the sources say of themselves beside what the database holds.

A run passes when: accepted minus declared losses is stored, nothing is stored that was not intended (field by field),
and nothing is stored twice. Journals and database are read one after the other, so every source has to rest, and what
was sent has to be committed.

An event that was accepted is known by its stream and number; one whose process was killed before it could note that is
known by its content. Loss events are made inside the outbox and are in no journal: they have to say the same as the
ledger. Rows in `rejected` are stored. A row of a device without a journal is foreign.
"""

from __future__ import annotations

import argparse
import math
import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import psycopg
from msgspec import Struct

from contract.events import KINDS, Kind
from contract.ranges import RangeSet
from simulator import fingerprint
from simulator.claims import Claim, Claims, Measured, device_of
from simulator.errors import SimulatorError
from simulator.journal import read
from simulator.stored_events import Row, StoredEvents

SCREEN_KINDS: Final[tuple[Kind, ...]] = ("play", "screen")
"""What tells of a change on a screen: the delay that is promised is theirs."""
EXAMPLES: Final = 20


class Delay(Struct, frozen=True):
    """From the moment of the change to the commit of its row, in ms, of devices that were online."""

    events: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None


class Verdict(Struct, frozen=True, kw_only=True):
    """What was found; all counts are of events. `examples` names up to 20 of each kind of damage."""

    produced: int
    """Accepted: append had returned."""
    stored: int
    """Different events in the database, loss events among them."""
    lost: int
    """Accepted, and neither stored nor declared."""
    duplicated: int
    foreign: int
    """Stored, and never intended, or with another content."""
    contradicted: int
    """Declared lost and stored all the same, or declared in a loss event and not in the ledger, or the reverse."""
    declared: int
    """Numbers that the ledger holds as declared lost."""
    rejected: int
    """Of those stored: kept as bytes because the hub could not read them."""
    unanswered: int
    """Of those stored: their process was killed before it could note that they were accepted."""
    delay_ms_p50: float | None
    """Of `play` and `screen`; None where the server does not track commits or nothing was measured."""
    delay_ms_p99: float | None
    online_events: int
    """How many events these two are of."""
    delay_by_kind: dict[str, Delay]
    """Kinds that end by silence (a visitor's session) tell of a moment long past, by design."""
    excluded: dict[str, int]
    """Accepted events of all kinds that were not measured, by reason: warm_up, offline, leaving."""
    examples: dict[str, list[str]]

    @property
    def ok(self) -> bool:
        """Nothing lost in silence, nothing twice, nothing invented."""
        return not (self.lost or self.duplicated or self.foreign or self.contradicted)


def judge(dsn: str, journals: Iterable[Path], *, measure_from_ms: int = 0) -> Verdict:
    """The verdict over all journals. Changes before `measure_from_ms` (Unix ms) are left out of the delays.

    Raises JournalError, StoredEventsError, and psycopg.Error if the database cannot be read.
    """
    by_device: dict[str, list[Path]] = defaultdict(list)
    for journal in sorted(journals):
        by_device[device_of(journal)].append(journal)
    tally = _Tally(measure_from_ms)
    with StoredEvents(dsn) as database:
        for device, files in by_device.items():
            claims = Claims(device)
            for file in files:
                claims.take(read(file))
            _Comparison(claims, database, tally).run()
        strangers = database.count() - tally.rows
    if strangers:
        tally.damage("foreign", f"{strangers} rows of devices without a journal", strangers)
    return tally.verdict()


class _Tally:
    """Sums over all devices."""

    def __init__(self, measure_from_ms: int) -> None:
        self.measure_from_ms = measure_from_ms
        self.counts: Counter[str] = Counter()
        self.rows = 0
        self._examples: dict[str, list[str]] = defaultdict(list)
        self._delays: dict[Kind, array[float]] = {kind: array("f") for kind in KINDS}
        self._excluded: Counter[Measured] = Counter()

    def damage(self, what: str, example: str, times: int = 1) -> None:
        """Something that must not be."""
        self.counts[what] += times
        if len(self._examples[what]) < EXAMPLES:
            self._examples[what].append(example)

    def delay(self, claim: Claim, committed_ms: float | None, measured: Measured) -> None:
        """One event that was both accepted and stored."""
        if measured != "measured":
            self._excluded[measured] += 1
        elif committed_ms is not None:
            self._delays[claim.kind].append(committed_ms - claim.changed_ms)

    def verdict(self) -> Verdict:
        counts = self.counts
        screens = _delay([self._delays[kind] for kind in SCREEN_KINDS])
        return Verdict(
            produced=counts["produced"],
            stored=counts["stored"],
            lost=counts["lost"],
            duplicated=counts["duplicated"],
            foreign=counts["foreign"],
            contradicted=counts["contradicted"],
            declared=counts["declared"],
            rejected=counts["rejected"],
            unanswered=counts["unanswered"],
            delay_ms_p50=screens.p50_ms,
            delay_ms_p99=screens.p99_ms,
            online_events=screens.events,
            delay_by_kind={kind: _delay([found]) for kind, found in self._delays.items() if found},
            excluded={str(reason): count for reason, count in self._excluded.items()},
            examples=dict(self._examples),
        )


class _Comparison:
    """One device: its claims beside its rows."""

    def __init__(self, claims: Claims, database: StoredEvents, tally: _Tally) -> None:
        self._claims, self._database, self._tally = claims, database, tally
        self._seen: dict[str | None, set[int]] = defaultdict(set)
        self._unanswered = claims.unanswered.copy()
        self._lost = database.lost(claims.device)

    def run(self) -> None:
        """Compare everything."""
        device, counts = self._claims.device, self._tally.counts
        counts["produced"] += self._claims.count()
        for stream, seq in self._claims.twice:
            self._damage("foreign", stream, seq, "one number was given to two events")
        for kind in fingerprint.FIELDS:
            for row in self._database.events(device, kind):
                self._see_event(row)
        for row in self._database.rejected(device):
            self._see_event(row)
            counts["rejected"] += 1
        self._see_losses()
        self._find_lost()
        counts["stored"] += sum(map(len, self._seen.values()))
        counts["declared"] += sum(numbers.count() for numbers in self._lost.values())

    def _see_event(self, row: Row) -> None:
        if not self._first(row.stream, row.seq):
            return
        claim = self._claims.accepted.get(row.stream or "", {}).get(row.seq)
        if claim is not None:
            if row.digest is not None and row.digest != claim.digest:
                self._damage("foreign", row.stream, row.seq, f"this {claim.kind} differs from what was accepted")
            measured = self._claims.measured(claim, self._tally.measure_from_ms)
            self._tally.delay(claim, row.committed_ms, measured)
        elif row.digest is not None and self._unanswered[row.digest] > 0:
            self._unanswered[row.digest] -= 1
            self._tally.counts["unanswered"] += 1
        else:
            self._damage("foreign", row.stream, row.seq, "was never intended")

    def _first(self, stream: str | None, seq: int) -> bool:
        """Count a row; whether it is the first at its position."""
        self._tally.rows += 1
        numbers = self._seen[stream]
        if seq in numbers:
            self._damage("duplicated", stream, seq, "is stored more than once")
            return False
        numbers.add(seq)
        if stream in self._lost and seq in self._lost[stream]:
            self._damage("contradicted", stream, seq, "is declared lost, and stored")
        return True

    def _see_losses(self) -> None:
        """What loss events declare and what the ledger holds are the same, but for what arrived all the same."""
        told: dict[str, RangeSet] = defaultdict(RangeSet)
        for loss in self._database.losses(self._claims.device):
            if self._first(loss.stream, loss.seq) and loss.seq in self._claims.accepted.get(loss.stream or "", {}):
                self._damage("foreign", loss.stream, loss.seq, "a loss event stands where another was accepted")
            told[loss.lost_stream].update(loss.numbers)
        for stream in told.keys() | self._lost.keys():
            booked, said = self._lost.get(stream, RangeSet()), told.get(stream, RangeSet())
            missing = said.minus(booked).minus(RangeSet.of(self._seen.get(stream, ())))
            for wrong, why in ((missing, "not in the ledger"), (booked.minus(said), "in no loss event")):
                for first, last in wrong:
                    self._damage(
                        "contradicted", stream, first, f"to {last}: declared lost, but {why}", last - first + 1
                    )

    def _find_lost(self) -> None:
        for stream, numbers in self._claims.accepted.items():
            seen, declared = self._seen.get(stream, set()), self._lost.get(stream, RangeSet())
            for seq, claim in numbers.items():
                if seq not in seen and seq not in declared:
                    self._damage("lost", stream, seq, f"{claim.kind} accepted at {claim.accepted_ms} is not stored")

    def _damage(self, what: str, stream: str | None, seq: int, text: str, times: int = 1) -> None:
        self._tally.damage(what, f"{self._claims.device} {stream} {seq}: {text}", times)


def _delay(parts: Sequence[array[float]]) -> Delay:
    found = sorted(value for part in parts for value in part)
    if not found:
        return Delay(0, None, None, None)
    p50, p99 = (round(found[math.ceil(share * len(found)) - 1], 1) for share in (0.5, 0.99))
    return Delay(len(found), p50, p99, round(found[-1], 1))


def text_of(verdict: Verdict) -> str:
    """The verdict for a person."""
    counts = msgspec.to_builtins(verdict)
    damage = ("lost", "duplicated", "foreign", "contradicted")
    lines = [
        ("PASS: " if verdict.ok else "FAIL: ") + ", ".join(f"{name} {counts[name]}" for name in damage),
        ", ".join(f"{name} {counts[name]}" for name in ("produced", "stored", "declared", "rejected", "unanswered")),
        f"screen change to commit, ms: p50 {verdict.delay_ms_p50}, p99 {verdict.delay_ms_p99}"
        f" of {verdict.online_events} events of devices online; not measured: {verdict.excluded or 'none'}",
    ]
    lines += [f"  {what}: {example}" for what, examples in verdict.examples.items() for example in examples]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator.oracle",
        description="Compare the journals of event sources with the database of the hub. Sources must rest.",
        epilog="exit codes: 0 PASS; 1 FAIL; 2 journals or database cannot be read, or wrong use",
    )
    parser.add_argument("journals", nargs="+", type=Path, metavar="JOURNAL")
    parser.add_argument("--dsn-file", type=Path, required=True, help="its first line is the connection string")
    parser.add_argument(
        "--measure-from-ms", type=int, default=0, help="leave earlier changes out of the delays (Unix ms)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        dsn = options.dsn_file.read_text(encoding="utf-8").partition("\n")[0].strip()
        verdict = judge(dsn, options.journals, measure_from_ms=options.measure_from_ms)
    except (SimulatorError, psycopg.Error, OSError) as error:
        sys.stderr.write(f"oracle: {error}\n")
        return 2
    text = msgspec.json.encode(verdict).decode() if options.json else text_of(verdict)
    sys.stdout.write(text + "\n")
    return 0 if verdict.ok else 1


if __name__ == "__main__":
    sys.exit(main())
