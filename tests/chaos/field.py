"""Event sources in the field, and the verdict on what became of their events."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psycopg

from contract.events import KINDS
from simulator.journal import Accepted, read
from simulator.oracle import Verdict, judge, text_of
from tests.end_to_end.border import Hub, Kiosk
from tests.mosquitto import Mosquitto
from tests.patience import until

SEED: Final = "TTDN_CHAOS_SEED"
Positions = set[tuple[str, int]]
_ROWS: Final = " UNION ALL ".join(f"SELECT device, stream, seq FROM {table}" for table in (*KINDS, "rejected"))
_STORED: Final = f"""
    SELECT replace(s.name::text, '-', ''), e.seq
    FROM ({_ROWS}) AS e JOIN stream s ON s.id = e.stream JOIN device d ON d.id = e.device WHERE d.name = %s"""


def seeded() -> random.Random:
    """Chance with a seed: that of the environment if it is set. It is printed, which pytest shows of a failed test."""
    seed = os.environ.get(SEED) or str(secrets.randbits(32))
    print(f"{SEED}={seed}")
    return random.Random(seed)


class Source(Kiosk):
    """The agent under load of `tests.chaos.source`, with its journal beside the card that it writes to."""

    def __init__(
        self,
        folder: Path,
        device: str,
        *brokers: Mosquitto,
        rng: random.Random,
        rate: float = 50,
        together: int = 8,
        journal: Path | None = None,
        max_bytes: int = 50_000_000,
    ) -> None:
        self.journal = journal or folder.with_suffix(".journal")
        self._rng, self._rate, self._together = rng, rate, together
        super().__init__(folder, device, *brokers, max_bytes=max_bytes)

    def start(self) -> None:
        """Start it; it makes other events than at its last start."""
        self._command = self._command_line()
        super().start()

    def rest(self) -> None:
        """No more events of its own; the agent goes on."""
        self._signal(signal.SIGUSR1)

    def accepted(self) -> Positions:
        """What was accepted, as the journal has it."""
        return {(record.stream, record.seq) for record in read(self.journal) if isinstance(record, Accepted)}

    def _command_line(self) -> list[str | Path]:
        options = {
            "--config": self.config,
            "--journal": self.journal,
            "--seed": self._rng.getrandbits(60),
            "--rate": self._rate,
            "--together": self._together,
        }
        pairs = [str(part) for pair in options.items() for part in pair]
        return [sys.executable, "-m", "tests.chaos.source", *pairs]

    def _ready(self) -> bool:
        return "the source runs" in self.said()


def stored(connection: psycopg.Connection, device: str) -> Positions:
    """Positions of all rows of a device; those of another's streams would show as not accepted."""
    return {(row[0], row[1]) for row in connection.execute(_STORED.encode(), (device,))}


def copy_card(source: Source, image: Path) -> None:
    """An image of the card: file after file, while it is written to if the source runs."""
    shutil.rmtree(image, ignore_errors=True)
    image.mkdir(parents=True)
    for file in sorted(source.state.iterdir()):
        (shutil.copytree if file.is_dir() else shutil.copyfile)(file, image / file.name)


def restore_card(source: Source, image: Path) -> None:
    """The card is as the image has it."""
    assert not source.running
    shutil.rmtree(source.state)
    shutil.copytree(image, source.state)


def settle(hub: Hub, sources: Iterable[Source], *, lost: int = 0) -> Verdict:
    """Let the sources rest and their events arrive; the verdict passes, but for so many `lost`. Then the audit."""
    sources = list(sources)
    for source in sources:
        source.rest()
    journals = sorted({source.journal for source in sources})
    verdicts: list[Verdict] = []

    def has_arrived() -> bool:
        verdicts.append(judge(hub.dsn, journals))
        return verdicts[-1].lost <= lost

    try:
        until(has_arrived, "everything is stored")
        for source in sources:
            source.stop()
        until(has_arrived, "the last words are stored")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{text_of(verdicts[-1])}") from None
    verdict = verdicts[-1]
    damage = (verdict.lost, verdict.duplicated, verdict.foreign, verdict.contradicted)
    assert damage == (lost, 0, 0, 0), text_of(verdict)
    hub.audit()
    return verdict
