"""What the registry holds: an entry of each kind, as a row of a file says it.

A day is a local one. `valid_until` is the first day on which something holds no longer, None: nobody has said; `None`
as a beginning: from the beginning of time, as far as anybody has said. Coordinates are degrees (WGS 84).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from hub.registry.opening import Week


class Province(NamedTuple):
    """A province from a day on; the same code may be of another one later."""

    code: str
    valid_from: date | None
    name_vi: str
    valid_until: date | None
    merged_into: str | None


class Organisation(NamedTuple):
    """Who answers for points, campaigns, activities; of no `province`: a national one."""

    agency_code: str
    name_vi: str
    province: str | None
    parent: str | None
    valid_from: date | None
    valid_until: date | None


class Gate(NamedTuple):
    """A border gate or crossing, with its type and province from a day on.

    `since` None: from the beginning if the gate is new, else from today on, if they are others than before.
    """

    code: str
    name_vi: str
    neighbour: str
    gate_type: str
    province_code: str
    since: date | None
    lat: float | None
    lon: float | None
    confidence: str
    """Where type and coordinate are from."""


class Site(NamedTuple):
    """An information point at a gate. Without coordinates of its own it has the gate's."""

    code: str
    gate: str
    name_vi: str
    status: str
    invested_at: date | None
    funding: str | None
    organisation: str | None
    lat: float | None
    lon: float | None
    hours: Week


class Point(NamedTuple):
    """A gate with its one site of the same code and name, in one row."""

    code: str
    name_vi: str
    province_vi: str
    province_code: str
    neighbour: str
    gate_type: str
    lat: float | None
    lon: float | None
    confidence: str


class Device(NamedTuple):
    """A device by the name that it reports under, and where it stands.

    `since` None: from the beginning if nobody has said where it stands, else from the present hour on.
    """

    name: str
    kind: str
    site: str
    title_vi: str | None
    since: datetime | None


class Campaign(NamedTuple):
    """A stretch of days, both included, for a subject."""

    code: str
    name_vi: str
    begins_on: date
    ends_on: date
    organisation: str | None
    document: str | None


class Activity(NamedTuple):
    """What was held: a training class, a conference."""

    code: str
    kind: str
    name_vi: str
    place: str
    held_on: date
    people: int
    organisation: str
