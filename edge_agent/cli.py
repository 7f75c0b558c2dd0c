"""`ttdn-agent`: run, status, check-config, sample-config."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from edge_agent import status_file
from edge_agent.agent import Agent, brokers
from edge_agent.clock import boottime_ms
from edge_agent.config import AgentSettings, config_file, load
from edge_agent.config_sample import sample_toml
from edge_agent.errors import AgentError, AgentFailed
from edge_agent.footprint import keep_small
from edge_agent.outbox.database import read_only
from edge_agent.outbox.outbox import FILE_NAME
from edge_agent.status_file import AgentStatus

OK: Final = 0
TROUBLE: Final = 1
USAGE: Final = 2
NOT_RUNNING: Final = 3
_EPILOG: Final = """exit codes: 0 well; 1 something does not work (the text says what);
2 wrong use or configuration; 3 the agent does not run"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except AgentError as error:
        print(f"ttdn-agent: {error}", file=sys.stderr)  # noqa: T201 - a command line speaks to its user
        return TROUBLE if isinstance(error, AgentFailed) else USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ttdn-agent",
        description="Records what is really on screen and what visitors do, and brings it to the hub.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, help="configuration file (default: /etc/ttdn-agent/agent.toml)")
    commands = parser.add_subparsers(required=True, metavar="command")
    run = commands.add_parser("run", help="watch and report until stopped (SIGTERM or Ctrl-C)")
    run.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    run.set_defaults(command=_run)
    status = commands.add_parser("status", help="how the agent on this machine is", epilog=_EPILOG)
    status.add_argument("--json", action="store_true", help="for scripts")
    status.set_defaults(command=_status)
    check = commands.add_parser("check-config", help="read the configuration and say what is wrong with it")
    check.set_defaults(command=_check_config)
    sample = commands.add_parser("sample-config", help="print a configuration with every key and what it means")
    sample.set_defaults(command=_sample_config)
    return parser


def _settings(options: argparse.Namespace) -> AgentSettings:
    return load(config_file(options.config))


def _say(text: str) -> None:
    """One text for the user; a reader that has heard enough (`| head`) changes nothing, a full disk is told."""
    try:
        # A file's name may hold bytes that are no text.
        print(text.encode(errors="backslashreplace").decode(), flush=True)  # noqa: T201 - it speaks to its user
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes there
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise AgentFailed(f"cannot write the answer to standard output: {error.strerror}") from error


def _run(options: argparse.Namespace) -> int:
    settings = _settings(options)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    keep_small()
    agent = Agent(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    agent.run()
    return OK


def _check_config(options: argparse.Namespace) -> int:
    settings = _settings(options)
    brokers(settings)
    probes = ", ".join(name for name, _ in settings.probe_settings()) or "none"
    _say(f"{config_file(options.config)} is well: device {settings.device}, probes: {probes}")
    return OK


def _sample_config(_options: argparse.Namespace) -> int:
    _say(sample_toml().rstrip())
    return OK


def _status(options: argparse.Namespace) -> int:
    settings = _settings(options)
    status = status_file.read(Path(settings.runtime_folder))
    age_s = (boottime_ms() - status.at_ms) / 1000 if status is not None else None
    if status is None or age_s is None or not status_file.is_running(status):
        return _not_running(settings, as_json=options.json)
    problems = _problems(status, age_s)
    if options.json:
        _say(msgspec.json.encode({"running": True, "problems": problems, "status": status}).decode())
    else:
        _say(_text(status))
        for problem in problems:
            _say(f"! {problem}")
    return TROUBLE if problems else OK


def _not_running(settings: AgentSettings, *, as_json: bool) -> int:
    held = _held_events(Path(settings.state_folder) / FILE_NAME)
    if as_json:
        _say(msgspec.json.encode({"running": False, "events_in_outbox": held}).decode())
    else:
        _say(f"the agent of {settings.device} does not run; its outbox holds {held} events")
    return NOT_RUNNING


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
    queue = status.queue
    return "\n".join(
        (
            f"device     {status.device}   agent {status.version}, pid {status.pid}",
            f"connection {'up' if status.connected else 'down'}",
            f"clock      {status.clock}",
            f"waiting    {queue.events} events, the oldest {queue.oldest_s} s old",
            f"probes     {', '.join(status.probes) or 'none'}",
        )
    )


if __name__ == "__main__":
    sys.exit(main())
