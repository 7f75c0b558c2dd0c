"""Everything that a demo runs, put together over one folder: servers, the simulated border, real players."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from edge_agent.observation import Content
from simulator import border
from simulator.border import Device
from simulator.broker import EmbeddedBroker
from simulator.catalogue import approved
from simulator.catalogue_file import RealItem
from simulator.errors import ServerError, SimulatorError
from simulator.fleet import FleetProcess, split
from simulator.fleet_process import Part
from simulator.hub import USER, HubProcess
from simulator.imports import imports
from simulator.kills import Kill
from simulator.place import TRUTH, Place
from simulator.postgres import EmbeddedPostgres
from simulator.real_devices import RealBoard, RealDevice, RealDeviceError, RealKiosk

_EDITION: Final = 2
_VIETNAM: Final = timezone(timedelta(hours=7))
DRAIN_S: Final = 60.0
_MARGIN_S: Final = 8.0
"""Of that: for processes to end and be told of."""
_REAL: Final[tuple[tuple[str, border.Kind, type[RealKiosk | RealBoard]], ...]] = (
    ("chromium", "kiosk", RealKiosk),
    ("mpv", "led", RealBoard),
)
"""Program, kind of device, and what it becomes where the program is installed."""


class StageError(SimulatorError):
    """The folder is not this demo's. The text says what it holds and what to give instead."""


class Memory(Struct, frozen=True, kw_only=True):
    """What a folder remembers between two runs."""

    seed: int
    province: str | None
    edition: int = 0
    """Of the demo that made the folder: of its contents, and of how it registers things."""
    began_on: date
    """The day of the first run, from which the files that the hub imports count."""
    runs: int = 0
    passwords: dict[str, str] = {}
    real: list[RealItem] = []
    """What real players have shown, in all runs."""


