"""The machine's own condition, out of /proc and /sys: heat, supply voltage, storage, memory, radio.

What a machine does not have is None, never an error. The alarm of a Raspberry Pi's supply voltage stands for two
seconds after each drop, so it is watched while waiting, and a drop between two reads is in the next one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from contract.limits import MAX_INT32, MAX_SEQ
from edge_agent.clock import boottime_ms
from edge_agent.observation import Reading, Trouble, Vitals
from edge_agent.probes.canary import FILE_NAME as CANARY_FILE
from edge_agent.probes.canary import Canary
from edge_agent.probes.sysfs import folders, number, text, whole

VOLTAGE_LOOK_S: Final = 1.0
"""Half of the time for which the kernel's driver lets an alarm stand."""
_CPU_ZONES: Final = ("cpu", "soc", "x86_pkg_temp")
_BELIEVABLE_C: Final = (-40.0, 150.0)
_BELIEVABLE_DBM: Final = (-150, -1)


class SystemSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What of the machine is looked at, and when it is a trouble."""

    state_folder: Annotated[
        str, Meta(min_length=1, description="The agent's own folder: its free space and its medium are looked at.")
    ] = "/var/lib/ttdn-agent"
    interval_s: Annotated[float, Meta(ge=5, le=3_600, description="Seconds between two looks.")] = 60.0
    canary_s: Annotated[
        float, Meta(ge=60, le=86_400, description="Seconds between two test writes to the state folder.")
    ] = 600.0
    over_temperature_c: Annotated[
        float, Meta(ge=30, le=150, description="Degrees Celsius from which on it is hot.")
    ] = 80.0
    low_disk_bytes: Annotated[
        int, Meta(ge=0, le=MAX_SEQ, description="Free bytes of the state folder's disk below which it is nearly full.")
    ] = 200_000_000
    storage_errors: Annotated[
        int, Meta(ge=0, le=MAX_INT32, description="File system errors that are not yet a trouble.")
    ] = 0


class SystemProbe:
    """Reads the machine under `root`."""

    def __init__(
        self,
        settings: SystemSettings,
        *,
        root: Path = Path("/"),
        now_ms: Callable[[], int] = boottime_ms,
        canary_name: str = CANARY_FILE,
    ) -> None:
        self.name = "system"
        self.interval_s = settings.interval_s
        self._settings, self._root, self._now_ms = settings, root, now_ms
        self._canary = Canary(Path(settings.state_folder), settings.canary_s, canary_name)
        self._has_alarm = self._voltage_dropped = False
        self._closing = threading.Event()

    def read(self) -> Sequence[Reading]:
        """The machine's vitals, and what of them is a trouble. Never raises."""
        at_ms = self._now_ms()
        vitals = Vitals(
            at_ms=at_ms,
            temperature_c=hottest_c(_zones(self._root)),
            undervoltage=self._undervoltage(),
            storage_errors=total(number(path) for path in folders(self._root, "sys/fs/ext4/*/errors_count")),
            disk_free_bytes=_free_bytes(self._settings.state_folder),
            memory_available_bytes=available_bytes(text(self._root / "proc/meminfo") or ""),
            uptime_s=min(at_ms // 1000, MAX_INT32),
            signal_dbm=strongest_dbm(text(self._root / "proc/net/wireless") or ""),
        )
        return [vitals, *troubles(vitals, self._settings, self._canary.trouble(at_ms))]

    def wait(self, timeout_s: float) -> None:
        """Return after `timeout_s`, or when the supply voltage has dropped."""
        if not self._has_alarm:
            self._closing.wait(timeout_s)
            return
        end_s = time.monotonic() + timeout_s
        while (left_s := end_s - time.monotonic()) > 0 and not self._closing.wait(min(left_s, VOLTAGE_LOOK_S)):
            if undervoltage(_alarms(self._root)) and not self._voltage_dropped:
                self._voltage_dropped = True
                return

    def close(self) -> None:
        """A `wait` under way returns."""
        self._closing.set()

    def _undervoltage(self) -> bool | None:
        """Whether the voltage is low, or was since the last read."""
        low = undervoltage(_alarms(self._root))
        self._has_alarm = low is not None
        dropped, self._voltage_dropped = self._voltage_dropped, bool(low)
        return True if dropped else low


def hottest_c(zones: Iterable[tuple[str, int | None]]) -> float | None:
    """The hottest thermal zone (type, thousandths of a degree), of the processor's if there are any."""
    believable = [
        (kind, milli / 1000)
        for kind, milli in zones
        if milli is not None and _BELIEVABLE_C[0] <= milli / 1000 <= _BELIEVABLE_C[1]
    ]
    of_cpu = [celsius for kind, celsius in believable if kind.lower().startswith(_CPU_ZONES)]
    return max(of_cpu or [celsius for _, celsius in believable], default=None)


def undervoltage(alarms: Iterable[tuple[str, int | None]]) -> bool | None:
    """Whether the Raspberry Pi's sensor (driver name, alarm) says that the supply is too low."""
    said = [alarm for name, alarm in alarms if name == "rpi_volt" and alarm in (0, 1)]
    return any(said) if said else None


def total(counts: Iterable[int | None]) -> int | None:
    """The sum of what could be counted; None if nothing could."""
    counted = [count for count in counts if count is not None and count >= 0]
    return min(sum(counted), MAX_INT32) if counted else None


def available_bytes(meminfo: str) -> int | None:
    """MemAvailable of /proc/meminfo."""
    for line in meminfo.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] == "MemAvailable:" and words[2] == "kB":
            kibibytes = whole(words[1])
            return None if kibibytes is None or kibibytes < 0 else min(kibibytes * 1024, MAX_SEQ)
    return None


