"""What the kernel's display driver (DRM) knows of each screen's power.

Connected is not lit: an output that is on says nothing about the panel behind it, so `panel_on` is then unknown. It is
known to be off where nothing is plugged in, the output is off, or a built-in panel's backlight is switched off.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from contract.events import ScreenState
from contract.ids import Name
from edge_agent.clock import boottime_ms
from edge_agent.observation import Reading, ScreenPower, Trouble
from edge_agent.probes.base import ProbeError
from edge_agent.probes.sysfs import folders, number, text

MAIN: Final = "main"
"""The screen's name where none is configured."""
_BUILT_IN: Final = ("eDP", "LVDS", "DSI", "DPI")
_NO_OUTPUT: Final = "Writeback"
_STATUSES: Final = ("connected", "disconnected", "unknown")
_BACKLIGHT_ON: Final = 0

ConnectorName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9-]{1,40}\Z", description="As under /sys/class/drm: HDMI-A-1, or card1-HDMI-A-1.")
]


class ScreenSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Which outputs of the machine are which screens."""

    connectors: Annotated[
        dict[ConnectorName, Name],
        Meta(description="Screen of each connector; if empty, the first connected one is the screen `main`."),
    ] = {}
    interval_s: Annotated[float, Meta(ge=0.5, le=60, description="Seconds between two looks.")] = 2.0

    def __post_init__(self) -> None:
        if len(set(self.connectors.values())) < len(self.connectors):
            raise ValueError("two connectors are the same screen; give each a name of its own")


class Connector(Struct, frozen=True):
    """One output as the driver describes it; None is what it does not say."""

    card: str
    name: str
    status: str
    enabled: str | None
    dpms: str | None

    @property
    def path_name(self) -> str:
        """Its name among the outputs of all cards."""
        return f"{self.card}-{self.name}"

    @property
    def state(self) -> ScreenState:
        """Whether a display is there, and whether it is given a picture."""
        if self.status == "disconnected":
            return "disconnected"
        off = self.enabled == "disabled" or (self.dpms or "").lower() in {"off", "standby", "suspend"}
        return "asleep" if off else "active"


class Backlight(Struct, frozen=True):
    """A backlight that the kernel controls."""

    brightness: int | None
    max_brightness: int | None
    power: int | None

    @property
    def percent(self) -> int | None:
        """Its brightness, 0 to 100."""
        if self.brightness is None or not self.max_brightness or not 0 <= self.brightness <= self.max_brightness:
            return None
        return round(100 * self.brightness / self.max_brightness)

    @property
    def is_off(self) -> bool:
        """Whether it is switched off: 0 is on, anything else is a degree of off."""
        return self.power is not None and self.power != _BACKLIGHT_ON


class Wired(Struct, frozen=True):
    """A screen and its connector; None if there is no such connector."""

    screen: str
    wanted: str
    connector: Connector | None


class ScreenProbe:
    """Reads the outputs under `root`."""

    def __init__(
        self, settings: ScreenSettings, *, root: Path = Path("/"), now_ms: Callable[[], int] = boottime_ms
    ) -> None:
        self.name = "screen"
        self.interval_s = settings.interval_s
        self._settings, self._root, self._now_ms = settings, root, now_ms
        self._main: str | None = None
        self._closing = threading.Event()

    def read(self) -> Sequence[Reading]:
        """The power of every screen, and the screens that are not there. Raises ProbeError without any output."""
        at_ms = self._now_ms()
        connectors = _connectors(self._root)
        if self._settings.connectors:
            wired = wire(connectors, self._settings.connectors)
        else:
            main = choose_main(connectors, self._main)
            self._main = main.path_name
            wired = [Wired(MAIN, main.path_name, main)]
        return view(at_ms, wired, _backlight(self._root))

    def wait(self, timeout_s: float) -> None:
        """Return after `timeout_s`: the kernel's files tell of no change by themselves."""
        self._closing.wait(timeout_s)

    def close(self) -> None:
        """A `wait` under way returns."""
        self._closing.set()


def choose_main(connectors: Sequence[Connector], before: str | None) -> Connector:
    """The output that is the screen `main`: the one it was before, unless only others have a display."""
    outputs = [connector for connector in connectors if not connector.name.startswith(_NO_OUTPUT)]
    if not outputs:
        raise ProbeError(
            "no display output under /sys/class/drm; load the kernel's display driver (Raspberry Pi: "
            "dtoverlay=vc4-kms-v3d), or switch this probe off where there is no screen"
        )
    # min() keeps the first of equals.
    return min(outputs, key=lambda output: (output.status != "connected", output.path_name != before))


def wire(connectors: Sequence[Connector], screens: dict[str, str]) -> list[Wired]:
    """Each configured screen with its output; of outputs of the same name on two cards the one with a display."""
    return [Wired(screen, wanted, _named(connectors, wanted)) for wanted, screen in screens.items()]


def _named(connectors: Iterable[Connector], wanted: str) -> Connector | None:
    named = [connector for connector in connectors if wanted in {connector.name, connector.path_name}]
    return min(named, key=lambda connector: connector.status != "connected", default=None)


def view(at_ms: int, wired: Sequence[Wired], backlight: Backlight | None) -> list[Reading]:
    """What there is to say of the screens and their outputs."""
    readings: list[Reading] = []
    for one in wired:
        connector = one.connector
        if connector is None:
            reason = f"{one.screen}: this machine has no output {one.wanted}"
            readings.append(Trouble(code="screen_missing", reason=reason))
            continue
        # The kernel does not say whose a backlight is; an external monitor has none of its own there.
        own = backlight if connector.name.startswith(_BUILT_IN) else None
        readings.append(power(at_ms, one.screen, connector, own))
        if connector.state == "disconnected":
            reason = f"{one.screen}: no display on {connector.name}"
            readings.append(Trouble(code="screen_disconnected", reason=reason))
    return readings


def power(at_ms: int, screen: str, connector: Connector, backlight: Backlight | None) -> ScreenPower:
    """One screen's power; `backlight` is its own, if it has one."""
    state: ScreenState = connector.state
    if state == "active" and backlight is not None and backlight.is_off:
        state = "asleep"
    known_off: Literal[False] | None = None if state == "active" else False
    brightness = backlight.percent if backlight is not None and state != "disconnected" else None
    return ScreenPower(at_ms=at_ms, screen=screen, state=state, panel_on=known_off, brightness=brightness)


def _connectors(root: Path) -> list[Connector]:
    connectors = []
    for folder in folders(root, "sys/class/drm/card*-*"):
        card, _, name = folder.name.partition("-")
        status, enabled, dpms = (text(folder / file) for file in ("status", "enabled", "dpms"))
        if status in _STATUSES:
            connectors.append(Connector(card, name, status, enabled, dpms))
    return connectors


def _backlight(root: Path) -> Backlight | None:
    for folder in folders(root, "sys/class/backlight/*"):
        brightness, largest, power_state = (
            number(folder / file) for file in ("brightness", "max_brightness", "bl_power")
        )
        return Backlight(brightness, largest, power_state)
    return None
