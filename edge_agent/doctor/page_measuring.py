"""The measurements behind the phone's page: `doctor` and `status` as short processes, only while somebody looks.

A process and not a thread: one that hangs in a resolver or a dying disk is ended, and nothing of it stays.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

import msgspec

from edge_agent.doctor import report
from edge_agent.doctor.page_html import Measured
from edge_agent.words import LANGUAGES, Language

EVERY_S: Final = 60
"""A measurement takes some 10 kB on the line, and half a second of a Raspberry Pi."""
SOONEST_S: Final = 5.0
LIMIT_S: Final = 90.0


class Measuring:
    """One measurement at a time. Safe to use from every thread."""

    def __init__(self, config_file: Path, device: str) -> None:
        self._command = [sys.executable, "-m", "edge_agent.cli", "--config", str(config_file)]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._done_s: float | None = None
        self._status: dict[Language, list[str]] = {}
        self._closed = False
        self._last = Measured(device=device, every_s=EVERY_S)

    def look(self, language: Language) -> Measured:
        """What was measured last; somebody looks, so it is measured again if that is old."""
        if self._done_s is None or time.monotonic() - self._done_s >= EVERY_S:
            self.measure()
        with self._lock:
            age_s = 0 if self._done_s is None else round(time.monotonic() - self._done_s)
            measuring = self._thread is not None and self._thread.is_alive()
            lines = self._status.get(language, [])
            return msgspec.structs.replace(self._last, age_s=age_s, measuring=measuring, status_lines=lines)

    def measure(self) -> None:
        """Begin, unless one is under way or has just ended."""
        with self._lock:
            busy = self._thread is not None and self._thread.is_alive()
            fresh = self._done_s is not None and time.monotonic() - self._done_s < SOONEST_S
            if busy or fresh or self._closed:
                return
            self._thread = threading.Thread(target=self._run, name="measuring", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End what is under way."""
        with self._lock:
            self._closed = True
            process, thread = self._process, self._thread
        if process is not None:
            process.kill()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        status = {language: self._ask("status", "--lang", language) for language in LANGUAGES}
        said = self._ask("doctor", "--json")
        problem, findings = "", None
        try:
            findings = report.read(said).findings()
        except msgspec.MsgspecError:
            problem = said.strip()[-200:] or f"> {LIMIT_S:.0f} s"
        with self._lock:
            self._status = {language: text.splitlines() for language, text in status.items()}
            kept = self._last.findings if findings is None else findings
            self._last = msgspec.structs.replace(self._last, findings=kept, problem=problem)
            self._done_s = time.monotonic()

    def _ask(self, *arguments: str) -> str:
        """What one command says; what it says on stderr if that is all."""
        with self._lock:
            if self._closed:
                return ""
            self._process = process = subprocess.Popen(
                [*self._command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        try:
            out, errors = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, errors = process.communicate()
        with self._lock:
            self._process = None
        return (out or errors).decode(errors="replace")
