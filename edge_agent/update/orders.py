"""What the hub has ordered and what has been told of it: small files in the agent's own folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from contract.ids import Sha256Hex
from contract.release import MAX_PACKAGE_BYTES, Version
from edge_agent.durable import replace_file

_ORDER: Final = "order.json"
_TOLD: Final = "told.json"
_T = TypeVar("_T")


class Order(Struct, frozen=True, kw_only=True):
    """A package to fetch from the hub that this device is enrolled with, and to install."""

    version: Version
    sha256: Sha256Hex
    bytes: Annotated[int, Meta(ge=1, le=MAX_PACKAGE_BYTES)]


class Orders:
    """In one folder. OSError where the card does not take a note."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> Order | None:
        """What is to be fetched; None if nothing is, or the note cannot be read."""
        return _read(self._folder / _ORDER, Order)

    def give(self, order: Order) -> None:
        """Fetch this one from now on, and no other; durable when it returns."""
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        replace_file(self._folder / _ORDER, msgspec.json.encode(order))

    def done(self) -> None:
        """Nothing is to be fetched."""
        (self._folder / _ORDER).unlink(missing_ok=True)

    def told(self) -> int:
        """Number of the last of root's results that was told."""
        return _read(self._folder / _TOLD, int) or 0

    def note_told(self, number: int) -> None:
        """That one was told."""
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        replace_file(self._folder / _TOLD, msgspec.json.encode(number))


def _read(file: Path, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
