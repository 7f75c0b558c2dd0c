"""What the registry holds when a file is read: what its rows may name, and what they would change."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from hub.registry.entries import Activity, Campaign, Organisation, Province, Site


class GatePeriod(NamedTuple):
    """What a gate is from a local day on, until its next period begins; date.min: from the beginning."""

    since: date
    gate_type: str
    province_code: str


class KnownGate(NamedTuple):
    """A gate and its periods, in their order."""

    code: str
    name_vi: str
    neighbour: str
    lat: float | None
    lon: float | None
    confidence: str
    periods: Sequence[GatePeriod]

    def at(self, day: date) -> GatePeriod:
        """The period of this day; before the first one that is known: the first."""
        place = bisect_right([period.since for period in self.periods], day)
        return self.periods[max(place - 1, 0)]


class Stay(NamedTuple):
    """Where a device stands from a moment on; None: from the beginning; at no site: nobody has said where."""

    since: datetime | None
    site: str | None


class KnownDevice(NamedTuple):
    """A device, registered or only heard of, and its stays in their order, of which the first is from the beginning."""

    name: str
    kind: str | None
    title_vi: str | None
    is_registered: bool
    stays: Sequence[Stay]

    def at(self, moment: datetime) -> str | None:
        """The site at this moment."""
        return next(stay.site for stay in reversed(self.stays) if stay.since is None or stay.since <= moment)


@dataclass(frozen=True)
class Known:
    """Entries by their keys. `also` are keys of the file that is read: its rows may name each other."""

    now: datetime
    today: date
    provinces: Mapping[str, Sequence[Province]] = field(default_factory=dict)
    organisations: Mapping[str, Organisation] = field(default_factory=dict)
    gates: Mapping[str, KnownGate] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    devices: Mapping[str, KnownDevice] = field(default_factory=dict)
    campaigns: Mapping[str, Campaign] = field(default_factory=dict)
    activities: Mapping[str, Activity] = field(default_factory=dict)
    also: frozenset[str] = frozenset()

    def province_name(self, code: str, day: date) -> str | None:
        """What the province is called on that day, or first after it; None if nobody has said."""
        named = sorted(self.provinces.get(code, ()), key=lambda province: province.valid_from or date.min)
        by_then = [province for province in named if (province.valid_from or date.min) <= day]
        chosen = by_then[-1:] or named[:1]
        return chosen[0].name_vi if chosen else None

    def province_of_site(self, site: str, day: date | None = None) -> str | None:
        """Where a site lies, today if no day is given; None if there is no such site."""
        found = self.sites.get(site)
        gate = self.gates.get(found.gate) if found is not None else None
        return gate.at(day or self.today).province_code if gate is not None else None

    def province_of_organisation(self, agency_code: str | None) -> str | None:
        """Whose organisation it is; None: a national one, or there is none."""
        found = self.organisations.get(agency_code or "")
        return found.province if found is not None else None