class Stage:
    """Use with `with`; `open` starts everything, leaving the block ends it, however it is left."""

    def __init__(self, folder: Path, *, seed: int, province: str | None, tell: Callable[[str], None]) -> None:
        """BorderError, StageError if there is no such border or the folder holds another."""
        self.folder = folder
        self._tell = tell
        self.sites = border.sites(province)
        self._simulated = border.devices(self.sites, seed)
        self._real = {
            program: (device, kind)
            for program, letter, kind in _REAL
            for device in border.numbered(self.sites[0], [letter], self._simulated, note=" (thật)")
        }
        self._remember(seed, province)
        self._stack = ExitStack()
        self.seed = f"{seed}/{self._memory.runs}"
        self._players: list[RealDevice] = []
        self.real: list[RealDevice] = []
        self.fleet: list[FleetProcess] = []

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def devices(self) -> list[Device]:
        """All of them."""
        return [*self._simulated, *(real.device for real in self.real)]

    @property
    def truth(self) -> Path:
        """Where the stories note what they put on a screen that should not be there."""
        return self.folder / TRUTH

    @property
    def shown_by_right(self) -> list[Content]:
        """All that any device may show. Until a real agent has read a file's bytes it knows the name alone."""
        real = [item.content for item in self._memory.real]
        return [*approved(self._simulated), *real, *(Content(content.ref) for content in real)]

    @property
    def journals(self) -> list[Path]:
        """Of all devices of all runs over this folder."""
        return sorted(self.folder.glob("agents/*/events.journal"))

    # -- start -------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start all but the devices. SimulatorError if something does not start."""
        passwords = self._memory.passwords
        self.database = EmbeddedPostgres(self.folder / "postgres", leash=True)
        self._enter(self.database)
        self.broker = EmbeddedBroker(self.folder / "broker", passwords)
        self._enter(self.broker)
        self.hub = HubProcess(
            self.folder / "hub", dsn=self.database.dsn, broker_port=self.broker.port, password=passwords[USER]
        )
        self._enter(self.hub)
        self._leave_out_what_is_missing()
        for device, kind in self._real.values():
            self._prepare_real(kind(device, Place(self.folder, device.name), self.broker.port))
        for given in imports(self.sites, self._registered(), self._memory.real, self._memory.began_on):
            self.hub.take(given)

    def open_border(self) -> None:
        """Start the devices."""
        for device in self._registered():
            place = Place(self.folder, device.name)
            place.password_file.touch(0o600)
            place.password_file.write_text(self._memory.passwords[device.name])
        self.fleet = [self._fleet_process(devices, number) for number, devices in enumerate(split(self._simulated), 1)]
        for process in self.fleet:
            self._stack.callback(process.kill)
            process.start()
        for real in self._players:
            self._start_real(real)

    # -- while it runs -----------------------------------------------------------------------------------------------

    def online(self) -> int:
        """Devices whose agents say that the hub answers, and those that are kept offline on purpose."""
        reports = [process.report for process in self.fleet]
        return sum(report.online + report.offline for report in reports) + sum(real.online() for real in self.real)

    def waiting(self) -> int:
        """Events in outboxes, as far as told."""
        return sum(process.report.waiting for process in self.fleet) + sum(real.waiting() for real in self.real)

    def dropped(self) -> int:
        """Events that agents could not take."""
        return sum(process.report.dropped for process in self.fleet)

    def supervise(self) -> None:
        """What a service manager does: start the hub again if it has ended by itself. FleetError if agents have."""
        for process in self.fleet:
            process.check()
        for server in (self.database, self.broker, self.hub):
            if not server.running:
                self._tell(f"the {server.title} has ended by itself; starting it again")
                server.start()

    def kill(self, kill: Kill) -> None:
        """SIGKILL, a pause, and a start over the same folder."""
        if kill.target == "agents":
            process = self.fleet[kill.process]
            self._tell(f"SIGKILL: {len(process.devices)} agents ({process.devices[0].name} ...)")
            process.kill()
            time.sleep(kill.down_s)
            process.start()
            return
        server = {"broker": self.broker, "hub": self.hub, "database": self.database}[kill.target]
        self._tell(f"SIGKILL: {server.title}")
        server.kill()
        time.sleep(kill.down_s)
        server.start()

    # -- end ---------------------------------------------------------------------------------------------------------

    def finish(self) -> int:
        """End spells and agents, and drain the outboxes, for at most DRAIN_S; how many events are left in them."""
        deadline = time.monotonic() + DRAIN_S
        parts: list[FleetProcess | RealDevice] = [*self.fleet, *self.real]
        for part in parts:
            part.finish()
        return sum(part.wait(deadline - time.monotonic()) for part in parts)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _enter(self, server: EmbeddedPostgres | EmbeddedBroker | HubProcess) -> None:
        self._stack.callback(server.stop)
        server.start()

    def _fleet_process(self, devices: list[Device], number: int) -> FleetProcess:
        part = Part(
            root=str(self.folder),
            broker_port=self.broker.port,
            seed=self.seed,
            devices=devices,
            finish_s=DRAIN_S - _MARGIN_S,
        )
        return FleetProcess(part, number)

    def _registered(self) -> list[Device]:
        """All that should be there, whether its player starts or not."""
        return [*self._simulated, *(device for device, _ in self._real.values())]

    def _prepare_real(self, real: RealDevice) -> None:
        self._stack.callback(real.kill)
        with self._dark_without(real):
            shows = [item for item in real.prepare() if item not in self._memory.real]
            self._keep(msgspec.structs.replace(self._memory, real=[*self._memory.real, *shows]))
            self._players.append(real)

    def _start_real(self, real: RealDevice) -> None:
        with self._dark_without(real):
            real.start()
            self.real.append(real)

    @contextmanager
    def _dark_without(self, real: RealDevice) -> Iterator[None]:
        """A real player that does not work costs the demo that player alone."""
        try:
            yield
        except (RealDeviceError, ServerError, OSError) as error:
            self._tell(f"{real.device.name} stays dark: {error}")
            real.kill()

    def _leave_out_what_is_missing(self) -> None:
        for program in [program for program in self._real if shutil.which(program) is None]:
            device, _ = self._real.pop(program)
            self._tell(f"no real {device.kind}: {program} is not installed (apt-get install {program})")

    def _remember(self, seed: int, province: str | None) -> None:
        self._file = self.folder / "demo.json"
        memory = Memory(seed=seed, province=province, edition=_EDITION, began_on=datetime.now(_VIETNAM).date())
        if self._file.exists():
            memory = self._recall(seed, province)
        names = [USER, *(device.name for device in self._registered())]
        passwords = memory.passwords or {name: secrets.token_urlsafe(18) for name in names}
        self._keep(msgspec.structs.replace(memory, runs=memory.runs + 1, passwords=passwords))

    def _recall(self, seed: int, province: str | None) -> Memory:
        try:
            memory = msgspec.json.decode(self._file.read_bytes(), type=Memory)
        except msgspec.ValidationError:
            memory = None
        if memory is None or memory.edition != _EDITION:
            raise StageError(f"{self.folder} holds the border of another version of the demo; give another folder")
        if (memory.seed, memory.province) != (seed, province):
            has = f"--seed {memory.seed}" + (f" --province {memory.province}" if memory.province else "")
            raise StageError(f"{self.folder} holds the border of {has}; give these, or another folder")
        return memory

    def _keep(self, memory: Memory) -> None:
        self._memory = memory
        self._file.touch(0o600)
        self._file.write_bytes(msgspec.json.encode(memory))
