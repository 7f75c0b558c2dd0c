"""Which commands were begun and what was answered, on disk: none is done twice, whatever ends the agent meanwhile.

A command is noted before it is begun and its answer before it is sent. One that was begun and has no answer when the
agent starts again is answered as failed: whether it was done is not known.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from contract.command import Command, CommandId, Outcome, Picture, Reply
from edge_agent.remote.kept_file import KeptFile

NAME: Final = "commands.json"
REMEMBERED: Final = 256
"""Far more than a hub gives before the oldest of them has expired."""
PICTURE_GONE: Final = "the picture went with the agent's last run; ask for another"
INTERRUPTED: Final = "the agent ended while it did this; whether it was done is not known"
log = logging.getLogger(__name__)


class _Entry(Struct, frozen=True, omit_defaults=True):
    """One command; without an outcome it was begun."""

    id: CommandId
    outcome: Outcome | None = None
    detail: str = ""


class CommandLog:
    """Used by one thread. Pictures are repeated as long as the agent runs, and not kept on the card."""

    def __init__(self, folder: Path) -> None:
        self._file = KeptFile(folder / NAME)
        self._entries = self._load()
        self._pictures: dict[str, Picture] = {}

    def begin(self, command: Command) -> None:
        """Durable before it is done. OSError: it must not be begun."""
        self._put(_Entry(command.id))

    def settle(self, reply: Reply) -> None:
        """Durable before it is said. OSError: it is said nevertheless, and after a restart as interrupted."""
        if reply.command is None:
            return
        self._pictures = {reply.command: reply.picture} if reply.picture is not None else {}
        self._put(_Entry(reply.command, reply.outcome, reply.detail))

    def reply(self, command: Command) -> Reply | None:
        """What was answered to it already; None if it is new."""
        entry = self._entries.get(command.id)
        if entry is None:
            return None
        if entry.outcome is None:
            return Reply(command=command.id, outcome="failed", detail=INTERRUPTED)
        picture = self._pictures.get(command.id)
        reply = Reply(command=command.id, outcome=entry.outcome, detail=entry.detail, picture=picture)
        if command.name == "snapshot" and entry.outcome == "done" and picture is None:
            return replace(reply, outcome="failed", detail=PICTURE_GONE)
        return reply

    def _put(self, entry: _Entry) -> None:
        entries = {known: one for known, one in self._entries.items() if known != entry.id} | {entry.id: entry}
        kept = dict(list(entries.items())[-REMEMBERED:])
        self._entries = kept  # also where the disk does not take it: within this run it is known
        self._file.replace(msgspec.json.encode(list(kept.values())))

    def _load(self) -> dict[str, _Entry]:
        try:
            data = self._file.read()
            entries = [] if data is None else msgspec.json.decode(data, type=list[_Entry])
        except OSError as error:
            log.error("%s: %s; commands that were done may be done again", self._file.file, error.strerror)  # noqa: TRY400
            return {}
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.error("%s: %s; commands that were done may be done again", self._file.file, error)  # noqa: TRY400
            return {}
        return {entry.id: entry for entry in entries}
