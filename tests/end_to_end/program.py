"""A program of ours as a real process: started, ended, killed, frozen, and its log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.patience import DEADLINE_S, until

PROJECT: Final = Path(__file__).parents[2]
AGENT: Final = Path(sys.executable).with_name("ttdn-agent")
HUB: Final = Path(sys.executable).with_name("ttdn-hub")
_OURS: Final = ("TTDN_HUB_", "TTDN_AGENT_")


def environment() -> dict[str, str]:
    """Ours without settings of another hub or agent."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        command,
        cwd=PROJECT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


class Program:
    """One command. Its standard error goes to `log`, of one start after the other."""

    def __init__(self, name: str, log: Path, command: Sequence[str | Path]) -> None:
        self.name, self.log, self._command = name, log, list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._log_begins = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.resume()
        if kind is None:
            self.stop()
        else:
            self.kill()
            print(f"--- the end of the log of {self.name}:\n{self.said()[-4000:]}")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self.running else None

    def start(self) -> None:
        """Start it and return when it works. Does nothing if it runs."""
        if self.running:
            return
        self._log_begins = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=PROJECT,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        until(self._is_ready, f"{self.name} works")

    def stop(self) -> None:
        """SIGTERM; it has to end in good order."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            code = process.wait(DEADLINE_S)
            assert code == 0, f"{self.name} ended with exit code {code}:\n{self.said()[-4000:]}"

    def kill(self) -> None:
        """SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def wait(self) -> int:
        """Its exit code, once it ends by itself."""
        assert self._process is not None
        code = self._process.wait(DEADLINE_S)
        self._process = None
        return code

    def freeze(self) -> None:
        """SIGSTOP: it lives, and does nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def said(self) -> str:
        """Its log since the last start."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_begins)
            return log.read().decode(errors="replace")

    def _is_ready(self) -> bool:
        assert self.running, f"{self.name} ended while it started:\n{self.said()[-4000:]}"
        return self._ready()

    def _ready(self) -> bool:
        """Whether it works; it runs."""
        return True

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
