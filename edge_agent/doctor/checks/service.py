"""Whether the agent runs, is alive, and does not keep being restarted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from edge_agent.doctor.finding import Finding, fail, ok, warn
from edge_agent.doctor.place import Place
from edge_agent.probes.sysfs import whole
from edge_agent.status_file import STALE_S, AgentStatus

UNIT: Final = "ttdn-agent.service"
MANY_RESTARTS: Final = 3
_TIMEOUT_S: Final = 8.0
_ASKED: Final = ("LoadState", "ActiveState", "SubState", "Result", "NRestarts", "UnitFileState")


class Unit(NamedTuple):
    """What systemd knows of the service."""

    loaded: bool
    state: str
    result: str
    restarts: int
    enabled: bool


def parse(shown: str) -> Unit | None:
    """`systemctl show` with the properties that we ask for; None if it is something else."""
    said = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    if "LoadState" not in said:
        return None
    return Unit(
        loaded=said["LoadState"] == "loaded",
        state=f"{said.get('ActiveState', '')} ({said.get('SubState', '')})",
        result=said.get("Result", ""),
        restarts=whole(said.get("NRestarts")) or 0,
        enabled=said.get("UnitFileState", "").startswith("enabled"),
    )


def judge(status: AgentStatus | None, age_s: float, unit: Unit | None) -> Iterator[Finding]:
    """`status` is that of a process that lives; `unit` is None where systemd does not keep it."""
    if status is None:
        state = f"{unit.state}, {unit.result}" if unit is not None and unit.loaded else "-"
        yield fail("service", "service.stopped", state=state)
    elif age_s > STALE_S:
        yield fail("service", "service.hangs", seconds=round(age_s))
    else:
        hours = round((status.at_ms - status.started_ms) / 3_600_000, 1)
        yield ok("service", "service.runs", version=status.version, pid=status.pid, hours=hours)
    if unit is None or not unit.loaded:
        return
    if unit.restarts > MANY_RESTARTS:
        yield warn("restarts", "service.restarts", count=unit.restarts)
    else:
        yield ok("restarts", "service.few_restarts", count=unit.restarts)
    if not unit.enabled:
        yield warn("autostart", "service.not_enabled")


def check(place: Place) -> Iterator[Finding]:
    """The status file, and systemd where it runs."""
    if place.status_problem:
        yield fail("service", "service.unreadable", reason=place.status_problem)
        return
    unit = None
    if (place.root / "run/systemd/system").is_dir():
        ran = place.run(["systemctl", "show", UNIT, f"--property={','.join(_ASKED)}"], _TIMEOUT_S)
        unit = parse(ran.out) if ran is not None else None
    yield from judge(place.status, place.status_age_s, unit)