def strongest_dbm(wireless: str) -> int | None:
    """The best signal level in /proc/net/wireless; drivers that count in units of their own say nothing."""
    levels = [whole(words[3].rstrip(".")) for line in wireless.splitlines() if len(words := line.split()) > 3]
    dbm = [level for level in levels if level is not None and _BELIEVABLE_DBM[0] <= level <= _BELIEVABLE_DBM[1]]
    return max(dbm, default=None)


def troubles(vitals: Vitals, settings: SystemSettings, canary: str | None) -> list[Trouble]:
    """What of the vitals is past its threshold; `canary` is why a test write failed."""
    found: list[Trouble] = []
    if vitals.temperature_c is not None and vitals.temperature_c >= settings.over_temperature_c:
        found.append(Trouble(code="over_temperature", reason=f"{vitals.temperature_c:.1f} C"))
    if vitals.undervoltage:
        found.append(Trouble(code="undervoltage", reason="the board's supply voltage is or was too low"))
    if vitals.disk_free_bytes is not None and vitals.disk_free_bytes < settings.low_disk_bytes:
        reason = f"{vitals.disk_free_bytes} bytes free for {settings.state_folder}"
        found.append(Trouble(code="low_disk", reason=reason))
    if vitals.storage_errors is not None and vitals.storage_errors > settings.storage_errors:
        found.append(Trouble(code="storage_failing", reason=f"{vitals.storage_errors} file system errors"))
    if canary is not None:
        found.append(Trouble(code="storage_failing", reason=canary))
    return found


def _zones(root: Path) -> list[tuple[str, int | None]]:
    return [
        (text(zone / "type") or "", number(zone / "temp")) for zone in folders(root, "sys/class/thermal/thermal_zone*")
    ]


def _alarms(root: Path) -> list[tuple[str, int | None]]:
    return [
        (text(sensor / "name") or "", number(sensor / "in0_lcrit_alarm"))
        for sensor in folders(root, "sys/class/hwmon/hwmon*")
    ]


def _free_bytes(folder: str) -> int | None:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return min(disk.f_bavail * disk.f_frsize, MAX_SEQ)
