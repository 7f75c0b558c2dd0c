"""What the stories put on a screen that should not be there: noted when it appears, before any agent can see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from edge_agent.observation import Content
from simulator.catalogue import Unapproved
from simulator.errors import SimulatorError


class TruthError(SimulatorError):
    """The notes cannot be believed. The text names the line; a verdict from them is worthless."""


class Stranger(Struct, frozen=True):
    """One note; `at_ms` is Unix ms by this machine's clock."""

    device: str
    content: Content
    what: Unapproved
    at_ms: int


def note(file: Path, stranger: Stranger) -> None:
    """Add one, in one write: a process that is killed leaves a whole line or none."""
    with file.open("ab", buffering=0) as notes:
        notes.write(msgspec.json.encode(stranger) + b"\n")


def read(file: Path) -> Iterator[Stranger]:
    """All of them; none where nothing was ever noted."""
    if not file.exists():
        return
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            yield msgspec.json.decode(line, type=Stranger)
        except msgspec.DecodeError as error:
            raise TruthError(f"{file}, line {number}: {error}") from error
