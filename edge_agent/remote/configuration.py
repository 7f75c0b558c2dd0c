"""The hub's configuration over the device's own: what wins, what cannot be, what waits for the next start. Pure.

Key by key the hub wins over the device's file and its environment; what the hub leaves out stays as the file has it.
The file alone says who the device is, where its hub and its folders are, which probes are on, and whether the hub may
set anything at all (`remote.configuration`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from contract.config import DeviceConfig, problems
from edge_agent.uplink import Pace

if TYPE_CHECKING:
    from edge_agent.config import AgentSettings

_PLAYERS: Final = ("chromium", "mpv")


def refusals(config: DeviceConfig, disk_bytes: int | None) -> list[str]:
    """Why this device cannot take it; `disk_bytes` is the size of the disk that its outbox is on, if that is known."""
    found = problems(config)
    wanted = config.limits.outbox_max_bytes
    if wanted is not None and disk_bytes is not None and wanted > disk_bytes:
        found.append(f"limits.outbox_max_bytes is {wanted}, and the disk has {disk_bytes} bytes in all")
    return found


def merged(settings: AgentSettings, config: DeviceConfig | None) -> AgentSettings:
    """The device's own settings with what the hub sets."""
    if config is None:
        return settings
    limits, intervals = config.limits, config.intervals
    outbox, playlog = settings.outbox, settings.playlog
    if limits.outbox_max_bytes is not None:
        outbox = replace(outbox, max_bytes=limits.outbox_max_bytes)
    if intervals.slice_s is not None:
        playlog = replace(playlog, slice_s=intervals.slice_s)
    return replace(settings, outbox=outbox, playlog=playlog, probes=_probes(settings.probes, config))


def probe_intervals(config: DeviceConfig) -> dict[str, float]:
    """Seconds between two looks by kind of probe, of those that the hub sets."""
    intervals = config.intervals
    found = {"system": intervals.health_s, "screen": intervals.screen_s} | dict.fromkeys(_PLAYERS, intervals.look_s)
    return {kind: float(seconds) for kind, seconds in found.items() if seconds is not None}


def pace(config: DeviceConfig | None) -> Pace:
    """How often the device speaks."""
    usual = Pace()
    if config is None:
        return usual
    alive_s, hello_s = config.intervals.alive_s, config.intervals.hello_s
    return Pace(
        usual.alive_ms if alive_s is None else alive_s * 1000,
        usual.hello_ms if hello_s is None else hello_s * 1000,
    )


def from_next_start(before: DeviceConfig | None, after: DeviceConfig) -> list[str]:
    """Keys that have changed and hold from the agent's next start only."""
    known = before.intervals.slice_s if before is not None else None
    return ["intervals.slice_s"] if after.intervals.slice_s != known else []


def _probes(probes: dict[str, dict[str, Any]], config: DeviceConfig) -> dict[str, dict[str, Any]]:
    """Only of those that the device's file has switched on."""
    wanted = probe_intervals(config)
    return {name: {**table, "interval_s": wanted[name]} if name in wanted else table for name, table in probes.items()}
