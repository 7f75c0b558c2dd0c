"""What the journals of one device claim: which events were accepted, and where; which were only meant to be."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal, NamedTuple

from contract.events import Kind
from simulator import fingerprint
from simulator.journal import Accepted, AnyRecord, Intent, JournalError, Link, Opened, read

LEAVING_MS: Final = 2_000
"""An event is no measure of the way to the hub if its device is taken off the network sooner than this after it, or
while it is off."""
_NOT_YET: Final = 2**62
Measured = Literal["measured", "warm_up", "offline", "leaving"]


class Claim(NamedTuple):
    """One accepted event."""

    digest: bytes
    kind: Kind
    changed_ms: int
    accepted_ms: int
    online: bool


class Claims:
    """Everything that the journals of one device say. Memory follows the number of accepted events."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.accepted: dict[str, dict[int, Claim]] = {}
        """By stream and number."""
        self.unanswered: Counter[bytes] = Counter()
        """Digests of events that were meant and of which nobody knows whether they were taken."""
        self.twice: list[tuple[str, int]] = []
        """Positions that the source was given twice: a number that names two events."""
        self._open: dict[str, Claim] = {}
        self._away: list[tuple[int, int]] = []
        """From when to when the simulation kept the device off the network, Unix ms."""

    def take(self, records: Iterable[AnyRecord]) -> None:
        """One journal, in the order in which it was written; JournalError if it is of another device."""
        for record in records:
            match record:
                case Intent():
                    self._own(record.device)
                    digest = fingerprint.of_content(record.event)
                    self._open[record.id] = Claim(digest, record.event["kind"], record.at_ms, 0, online=False)
                case Accepted():
                    self._accept(record)
                case Link(online=False):
                    self._away.append((record.at_ms, _NOT_YET))
                case Link():
                    self._return(record.at_ms)
                case Opened():
                    self._own(record.device)
                    self._return(record.at_ms)
        self.unanswered.update(claim.digest for claim in self._open.values())
        self._open.clear()

    def count(self) -> int:
        """How many events were accepted."""
        return sum(len(numbers) for numbers in self.accepted.values())

    def measured(self, claim: Claim, from_ms: int) -> Measured:
        """Whether the event's delay says how fast an online device is, counting changes from `from_ms` on."""
        if claim.changed_ms < from_ms:
            return "warm_up"
        if not claim.online:
            return "offline"
        next_return = bisect_right(self._away, claim.accepted_ms, key=lambda away: away[1])
        if next_return < len(self._away) and self._away[next_return][0] - claim.accepted_ms < LEAVING_MS:
            return "leaving"
        return "measured"

    def _return(self, at_ms: int) -> None:
        if self._away and self._away[-1][1] == _NOT_YET:
            self._away[-1] = (self._away[-1][0], at_ms)

    def _own(self, device: str) -> None:
        if device != self.device:
            raise JournalError(f"a journal of {self.device} tells of {device}; each device has a journal of its own")

    def _accept(self, record: Accepted) -> None:
        claim = self._open.pop(record.id, None)
        if claim is None:
            raise JournalError(f"{self.device}: {record.id} was accepted and never intended; the journal is incomplete")
        numbers = self.accepted.setdefault(record.stream, {})
        if record.seq in numbers:
            self.twice.append((record.stream, record.seq))
        numbers[record.seq] = claim._replace(accepted_ms=record.at_ms, online=record.online)


def device_of(journal: Path) -> str:
    """Whose journal it is, by its first record."""
    for record in read(journal):
        if isinstance(record, Opened):
            return record.device
        break
    raise JournalError(f"{journal}: does not begin with the record `opened`; it is no journal, or its head is missing")
