"""How much waits for the hub, and whether anything had to be given up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge_agent.doctor.finding import Finding, fail, ok, warn
from edge_agent.doctor.place import Place
from edge_agent.errors import AgentError
from edge_agent.outbox.look import Held, look
from edge_agent.outbox.newer import set_aside_as_newer
from edge_agent.outbox.outbox import FILE_NAME
from edge_agent.status_file import AgentStatus

OLD_S: Final = 24 * 3600
NEARLY_FULL: Final = 0.9


def judge(held: Held, status: AgentStatus | None, max_bytes: int, wall_ms: int) -> Iterator[Finding]:
    """`status` knows better than the file what waits: the file learns now and then what the hub has."""
    events = status.queue.events if status is not None else held.waiting
    oldest_s = _age_s(held, wall_ms) if status is None else status.queue.oldest_s
    facts = {"events": events, "hours": round(oldest_s / 3600, 1), "megabytes": round(held.bytes / 1e6, 1)}
    if status is not None and status.queue.full:
        yield fail("outbox", "outbox.full", refused=status.queue.refused, **facts)
    elif held.bytes > NEARLY_FULL * max_bytes and events * 2 > held.events:
        yield warn("outbox", "outbox.nearly_full", **facts)
    elif oldest_s > OLD_S and events:
        yield warn("outbox", "outbox.old", **facts)
    else:
        yield ok("outbox", "outbox.well", **facts)
    lost = sum(held.lost.values())
    dropped = status.dropped if status is not None else 0
    if lost or dropped:
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(held.lost.items())) or "-"
        yield warn("losses", "outbox.losses", count=lost, dropped=dropped, why=why)
    else:
        yield ok("losses", "outbox.no_losses")


def check(place: Place) -> Iterator[Finding]:
    """The file, read only."""
    if place.settings is None:
        return
    file = Path(place.settings.state_folder) / FILE_NAME
    try:
        held = look(file)
    except AgentError as error:
        yield fail("outbox", "outbox.unreadable", reason=str(error))
        return
    yield from judge(held, place.status, place.settings.outbox.max_bytes, place.wall_ms())
    if aside := set_aside_as_newer(file):
        megabytes = round(sum(one.stat().st_size for one in aside) / 1e6, 1)
        yield warn("outbox.set_aside", "outbox.set_aside", count=len(aside), megabytes=megabytes)


def _age_s(held: Held, wall_ms: int) -> int:
    return 0 if held.oldest_ms is None else max(0, wall_ms - held.oldest_ms) // 1000
