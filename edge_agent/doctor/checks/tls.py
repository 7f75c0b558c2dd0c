"""TLS to every broker that wants it: whether its certificate is our hub's, until when, and whether it takes ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edge_agent.doctor.checks.certificate import DAY_MS, day
from edge_agent.doctor.finding import Fact, Finding, fail, ok, warn
from edge_agent.doctor.hub import Server, broker_list, contact, where
from edge_agent.doctor.place import Place
from edge_agent.errors import AgentError
from edge_agent.mqtt import Broker

SOON_DAYS: Final = 14


def judge(name: str, server: Server, wall_ms: int) -> Finding | None:
    """None where there was no TLS to look at: `broker` tells why."""
    id_ = f"tls.{name}"
    if not server.reached:
        return None
    if server.trouble is not None:
        return fail(id_, f"tls.{server.trouble.code}", server=name, reason=server.trouble.reason)
    if server.dates is None:
        return None
    days = (server.dates.ends_ms - wall_ms) // DAY_MS
    facts: dict[str, Fact] = {"server": name, "until": day(server.dates.ends_ms), "days": days}
    return warn(id_, "tls.soon", **facts) if 0 <= days < SOON_DAYS else ok(id_, "tls.well", **facts)


def check(place: Place) -> Iterator[Finding]:
    """A connection to each, as far as TLS goes."""
    for broker in _brokers(place):
        if broker.tls is not None:
            finding = judge(where(broker), contact(broker), place.best_ms())
            if finding is not None:
                yield finding


def _brokers(place: Place) -> list[Broker]:
    if place.settings is None:
        return []
    try:
        return broker_list(place.settings)
    except AgentError:
        return []  # `broker` says why there are none
