"""The simulated devices as the demo sees them: some ten a process, each process killed and started again at will."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec.structs import replace

from simulator.border import Device
from simulator.child import Child
from simulator.errors import SimulatorError, tail
from simulator.fleet_process import FINISH, Part, Report

DEVICES_A_PROCESS: Final = 10
MIN_PROCESSES: Final = 3
_decoder: Final = msgspec.json.Decoder(Report)


class FleetError(SimulatorError):
    """A process of simulated devices ended by itself. The text has the end of its log."""


def split(devices: Sequence[Device]) -> list[list[Device]]:
    """Some ten devices a process, and three processes at least, so that a third of them can be killed."""
    count = min(len(devices), max(MIN_PROCESSES, ceil(len(devices) / DEVICES_A_PROCESS)))
    return [list(devices[at::count]) for at in range(count)]


class FleetProcess:
    """One process of simulated devices."""

    def __init__(self, part: Part, number: int) -> None:
        self._part = part
        log = Path(part.root) / f"fleet-{number}.log"
        self._child = Child([sys.executable, "-m", "simulator.fleet_process"], log)
        self._starts = 0
        self.devices = part.devices
        self.report = Report()
        """The latest that it said."""

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._child.running

    def start(self) -> None:
        """Start it over the folders that it had before, with another story. Main thread only."""
        self._starts += 1
        part = replace(self._part, seed=f"{self._part.seed}/{self._starts}")
        self._child.start(pipes=True)
        self._child.tell(msgspec.json.encode(part) + b"\n")
        threading.Thread(target=self._read, args=(self._child.said,), name="fleet reports", daemon=True).start()

    def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()
        self.report = Report(waiting=self.report.waiting)

    def check(self) -> None:
        """FleetError if it has ended by itself or an agent in it has."""
        if self.report.failures:
            raise FleetError("\n".join(self.report.failures))
        if self._child.exit_code is not None:
            said = tail(self._child.log.read_text(errors="replace"))
            raise FleetError(f"simulated devices ended (exit code {self._child.exit_code}); {self._child.log}:\n{said}")

    def finish(self) -> None:
        """Ask it to end its agents and to bring out what they hold."""
        self._child.tell(FINISH)

    def wait(self, timeout_s: float) -> int:
        """Wait for the end; how many events it could not bring out. Killed if it takes too long."""
        deadline = time.monotonic() + timeout_s
        ended = self._child.wait(timeout_s)
        while ended and self.report.left is None and time.monotonic() < deadline and self._child.exit_code in (0, 1):
            time.sleep(0.02)  # its last report is still being read
        self._child.kill()
        return self.report.waiting if self.report.left is None else self.report.left

    def _read(self, said: BinaryIO) -> None:
        with said:
            for line in said:
                if line.endswith(b"\n"):
                    self.report = _decoder.decode(line)
