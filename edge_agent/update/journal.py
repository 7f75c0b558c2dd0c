"""What root is doing, and what came of it: on disk before the next step, so that a power cut at any point goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from contract.release import Told
from edge_agent.durable import replace_file, sync_folder
from edge_agent.update.errors import NotInstalled
from edge_agent.update.places import Side

_JOURNAL: Final = "journal.json"
RESULTS: Final = "results.json"
_KEPT: Final = 32
_READABLE: Final = 0o644
"""The agent's user reads what came of it; there is no secret in it."""


class Journal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The step that is under way.

    `building` changes nothing that runs: it is begun again. `trial`: `current` may already lead to the new side.
    `back`: whatever stands, it goes back. `done`: only the last notes are missing.
    """

    step: Literal["building", "trial", "back", "done"]
    token: str
    """By which the result of one installation is told from the same result of the next."""
    before: str
    source: Side
    target: Side
    version: str = ""
    greens: tuple[str, ...] = ()
    """What was well before, by the doctor's ids."""
    schema: int = 0
    """Of the outbox, of the version that ran before."""
    tries: int = 0
    told: Told | None = None
    """How it ends."""


class Result(Struct, frozen=True):
    """What came of one package. Numbers rise by one; who has read up to one knows what is new."""

    number: int
    token: str
    told: Told


class Notes:
    """The journal and the results, in root's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> Journal | None:
        """What is under way. NotInstalled if it cannot be read: nothing is guessed."""
        file = self._folder / _JOURNAL
        try:
            return msgspec.json.decode(file.read_bytes(), type=Journal)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise NotInstalled(f"{file} cannot be read: {error}; remove it if current runs well") from error

    def write(self, journal: Journal) -> Journal:
        """From now on this is under way."""
        replace_file(self._folder / _JOURNAL, msgspec.json.encode(journal), _READABLE)
        return journal

    def clear(self) -> None:
        """Nothing is under way."""
        (self._folder / _JOURNAL).unlink(missing_ok=True)
        sync_folder(self._folder)

    def add(self, token: str, told: Told) -> None:
        """One more result; of one token only once, for a power cut may repeat the note."""
        known = read_results(self._folder)
        if known and known[-1].token == token:
            return
        number = known[-1].number + 1 if known else 1
        results = [*known[-_KEPT + 1 :], Result(number, token, told)]
        replace_file(self._folder / RESULTS, msgspec.json.encode(results), _READABLE)


def read_results(folder: Path) -> list[Result]:
    """All that are kept, oldest first; none if there are none, or they cannot be read."""
    try:
        return msgspec.json.decode((folder / RESULTS).read_bytes(), type=list[Result])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return []
