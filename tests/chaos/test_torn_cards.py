"""Images of an outbox that was being written to, file by file: every tear of its tables is found when it is opened.

What is torn within one event's bytes is found by the hub, which refuses it, and is declared lost then.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Final

import pytest

from contract.codec import decode_event
from contract.errors import ContractError
from contract.events import UNNUMBERED, Fault
from contract.receipt import Covered
from edge_agent.outbox.outbox import FILE_NAME, Outbox
from edge_agent.outbox.store import GRACE_MS, Entry, Stored

FILES: Final = (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm")
HUB_TIME_MS: Final = 1_790_000_000_000


class Card:
    """An outbox at work, and what was ever written to it."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        folder.mkdir()
        self.folder, self._rng = folder, rng
        self.outbox = Outbox(folder, max_bytes=50_000_000, commit_interval_s=0)
        self.written: dict[tuple[str, int], str] = {}

    def work(self, times: int) -> None:
        """Events are appended, some are covered, and deleted once their grace has ended."""
        for _ in range(times):
            reasons = [f"{self._rng.getrandbits(60)}" + "x" * self._rng.randrange(400) for _ in range(15)]
            entries = [Entry(Fault(seq=UNNUMBERED, time=5, code="test", reason=reason), 1) for reason in reasons]
            positions = self.outbox.append(entries)
            self.written.update(zip(positions, reasons, strict=True))
            stream, last = positions[-1]
            if self._rng.random() < 0.3:
                covered = Covered(stream=stream, low=1, high=last, committed=[(1, last)])
                self.outbox.cover(covered, hello=False, hub_time_ms=HUB_TIME_MS)
            if self._rng.random() < 0.2:
                self.outbox.settle(HUB_TIME_MS + 2 * GRACE_MS)

    def copy_to(self, image: Path) -> None:
        """One file after the other, in the order in which a tool may find them, while the work goes on."""
        image.mkdir()
        order = FILES if self._rng.random() < 0.5 else (FILES[1], FILES[0], FILES[2])
        for name in order:
            if (self.folder / name).exists():
                shutil.copyfile(self.folder / name, image / name)
            self.work(self._rng.choice((0, 1, 10, 60)))


def _try(folder: Path, rng: random.Random) -> bool:
    """Whether the image was set aside as damaged; if not, all that it holds is there, rotten or as it was written."""
    card = Card(folder / "card", rng)
    card.work(rng.randint(5, 120))
    card.copy_to(folder / "image")
    card.outbox.close()
    opened = Outbox(folder / "image", max_bytes=50_000_000, commit_interval_s=0)
    try:
        for held in opened.streams():
            numbers = opened.uncovered(held.stream)
            events = opened.read(held.stream, numbers, 1 << 40, 1 << 40) if numbers else []
            assert len(events) == numbers.count()
            for event in events:
                _check(event, card.written[held.stream, event.seq])
        assert opened.live_stream not in {stream for stream, _ in card.written}
        opened.append([Entry(Fault(seq=UNNUMBERED, time=5, code="test"), 1)] * 50)
        opened.settle(HUB_TIME_MS + 2 * GRACE_MS)
        return opened.set_aside is not None
    finally:
        opened.close()


def _check(event: Stored, reason: str) -> None:
    try:
        decoded = decode_event(event.body)
    except ContractError:
        return
    assert isinstance(decoded, Fault)
    assert (decoded.seq, decoded.reason) == (event.seq, reason)


def _try_many(folder: Path, rng: random.Random, times: int) -> int:
    damaged = 0
    for _ in range(times):
        folder.mkdir()
        damaged += _try(folder, rng)
        shutil.rmtree(folder)
    return damaged


def test_no_tear_goes_unnoticed(tmp_path: Path, rng: random.Random) -> None:
    _try_many(tmp_path / "try", rng, 12)


@pytest.mark.full
@pytest.mark.timeout(600)
def test_no_tear_goes_unnoticed_in_many(tmp_path: Path, rng: random.Random) -> None:
    assert _try_many(tmp_path / "try", rng, 300) > 5  # Otherwise nothing was tested.
