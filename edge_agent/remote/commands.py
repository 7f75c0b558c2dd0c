"""From a command as it comes to its answer: new or known, in time or expired, allowed or not, done once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from contract import codec
from contract.command import Command, Outcome, Picture, Reply
from contract.errors import ContractError
from edge_agent.remote.command_log import CommandLog
from edge_agent.remote.hand import HandError

_MOST_TEXT: Final = 512
SWITCHED_OFF: Final = "remote.commands is off in this device's own file"
log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """What became of a command, with a text for a person."""

    outcome: Outcome
    detail: str
    picture: Picture | None = None


Deed = Callable[[Command], Answer]
"""Does it; raises HandError where the player did not."""


class Commands:
    """Used by one thread."""

    def __init__(
        self, known: CommandLog, deeds: Mapping[str, Deed], *, allowed: bool, hub_now_ms: Callable[[], int | None]
    ) -> None:
        """`hub_now_ms` is the hub's time, or the earliest that it can be; None if nothing is known of it."""
        self._known, self._deeds, self._allowed, self._hub_now_ms = known, deeds, allowed, hub_now_ms

    def take(self, data: bytes, content_type: str) -> Reply | None:
        """What the hub is told; None if what came cannot even be answered."""
        try:
            command = codec.decode_command(data, content_type)
        except ContractError as error:
            log.warning("a command of the hub that cannot be read: %s", error)
            return None
        reply = self._known.reply(command)
        return reply if reply is not None else self._take_new(command)

    def _take_new(self, command: Command) -> Reply:
        deed = self._deeds.get(command.name)
        # Without any time a command counts as just given: the hub sends none that has expired, and no broker keeps one.
        if (self._hub_now_ms() or command.issued_ms) >= command.expires_ms:
            return _reply(command, Answer("expired", "it came after it had expired, and was not done"))
        if not self._allowed:
            return _reply(command, Answer("refused", SWITCHED_OFF))
        if deed is None:
            known = ", ".join(self._deeds)
            return _reply(command, Answer("refused", f"this agent does not know it; it knows {known}"))
        try:
            self._known.begin(command)
        except OSError as error:
            return _reply(command, Answer("failed", f"it cannot be noted, so it was not begun: {error.strerror}"))
        reply = _reply(command, _do(deed, command))
        try:
            self._known.settle(reply)
        except OSError as error:
            log.error("the answer to %s %s cannot be noted: %s", command.name, command.id, error.strerror)  # noqa: TRY400
        log.info("command %s %s: %s: %s", command.name, command.id, reply.outcome, reply.detail)
        return reply


def _do(deed: Deed, command: Command) -> Answer:
    try:
        return deed(command)
    except HandError as error:
        return Answer("failed", str(error))
    except Exception as error:  # a bug in one command must not end the agent: it is told to who asked
        log.exception("command %s has a bug", command.name)
        return Answer("failed", f"a bug in the agent: {type(error).__name__}: {error}")


def _reply(command: Command, answer: Answer) -> Reply:
    detail = answer.detail.encode("utf-8", "replace").decode().replace("\0", "")[:_MOST_TEXT]
    return Reply(command=command.id, outcome=answer.outcome, detail=detail, picture=answer.picture)
