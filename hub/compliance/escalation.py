"""Who is told of an incident, and when. Pure: values in, values out; moments are Unix ms.

A step is due once the incident has been open for `after_s` and nobody has acknowledged it. Each step is due once: what
`noted` has booked is not due again, also where steps are added or moved around it. A hub that was away finds all that
has become due since. Who calls sends first and books then, so that a notice comes twice sooner than never.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple


class Step(NamedTuple):
    """Tell `target` through `channel` once an incident has waited `after_s` seconds. Changed, it is another step."""

    after_s: int
    channel: str
    target: str


class Acknowledgement(NamedTuple):
    """Who took the incident in hand, and when."""

    by: str
    at_ms: int


class Notice(NamedTuple):
    """A step and the moment since which it is due."""

    step: Step
    due_ms: int


@dataclass(frozen=True, slots=True)
class Incident:
    """What escalation knows of one incident."""

    opened_ms: int
    acknowledged: Acknowledgement | None = None
    closed_ms: int | None = None
    told: frozenset[Step] = frozenset()

    @property
    def waiting(self) -> bool:
        """Whether it is open and nobody has taken it in hand: only then it escalates."""
        return self.acknowledged is None and self.closed_ms is None


def due(incident: Incident, steps: Iterable[Step], now_ms: int) -> tuple[Notice, ...]:
    """What is to be sent at `now_ms`, oldest first; nothing for an incident that does not wait."""
    return tuple(notice for notice in _ahead(incident, steps) if notice.due_ms <= now_ms)


def next_due_ms(incident: Incident, steps: Iterable[Step]) -> int | None:
    """When the next step is due, be it past or to come; None if none is left."""
    return next((notice.due_ms for notice in _ahead(incident, steps)), None)


def noted(incident: Incident, notices: Iterable[Notice]) -> Incident:
    """These notices were sent."""
    return replace(incident, told=incident.told | {notice.step for notice in notices})


def acknowledged(incident: Incident, by: str, at_ms: int) -> Incident:
    """A person takes it in hand. The first stays; what is closed stays as it is. ValueError if nobody is named."""
    name = by.strip()
    if not name:
        raise ValueError("an incident is acknowledged by a person: name them")
    return replace(incident, acknowledged=Acknowledgement(name, at_ms)) if incident.waiting else incident


def closed(incident: Incident, at_ms: int) -> Incident:
    """It is over, whether anybody acknowledged it or not. The first closing stays."""
    return incident if incident.closed_ms is not None else replace(incident, closed_ms=at_ms)


def _ahead(incident: Incident, steps: Iterable[Step]) -> list[Notice]:
    if not incident.waiting:
        return []
    left = set(steps) - incident.told
    return sorted((Notice(step, incident.opened_ms + step.after_s * 1000) for step in left), key=_order)


def _order(notice: Notice) -> tuple[int, Step]:
    return notice.due_ms, notice.step
