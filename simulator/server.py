"""What all servers of the demo and the tests have in common: a child process on a loopback port of its own.

It runs in a session of its own, so that Ctrl-C on the terminal reaches only us, and can be killed and started again on
the same port.
"""

from __future__ import annotations

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from simulator.errors import ServerError, tail
from simulator.ports import HOST, accepts, is_free, kept_port

_POLL_S = 0.02
_STOP_S = 30.0


class LoopbackServer(ABC):
    """One server over `folder`, which is made (0700) if missing. Not for use from several threads at once."""

    title: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Path, start_timeout_s: float) -> None:
        self.folder = folder.absolute()
        self.start_timeout_s = start_timeout_s
        self.log = self.folder / "server.log"
        self._port: int | None = None
        self._held = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port, the same after every restart. Raises ServerError before the first start()."""
        if self._port is None:
            raise ServerError(f"the {self.title} of {self.folder} has no port yet; call start() first")
        return self._port

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended, by itself or otherwise."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the server. Raises ServerError while it is not running."""
        if self._process is None or self._process.poll() is not None:
            raise ServerError(f"the {self.title} of {self.folder} is not running; call start() first")
        return self._process.pid

    def start(self) -> None:
        """Start the server and return when it takes connections; does nothing when it is running.

        Raises ServerError with the end of the server's log; then nothing is left running.
        """
        if self._process is not None and self._process.poll() is None:
            return
        self._release()  # of a server that ended by itself
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as undo:
            undo.callback(self.kill)
            self._held.enter_context(self._hold())
            if self._port is None:
                self._port = kept_port(self.folder / "port")
            if not is_free(self._port):
                raise ServerError(
                    f"port {self._port} of {HOST} was taken by another program; the {self.title} needs it"
                )
            self._process = self._launch()
            self._wait_until_ready(self._process)
            undo.pop_all()

    def stop(self) -> None:
        """End the server in order and wait for it; by SIGKILL if it does not end. May be called twice."""
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(self.stop_signal)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._kill(process)
        self._release()

    def kill(self) -> None:
        """End the server as a power cut does, with SIGKILL, and wait for it; start() afterwards takes the same port."""
        if self._process is not None and self._process.poll() is None:
            self._kill(self._process)
        self._release()

    def restart(self) -> None:
        """stop() and start(), on the same port."""
        self.stop()
        self.start()

    @abstractmethod
    def _launch(self) -> subprocess.Popen[bytes]:
        """Write what the server reads, and start it, most simply by `_spawn`."""

    def _hold(self) -> AbstractContextManager[None]:
        """What is held from before the port is chosen until after the server's end."""
        return nullcontext()

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether the server takes connections."""
        del process
        return accepts(self.port)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()

    def _spawn(
        self, command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, stdin: int
    ) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, stdin=stdin, stdout=log, stderr=log, cwd=cwd or self.folder, env=env, start_new_session=True
            )

    def _release(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
        self._held.close()

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self.start_timeout_s
        while not self._is_ready(process):
            if process.poll() is not None:
                raise ServerError(self._failure(f"ended with exit code {process.returncode} while starting"))
            if time.monotonic() > deadline:
                raise ServerError(self._failure(f"was not ready after {self.start_timeout_s:.0f} s"))
            time.sleep(_POLL_S)

    def _failure(self, what: str) -> str:
        said = tail(self.log.read_text(errors="replace"))
        return f"the {self.title} on port {self._port} {what}; the end of {self.log}:\n{said}"
