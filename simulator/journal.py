"""What a source of events says of itself, apart from everything that it tests: what it meant to store, what was taken.

Two records an event: `intent` before `Outbox.append`, `accepted` after it returned. One file a device, a JSON object
a line, each handed to the kernel before the next step, so that SIGKILL takes nothing back; only a power cut of the
machine itself could. A process that is killed while it writes leaves a torn line; the next one begins with an `opened`
record on a line of its own, so that every other line that cannot be read is damage.
"""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from edge_agent.clock import Clock, boottime_ms, wall_ms
from edge_agent.draft import Draft
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.store import Entry, Position
from edge_agent.recorder import Recorder
from simulator.errors import SimulatorError


class JournalError(SimulatorError):
    """A journal cannot be written or believed. The text names the file and the line; a verdict from it is worthless."""


class Record(Struct, frozen=True, tag_field="record"):
    """One line; `at_ms` is Unix ms by this machine's clock."""


class Opened(Record, frozen=True, tag="opened"):
    """A process begins to write; whatever line it cut off before is torn, not damaged."""

    device: str
    at_ms: int


class Intent(Record, frozen=True, tag="intent"):
    """An event that is about to be appended. `at_ms` is the moment of the change that it tells of."""

    device: str
    id: str
    at_ms: int
    boottime_ms: int
    event: dict[str, Any]
    """As it travels, `kind` and `time` included, without `seq`: absent fields have the contract's defaults."""


class Accepted(Record, frozen=True, tag="accepted"):
    """Append has returned: from here on the event may not be lost.

    `online`: there was a connection on which the hub had answered.
    """

    id: str
    stream: str
    seq: int
    at_ms: int
    online: bool


class Link(Record, frozen=True, tag="link"):
    """The simulation takes the device off the network, or lets it back."""

    online: bool
    at_ms: int


AnyRecord = Opened | Intent | Accepted | Link
_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[AnyRecord]] = msgspec.json.Decoder(AnyRecord)


class Journal:
    """Writes the journal of one device, after what an earlier process of it wrote. Safe to use from every thread."""

    def __init__(self, file: Path, device: str) -> None:
        self._device, self._file = device, file
        try:
            self._fd = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(f"{file}: {error.strerror}; the folder must exist and be writable") from error
        self._run, self._numbers = secrets.token_hex(6), itertools.count(1)
        self._write([Opened(device, wall_ms())], b"\n")

    def intend(self, entries: Sequence[Entry]) -> list[str]:
        """Say what is about to be appended; the ids by which `accept` knows the events."""
        offset_ms = wall_ms() - boottime_ms()
        intents = [
            Intent(self._device, f"{self._run}-{next(self._numbers)}", offset_ms + at_ms, at_ms, content_of(event))
            for event, at_ms, _ in entries
        ]
        self._write(intents)
        return [intent.id for intent in intents]

    def accept(self, ids: Sequence[str], positions: Sequence[Position], *, online: bool) -> None:
        """Say that append has returned."""
        now_ms = wall_ms()
        pairs = zip(ids, positions, strict=True)
        self._write([Accepted(id, stream, seq, now_ms, online) for id, (stream, seq) in pairs])  # noqa: A001 - the field's

    def link(self, *, online: bool) -> None:
        """Say that the simulation takes the device off the network or ends it (before it does), or has let it back."""
        self._write([Link(online, wall_ms())])

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def _write(self, records: Sequence[AnyRecord], before: bytes = b"") -> None:
        data = before + b"".join(_encoder.encode(record) + b"\n" for record in records)
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            raise JournalError(f"{self._file}: {error.strerror}; without it the run proves nothing") from error


class JournaledRecorder(Recorder):
    """The agent's recorder, telling a journal of everything that goes through it."""

    def __init__(self, outbox: Outbox, clock: Clock, journal: Journal) -> None:
        super().__init__(outbox, clock)
        self._journal = journal
        self.online: Callable[[], bool] = lambda: False
        """Whether the device has a connection on which the hub has answered."""

    def append(self, drafts: Sequence[Draft]) -> list[Position]:
        """As Recorder.append, between two records of the journal."""
        entries = self.entries(drafts)
        ids = self._journal.intend(entries)
        positions = self._outbox.append(entries)
        self._journal.accept(ids, positions, online=self.online())
        return positions


def content_of(event: Struct) -> dict[str, Any]:
    """An event's content as it travels, without its number."""
    content: dict[str, Any] = msgspec.to_builtins(event)
    del content["seq"]
    return content


def read(file: Path) -> Iterator[AnyRecord]:
    """All records of a journal, in order. JournalError at a line that is neither a record nor cut off by a kill."""
    torn: tuple[int, msgspec.DecodeError] | None = None
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line == b"\n":
                    continue
                record = _decoded(line)
                if isinstance(record, msgspec.DecodeError):
                    _refuse(file, torn)
                    torn = number, record
                    continue
                if not isinstance(record, Opened):
                    _refuse(file, torn)
                torn = None
                yield record
    except OSError as error:
        raise JournalError(f"{file}: {error.strerror}; name a journal that a run has written") from error


def _decoded(line: bytes) -> AnyRecord | msgspec.DecodeError:
    try:
        return _decoder.decode(line)
    except msgspec.DecodeError as error:
        return error


def _refuse(file: Path, torn: tuple[int, msgspec.DecodeError] | None) -> None:
    if torn is not None:
        raise JournalError(f"{file}, line {torn[0]}: no record, and more of the same process follows: {torn[1]}")
