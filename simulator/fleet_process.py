"""Some ten simulated devices in one process, that can be killed and started again over the same folders.

`python -m simulator.fleet_process` reads a `Part` as one JSON line from its standard input and runs it; it says how it
is (`Report`) on standard output, a JSON line a second. The line `finish` ends all offline spells and the agents, and
brings out what is left. When its standard input ends its parent is gone, however that came, and so is this process.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import threading
import time
from io import FileIO, RawIOBase
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from edge_agent.errors import AgentError
from edge_agent.outbox.errors import OutboxError
from simulator.border import Device
from simulator.device import SimulatedDevice
from simulator.draining import drain
from simulator.errors import SimulatorError
from simulator.place import TRUTH, Place
from simulator.spells import Spells

FINISH: Final = b"finish\n"
_REPORT_S: Final = 1.0
_ONLINE_S: Final = 5.0
log = logging.getLogger(__name__)


class Part(Struct, frozen=True, kw_only=True):
    """What one process simulates. `seed` names the stories; a restart has another, as life goes on."""

    root: str
    broker_port: int
    seed: str
    devices: list[Device]
    spells: bool = True
    finish_s: float = 60.0


class Report(Struct, frozen=True, kw_only=True):
    """How a process is: devices online, taken off the network on purpose, and events that wait."""

    online: int = 0
    offline: int = 0
    waiting: int = 0
    dropped: int = 0
    left: int | None = None
    """After the end: events that could not be brought out in time."""
    failures: list[str] = []


class Fleet:
    """The devices of one process."""

    def __init__(self, part: Part) -> None:
        self._part = part
        root = Path(part.root)
        self._devices = [
            SimulatedDevice(device, Place(root, device.name), part.broker_port, part.seed, root / TRUTH)
            for device in part.devices
        ]
        chance = random.Random(f"{part.seed}/{part.devices[0].name}/spells")
        self._spells = Spells([one.device.name for one in self._devices], chance) if part.spells else None
        self._by_name = {one.device.name: one for one in self._devices}

    def start(self) -> None:
        """Start all agents."""
        for device in self._devices:
            device.start()

    def tick(self, now_s: float) -> None:
        """Begin and end the offline spells that are due."""
        for name, offline in self._spells.due(now_s) if self._spells is not None else ():
            self._by_name[name].set_offline(offline=offline)

    def report(self) -> Report:
        """How it is now."""
        return Report(
            online=sum(device.agent.courier.online for device in self._devices),
            offline=sum(device.offline for device in self._devices),
            waiting=sum(device.waiting() for device in self._devices),
            dropped=sum(device.agent.recorder.dropped for device in self._devices),
            failures=[f"{device.device.name}: {device.failure}" for device in self._devices if device.failure],
        )

    def finish(self) -> Report:
        """End all spells and agents, and bring out what is left, within the part's `finish_s`."""
        deadline = time.monotonic() + self._part.finish_s
        for device in self._devices:
            if device.offline:
                device.set_offline(offline=False)
        self._wait_online(min(deadline, time.monotonic() + _ONLINE_S))
        for device in self._devices:
            device.send_visitors_away()
        last = self.report()
        for device in self._devices:
            device.stop()
        for device in self._devices:
            device.join()
        left = drain([device.settings for device in self._devices], max(deadline - time.monotonic(), 1.0))
        return msgspec.structs.replace(last, online=0, offline=0, waiting=left, left=left)

    def _wait_online(self, deadline: float) -> None:
        while time.monotonic() < deadline and not all(device.agent.courier.online for device in self._devices):
            time.sleep(0.05)


def _listen(pipe: RawIOBase, finish: threading.Event) -> None:
    while line := pipe.readline():
        if line == FINISH:
            finish.set()
    os._exit(0)  # nobody is left to simulate for; what was accepted is in the outboxes


def _run(part: Part, finish: threading.Event) -> int:
    fleet = Fleet(part)
    fleet.start()
    while not finish.wait(_REPORT_S):
        fleet.tick(time.monotonic())
        _say(fleet.report())
    last = fleet.finish()
    _say(last)
    return 1 if last.left or last.failures else 0


def _say(report: Report) -> None:
    try:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(0)


def main() -> int:
    """The process; 0 after `finish` if the hub has everything, 1 if not, 2 if the agents cannot run."""
    logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    # Ten agents are some sixty threads that mostly wait; a small stack each is enough.
    threading.stack_size(512 * 1024)
    finish = threading.Event()
    # Without a buffer, whose lock the listening thread would hold when this process ends.
    commands = FileIO(sys.stdin.fileno(), closefd=False)
    part = msgspec.json.decode(commands.readline(), type=Part)
    threading.Thread(target=_listen, args=(commands, finish), daemon=True).start()
    try:
        return _run(part, finish)
    except (AgentError, OutboxError, SimulatorError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
