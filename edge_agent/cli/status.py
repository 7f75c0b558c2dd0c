"""`ttdn-agent status`: the agent's own word while it runs; its outbox and files in any case."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from edge_agent import condition, status_file, words
from edge_agent.cli import language
from edge_agent.cli.exits import EPILOG, NOT_RUNNING, OK, TROUBLE
from edge_agent.cli.output import say
from edge_agent.clock import boottime_ms, wall_ms
from edge_agent.condition import Moment
from edge_agent.config import AgentSettings, config_file, load
from edge_agent.doctor.checks import certificate
from edge_agent.doctor.place import device_of
from edge_agent.errors import AgentFailed
from edge_agent.outbox.look import Held, look
from edge_agent.outbox.outbox import FILE_NAME
from edge_agent.status_file import AgentStatus
from edge_agent.words import Language


def add(commands: Any) -> None:
    """The command's parser."""
    status = commands.add_parser("status", help="how the agent on this machine is", epilog=EPILOG)
    status.add_argument("--json", action="store_true", help="for programs: names stay as they are in every language")
    language.add_option(status)
    status.set_defaults(command=_status)


def _status(options: argparse.Namespace) -> int:
    settings = load(config_file(options.config))
    status = status_file.read(Path(settings.runtime_folder))
    now = Moment(boottime_ms(), wall_ms())
    if status is None or not status_file.is_running(status):
        return _not_running(settings, now, options)
    problems = condition.problems(status, (now.boot_ms - status.at_ms) / 1000)
    held, outbox_error, ends_ms = _files(settings)
    if options.json:
        said = [problem.text("en") for problem in problems]
        say(_json(held, outbox_error, ends_ms, running=True, problems=said, status=status))
    else:
        _say_all(status, held, ends_ms, now, language.chosen(options))
        _say_outbox_error(outbox_error, language.chosen(options))
        for problem in problems:
            say(f"! {problem.text(language.chosen(options))}")
    return TROUBLE if problems or outbox_error else OK


def _not_running(settings: AgentSettings, now: Moment, options: argparse.Namespace) -> int:
    held, outbox_error, ends_ms = _files(settings)
    if options.json:
        say(_json(held, outbox_error, ends_ms, running=False))
    else:
        chosen = language.chosen(options)
        device = device_of(settings)
        say(words.plain(chosen, "status.stopped", device=device) if device else words.plain(chosen, "status.nobody"))
        for line in condition.files(held, None, ends_ms, now, chosen):
            say(line)
        _say_outbox_error(outbox_error, chosen)
    return TROUBLE if outbox_error else NOT_RUNNING


def _say_all(status: AgentStatus, held: Held | None, ends_ms: int | None, now: Moment, chosen: Language) -> None:
    for line in condition.running(status, now, chosen):
        say(line)
    for line in condition.files(held, status, ends_ms, now, chosen):
        say(line)


def _say_outbox_error(reason: str, chosen: Language) -> None:
    if reason:
        say(f"! {words.plain(chosen, 'status.outbox_error', reason=reason)}")


def _files(settings: AgentSettings) -> tuple[Held | None, str, int | None]:
    """What the outbox holds, or why it cannot be read; when the certificate ends."""
    state = Path(settings.state_folder)
    ends_ms = certificate.ends_ms(state)
    try:
        return look(state / FILE_NAME), "", ends_ms
    except AgentFailed as error:
        return None, str(error), ends_ms


def _json(held: Held | None, outbox_error: str, ends_ms: int | None, **more: object) -> str:
    events = None if held is None else held.events
    outbox = {"events_in_outbox": events, "outbox": held, "outbox_error": outbox_error}
    return msgspec.json.encode({**more, **outbox, "certificate_ends_ms": ends_ms}).decode()
