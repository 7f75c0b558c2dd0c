"""Whether the hub's names are found. A resolver that hangs costs this check its own deadline and nobody else."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterator
from typing import Final

from edge_agent.config import AgentSettings
from edge_agent.doctor.finding import Finding, fail, ok, warn
from edge_agent.doctor.hub import broker_list
from edge_agent.doctor.place import Place
from edge_agent.errors import AgentError

SLOW_S: Final = 3.0


def judge(name: str, found: list[str], took_s: float, error: str) -> Finding:
    """One name."""
    id_ = f"dns.{name}"
    if not found:
        return fail(id_, "dns.not_found", name=name, reason=error)
    if took_s > SLOW_S:
        return warn(id_, "dns.slow", name=name, seconds=round(took_s, 1))
    return ok(id_, "dns.well", name=name, address=found[0])


def names_to_find(settings: AgentSettings) -> list[str]:
    """Names of the brokers, each once; addresses need no resolver."""
    names = dict.fromkeys(broker.host for broker in broker_list(settings))
    return [name for name in names if not _is_address(name)]


def check(place: Place) -> Iterator[Finding]:
    """Each name through the system's resolver."""
    if place.settings is None:
        return
    try:
        names = names_to_find(place.settings)
    except AgentError:
        return  # `broker` says why there are none
    for name in names:
        began_s = time.monotonic()
        found: list[str] = []
        error = ""
        try:
            found = [str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as problem:
            error = str(getattr(problem, "strerror", None) or problem)
        yield judge(name, found, time.monotonic() - began_s, error)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
