"""A process of the demo: in a session of its own, with a log, killed with its descendants, gone when the demo is."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from simulator.processes import leashed

PROJECT: Final = Path(__file__).resolve().parent.parent
"""Where `-m` finds these modules, installed or not."""


class Child:
    """Started by `start`, which only the main thread may call. What it says goes to the end of `log`."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command, self.log = command, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, pipes: bool = False) -> None:
        """Start it; with `pipes` its standard input and output are ours. OSError if the program is not there."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                leashed(self._command),
                stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipes else log,
                stderr=log,
                cwd=PROJECT,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended; None before."""
        return None if self._process is None else self._process.poll()

    @property
    def said(self) -> BinaryIO:
        """Its standard output, if it was started with pipes."""
        return self._pipe(self._process and self._process.stdout)

    def tell(self, line: bytes) -> None:
        """A line for its standard input, if it was started with pipes; nothing if it is gone."""
        pipe = self._pipe(self._process and self._process.stdin)
        with suppress(BrokenPipeError):
            pipe.write(line)
            pipe.flush()

    def terminate(self) -> None:
        """Ask it to end."""
        if self._process is not None and self.running:
            self._process.terminate()

    def wait(self, timeout_s: float) -> bool:
        """Whether it ended within the time."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(timeout_s, 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL to it and to what it started; returns when it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()

    @staticmethod
    def _pipe(pipe: object) -> BinaryIO:
        if pipe is None:
            raise ValueError("started without pipes")
        return pipe  # type: ignore[return-value]
