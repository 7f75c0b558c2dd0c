"""Whether the clock is right. Wrong times are repaired from the hub's; a clock before the floor is wrong for sure."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from edge_agent.clock import kernel_synchronised
from edge_agent.clock_floor import BUILT_MS, FloorFile
from edge_agent.doctor.checks.certificate import CERTIFICATE
from edge_agent.doctor.finding import Finding, fail, ok, warn
from edge_agent.doctor.place import Place
from edge_agent.doctor.x509_dates import dates

FAR_MS: Final = 120_000


class Reading(Struct, frozen=True, kw_only=True):
    """What is known of the clock. `agent_knows`: the running agent has the right time, from NTP or the hub."""

    wall_ms: int
    floor_ms: int
    synchronised: bool
    offset_ms: int | None = None
    agent_knows: bool = False


def judge(reading: Reading) -> Finding:
    """The worst that can be said of it."""
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(reading.wall_ms / 1000))
    if reading.wall_ms < reading.floor_ms:
        said = "clock.behind_floor_known" if reading.agent_knows else "clock.behind_floor"
        return (warn if reading.agent_knows else fail)("clock", said, now=now)
    if reading.offset_ms is not None and abs(reading.offset_ms) > FAR_MS:
        return warn("clock", "clock.far", now=now, seconds=round(reading.offset_ms / 1000))
    if reading.synchronised:
        offset_s = 0.0 if reading.offset_ms is None else round(reading.offset_ms / 1000, 1)
        return ok("clock", "clock.well", now=now, seconds=offset_s)
    if reading.agent_knows:
        return ok("clock", "clock.by_hub", now=now, seconds=round((reading.offset_ms or 0) / 1000, 1))
    return warn("clock", "clock.unknown", now=now)


def check(place: Place) -> Iterator[Finding]:
    """Kernel, running agent, and times that lie in the past for sure."""
    status = place.status
    yield judge(
        Reading(
            wall_ms=place.wall_ms(),
            floor_ms=_floor_ms(place),
            synchronised=kernel_synchronised(),
            offset_ms=status.clock_offset_ms if status is not None else None,
            agent_knows=status is not None and status.clock == "synced",
        )
    )


def _floor_ms(place: Place) -> int:
    """The agent's own: when it was made, the last time that it noted, when our certificate begins."""
    if place.settings is None:
        return BUILT_MS
    state = Path(place.settings.state_folder)
    begins_ms = 0
    with suppress(OSError, ValueError):  # `certificate` says what is wrong with it
        begins_ms = dates((state / CERTIFICATE).read_text("ascii", "replace")).begins_ms
    return max(BUILT_MS, FloorFile(state).read(), begins_ms)
