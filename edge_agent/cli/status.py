"""`ttdn-agent status`."""

from __future__ import annotations

import argparse
import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from edge_agent import status_file
from edge_agent.cli.exits import EPILOG, NOT_RUNNING, OK, TROUBLE
from edge_agent.cli.output import say
from edge_agent.clock import boottime_ms
from edge_agent.config import AgentSettings, config_file, load
from edge_agent.errors import AgentFailed
from edge_agent.identity.renewal_plan import day
from edge_agent.identity.store import read_identity
from edge_agent.outbox.database import read_only
from edge_agent.outbox.outbox import FILE_NAME
from edge_agent.status_file import AgentStatus


def add(commands: Any) -> None:
    """The command's parser."""
    status = commands.add_parser("status", help="how the agent on this machine is", epilog=EPILOG)
    status.add_argument("--json", action="store_true", help="for scripts")
    status.set_defaults(command=_status)


def _status(options: argparse.Namespace) -> int:
    settings = load(config_file(options.config))
    status = status_file.read(Path(settings.runtime_folder))
    age_s = (boottime_ms() - status.at_ms) / 1000 if status is not None else None
    if status is None or age_s is None or not status_file.is_running(status):
        return _not_running(settings, as_json=options.json)
    problems = _problems(status, age_s)
    if options.json:
        say(msgspec.json.encode({"running": True, "problems": problems, "status": status}).decode())
    else:
        say(_text(status))
        for problem in problems:
            say(f"! {problem}")
    return TROUBLE if problems else OK


def _not_running(settings: AgentSettings, *, as_json: bool) -> int:
    held = _held_events(Path(settings.state_folder) / FILE_NAME)
    if as_json:
        say(msgspec.json.encode({"running": False, "events_in_outbox": held}).decode())
    else:
        say(f"the agent{_whose(settings)} does not run; its outbox holds {held} events")
    return NOT_RUNNING


def _whose(settings: AgentSettings) -> str:
    identity = None if settings.device else read_identity(Path(settings.state_folder))
    device = settings.device or (identity.hub.device if identity is not None else "")
    return f" of {device}" if device else ", which is not enrolled,"


def _held_events(file: Path) -> int:
    try:
        if not file.exists():
            return 0
        connection = read_only(file)
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                return 0  # an agent is making it at this very moment
            return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])
        finally:
            connection.close()
    except OSError as error:
        raise AgentFailed(f"{file} cannot be read: {error.strerror}; ask as the agent's user, or as root") from error
    except sqlite3.Error as error:
        raise AgentFailed(f"{file} cannot be read: {error}; check the SD card and the file's rights") from error


def _problems(status: AgentStatus, age_s: float) -> list[str]:
    problems = []
    if age_s > status_file.STALE_S:
        problems.append(f"it has not said anything for {int(age_s)} s: restart it; see its log")
    if status.queue.full:
        problems.append(f"the outbox is full; {status.queue.refused} events were refused: bring the link back")
    if status.dropped:
        problems.append(f"{status.dropped} events could not be kept since the start: see its log")
    if not status.connected:
        problems.append(f"no connection to a broker: {status.last_error or 'none tried yet'}")
    problems += [f"probe {name}: {error}" for name, error in status.probes.items() if error]
    problems += [f"fault: {code}" for code in status.faults if code != "probe_failed"]
    return problems


def _text(status: AgentStatus) -> str:
    queue, certificate = status.queue, status.certificate
    return "\n".join(
        (
            f"device     {status.device}   agent {status.version}, pid {status.pid}",
            f"connection {'up' if status.connected else 'down'}",
            f"clock      {status.clock}",
            f"waiting    {queue.events} events, the oldest {queue.oldest_s} s old",
            f"probes     {', '.join(status.probes) or 'none'}",
            *(
                [
                    f"identity   certificate until {day(certificate.not_after_ms)}, renewed from "
                    f"{day(certificate.renew_from_ms)} on"
                ]
                if certificate is not None
                else []
            ),
            f"set by hub {_set_by_hub(status)}",
        )
    )


def _set_by_hub(status: AgentStatus) -> str:
    opening = {None: "", True: ", open now", False: ", closed now"}[status.is_open]
    used = f", {status.month_bytes / 1e6:.1f} MB on the line this month"
    budget = "" if status.budget_bytes is None else f" of {status.budget_bytes / 1e6:.1f} ({status.data})"
    revision = f"revision {status.config}" if status.config else "nothing"
    return f"{revision}{opening}{used}{budget}"
