"""Real TimescaleDB with the community features, for tests: WebAssembly in a process of Node, all in memory.

What differs from a PostgreSQL server: there is one backend. A transaction keeps all other connections waiting until it
ends, and one that waits for an idle transaction gets LockNotAvailable after `patience_s`. Nothing can be cancelled or
timed out, advisory locks never wait, LISTEN hears nothing of other connections, no background job starts by itself
(CALL run_job), temporary tables are visible to all. Settings, roles, transactions and prepared statements are each
connection's own. Nobody is asked for a password; any role that exists may log in.
"""

from __future__ import annotations

import select
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from simulator import processes
from simulator.errors import ServerError
from simulator.ports import HOST
from simulator.server import LoopbackServer
from tests.timescale.packages import installed, program

SCRIPT: Final = Path(__file__).resolve().parent / "server.mjs"
USER: Final = "postgres"
DATABASE: Final = "template1"
"""The only one there is: CREATE DATABASE is of no use."""
_ANSWER_S: Final = 60.0
"""It takes milliseconds."""


class Timescale(LoopbackServer):
    """One server; `folder` holds its port and its log. start() is for the main thread: with it the server ends.

    It also ends with this process, however that ends. What it holds is gone when it stops.
    """

    title = "TimescaleDB"

    def __init__(self, folder: Path, *, patience_s: float = 10, start_timeout_s: float = 120) -> None:
        super().__init__(folder, start_timeout_s)
        self.patience_s = patience_s

    @property
    def dsn(self) -> str:
        """Where and how to connect, as the owner of everything."""
        return self.dsn_for(USER)

    def dsn_for(self, role: str) -> str:
        """As `dsn`, for another role."""
        return f"postgresql://{role}@{HOST}:{self.port}/{DATABASE}"

    def keep(self, name: str) -> None:
        """Remember under `name` what the server holds now, in memory and out of transactions; ends all connections."""
        self._command(f"keep {name}")

    def reset(self, name: str) -> None:
        """The server holds again what `keep(name)` found: schema, rows, roles, jobs; ends all connections."""
        self._command(f"reset {name}")

    def _launch(self) -> subprocess.Popen[bytes]:
        command = [program("node"), str(SCRIPT), str(installed()), str(self.port), str(self.patience_s)]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                # It sees the end of its standard input, but not while a statement runs.
                processes.leashed(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                bufsize=0,  # a line is written at once, and none waits where select() does not see it
            )

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.stdout is not None
        return _has_said_something(process.stdout, 0) and process.stdout.readline() == f"READY {self.port}\n".encode()

    def _command(self, line: str) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise ServerError(f"the {self.title} of {self.folder} is not running; call start() first")
        with suppress(BrokenPipeError):  # it has ended, and its answer says so
            process.stdin.write(f"{line}\n".encode())
        if not _has_said_something(process.stdout, _ANSWER_S):
            self.kill()
            raise ServerError(self._failure(f"was killed: busy with a statement, it did not do: {line}"))
        if process.stdout.readline() != f"{line}\n".encode():
            self.kill()
            raise ServerError(self._failure(f"ended instead of doing: {line}"))

    def _release(self) -> None:
        process = self._process
        super()._release()
        if process is not None and process.stdout is not None:
            process.stdout.close()


def _has_said_something(pipe: IO[bytes], timeout_s: float) -> bool:
    """Whether a line, or the end, can be read within the time."""
    ready, _, _ = select.select([pipe], [], [], timeout_s)
    return bool(ready)
