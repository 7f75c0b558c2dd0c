"""Whether there is a configuration that the agent can start with."""

from __future__ import annotations

from collections.abc import Iterator

from edge_agent.doctor.finding import Finding, fail, ok
from edge_agent.doctor.place import Place


def check(place: Place) -> Iterator[Finding]:
    """Read already; said here."""
    if place.settings is None:
        yield fail("config", "config.unusable", reason=place.problem)
        return
    probes = ", ".join(sorted(place.settings.probes)) or "-"
    yield ok("config", "config.well", file=str(place.config_file), device=place.device or "-", probes=probes)
