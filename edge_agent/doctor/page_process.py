"""Switching the phone's page on and off: a process of its own, as the agent's user, that ends by itself.

Who may start a process as the agent's user, or as root, may switch it on; there is no socket and no file by which
anybody else could ask for it. The code goes to the process through a pipe, never over a command line or a file.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from edge_agent.clock import boottime_ms
from edge_agent.doctor.owner import become_owner
from edge_agent.doctor.page_measuring import Measuring
from edge_agent.doctor.page_rules import is_code
from edge_agent.doctor.phone_page import DEFAULT_PORT, PhonePage, local_addresses
from edge_agent.doctor.place import find_place
from edge_agent.errors import AgentFailed, ConfigError
from edge_agent.status_file import is_process

NAME: Final = "page.json"
MAX_MINUTES: Final = 240
_START_S: Final = 30.0
_DATA_BYTES: Final = 256 << 20
"""RLIMIT_DATA of the page and of what it starts: room for its threads, and the player keeps its memory."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What the process is given on its standard input."""

    code: str
    minutes: Annotated[int, Meta(ge=1, le=MAX_MINUTES)] = 30
    port: Annotated[int, Meta(ge=0, le=65535)] = DEFAULT_PORT


class Open(Struct, frozen=True, kw_only=True):
    """A page that is on, as its process notes in the runtime folder: where it is, never its code."""

    pid: int
    at_ms: int
    until_ms: int
    """CLOCK_BOOTTIME."""
    urls: list[str]

    @property
    def minutes_left(self) -> int:
        """Rounded up."""
        return max(0, -(-(self.until_ms - boottime_ms()) // 60_000))


class _Answer(Struct, frozen=True, kw_only=True):
    """What the process says once: it serves, or why it cannot."""

    urls: list[str] = []
    error: str = ""


def switch_on(config_file: Path, wanted: Wanted) -> list[str]:
    """Start the process; where its page is. AgentFailed if it cannot serve."""
    if not is_code(wanted.code):
        raise ConfigError(f"the page's code has to be six digits, not {len(wanted.code)} characters of another kind")
    process = subprocess.Popen(
        [sys.executable, "-m", "edge_agent.cli", "--config", str(config_file), "page", "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(msgspec.json.encode(wanted), timeout=_START_S)
        answer = msgspec.json.decode(out, type=_Answer)
    except (subprocess.TimeoutExpired, msgspec.MsgspecError) as error:
        process.kill()
        raise AgentFailed(f"the page's process did not begin: {error}") from error
    if answer.error:
        raise AgentFailed(answer.error)
    return answer.urls


def find(runtime_folder: Path) -> Open | None:
    """The page that is on; None if none is."""
    try:
        noted = msgspec.json.decode((runtime_folder / NAME).read_bytes(), type=Open)
    except (OSError, msgspec.MsgspecError):
        return None
    return noted if is_process(noted.pid, noted.at_ms) else None


def switch_off(runtime_folder: Path) -> bool:
    """End the page; whether there was one. To be asked as the agent's user, whose file says which process that is."""
    noted = find(runtime_folder)
    if noted is None:
        return False
    with suppress(ProcessLookupError):  # its time was over
        _end_process(noted.pid, runtime_folder / NAME)
    end_s = time.monotonic() + _START_S
    while is_process(noted.pid, noted.at_ms) and time.monotonic() < end_s:
        time.sleep(0.02)
    (runtime_folder / NAME).unlink(missing_ok=True)
    return True


def _end_process(pid: int, file: Path) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except PermissionError as error:
        raise AgentFailed(f"{file} names process {pid}, which is not the page's; remove that file") from error


def serve(config_file: Path) -> None:
    """The process itself: reads what is wanted, answers once, serves until its time is over or SIGTERM."""
    given = sys.stdin.buffer.read(4096)
    if os.fork():
        os._exit(0)  # whoever started it need not look after it
    try:
        _limit_data()
        wanted = msgspec.json.decode(given, type=Wanted)
        page, noted, file = _begin(config_file, wanted)
    except (OSError, msgspec.MsgspecError, AgentFailed) as error:
        _say(_Answer(error=str(error)))
        return
    signal.signal(signal.SIGTERM, lambda *_: _end())
    _say(_Answer(urls=noted.urls))
    try:
        page.serve()
    except SystemExit:
        pass
    finally:
        file.unlink(missing_ok=True)


def _limit_data() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _DATA_BYTES if most == resource.RLIM_INFINITY else min(_DATA_BYTES, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _begin(config_file: Path, wanted: Wanted) -> tuple[PhonePage, Open, Path]:
    place = find_place(config_file)
    if place.settings is None:
        raise AgentFailed(place.problem)
    state, runtime = Path(place.settings.state_folder), Path(place.settings.runtime_folder)
    _make(runtime, state)
    become_owner(state)
    until_s = time.monotonic() + wanted.minutes * 60
    measuring = Measuring(config_file, place.device or "-")
    try:
        page = PhonePage(measuring, wanted.code, port=wanted.port, until_s=until_s, own=local_addresses)
    except OSError as error:
        raise AgentFailed(
            f"port {wanted.port} cannot be used ({error.strerror}); give another one by --port"
        ) from error
    urls = [f"http://{address}:{page.port}/" for address in local_addresses() or ["127.0.0.1"]]
    now_ms = boottime_ms()
    noted = Open(pid=os.getpid(), at_ms=now_ms, until_ms=now_ms + wanted.minutes * 60_000, urls=urls)
    file = runtime / NAME
    file.write_bytes(msgspec.json.encode(noted))
    return page, noted, file


def _make(runtime: Path, state: Path) -> None:
    """The service manager takes it away with the agent; then it is made again, of the agent's user."""
    if runtime.is_dir():
        return
    runtime.mkdir(mode=0o750, parents=True)
    if os.geteuid() == 0 and state.is_dir():
        owner = state.stat()
        os.chown(runtime, owner.st_uid, owner.st_gid)


def _end() -> None:
    raise SystemExit(0)


def _say(answer: _Answer) -> None:
    """The answer, and then nothing more: whoever waits reads to the end."""
    os.write(1, msgspec.json.encode(answer))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nowhere, number)
    os.close(nowhere)
