"""The machine itself: supply voltage, heat, and whether the SD card still keeps what it is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge_agent.doctor.finding import Finding, fail, ok, warn
from edge_agent.doctor.place import Place
from edge_agent.observation import Reading, Trouble, Vitals
from edge_agent.probes.sysfs import text
from edge_agent.probes.system import SystemProbe, SystemSettings

CANARY: Final = ".canary-doctor"
"""A file of its own: the running agent writes and reads another one."""
WORN_PERCENT: Final = 80
_TIGHT: Final = 2
"""So many times the configured limit of free space is a warning."""


def judge(readings: list[Reading], settings: SystemSettings, agent_faults: list[str]) -> Iterator[Finding]:
    """What one look of the system probe says; `agent_faults` are what the running agent sees right now."""
    vitals = next(reading for reading in readings if isinstance(reading, Vitals))
    failing = [reading.reason for reading in readings if isinstance(reading, Trouble)]
    if vitals.undervoltage or "undervoltage" in agent_faults:
        yield fail("power", "power.low")
    elif vitals.undervoltage is not None:
        yield ok("power", "power.well")
    if vitals.temperature_c is not None:
        celsius = round(vitals.temperature_c, 1)
        if celsius >= settings.over_temperature_c:
            yield fail("temperature", "temperature.hot", celsius=celsius, limit=settings.over_temperature_c)
        else:
            yield ok("temperature", "temperature.well", celsius=celsius)
    if vitals.disk_free_bytes is not None:
        yield _space(vitals.disk_free_bytes, settings)
    if vitals.storage_errors is not None and vitals.storage_errors > settings.storage_errors:
        yield fail("storage.errors", "storage.errors", count=vitals.storage_errors)
    elif vitals.storage_errors is not None:
        yield ok("storage.errors", "storage.no_errors")
    canary = next((reason for reason in failing if CANARY in reason), None)
    if canary is not None:
        yield fail("storage.write", "storage.forgets", reason=canary)
    else:
        yield ok("storage.write", "storage.keeps")


def _space(free_bytes: int, settings: SystemSettings) -> Finding:
    facts = {"megabytes": free_bytes // 1_000_000}
    if free_bytes < settings.low_disk_bytes:
        return fail("storage.space", "storage.full", **facts)
    if free_bytes < _TIGHT * settings.low_disk_bytes:
        return warn("storage.space", "storage.tight", **facts)
    return ok("storage.space", "storage.room", **facts)


def mounted_read_only(mounts: str, folder: str) -> bool:
    """Whether the file system that holds `folder` is mounted read-only, by /proc/mounts."""
    best, read_only = "", False
    for line in mounts.splitlines():
        words = line.split()
        if len(words) < 4:
            continue
        point = words[1].replace("\\040", " ")
        inside = point == "/" or folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, read_only = point, "ro" in words[3].split(",")
    return read_only


def worn_percent(life_time: str) -> int | None:
    """The most worn part of an eMMC by its own word (`0x01 0x03`: 10 and 30 %); None if it does not tell."""
    tenths = []
    for word in life_time.split():
        try:
            tenths.append(int(word, 16))
        except ValueError:
            return None
    known = [tenth for tenth in tenths if 0 < tenth <= 0x0B]
    return min(max(known) * 10, 100) if known else None


def judge_wear(percent: int | None) -> Iterator[Finding]:
    """Nothing is said of a medium that does not tell, as SD cards do not."""
    if percent is not None and percent >= WORN_PERCENT:
        yield warn("storage.wear", "storage.worn", percent=percent)
    elif percent is not None:
        yield ok("storage.wear", "storage.fresh", percent=percent)


def check(place: Place) -> Iterator[Finding]:
    """One look of the system probe, with a canary of its own."""
    if place.settings is None:
        return
    state = Path(place.settings.state_folder)
    if not state.is_dir():
        yield fail("storage.write", "storage.no_folder", folder=str(state))
        return
    if mounted_read_only(text(place.root / "proc/mounts") or "", str(state.resolve())):
        yield fail("storage.mount", "storage.read_only", folder=str(state))
    settings = _settings(place)
    probe = SystemProbe(settings, root=place.root, canary_name=CANARY)
    yield from judge(list(probe.read()), settings, place.status.faults if place.status is not None else [])
    (state / CANARY).unlink(missing_ok=True)
    wears = [worn_percent(text(path) or "") for path in place.root.glob("sys/block/mmcblk*/device/life_time")]
    yield from judge_wear(max((wear for wear in wears if wear is not None), default=None))


def _settings(place: Place) -> SystemSettings:
    assert place.settings is not None  # noqa: S101 - `check` has looked
    for name, settings in place.settings.probe_settings():
        if name == "system" and isinstance(settings, SystemSettings):
            return settings
    return SystemSettings(state_folder=place.settings.state_folder)
