"""Whether there is a way out: an interface that is up, an address on it, a default route through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from edge_agent.doctor.addresses import Address, addresses
from edge_agent.doctor.finding import Finding, fail, ok, warn
from edge_agent.doctor.place import Place
from edge_agent.probes.sysfs import text

_UP: Final = 0x1
_SELF_GIVEN: Final = "169.254."


class Route(NamedTuple):
    """A default route of IPv4; the gateway is empty where the link needs none."""

    interface: str
    gateway: str
    metric: int


def parse_routes(table: str) -> list[Route]:
    """Default routes that are up, out of /proc/net/route; the one that is taken first."""
    routes = []
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) < 8 or words[1] != "00000000" or words[7] != "00000000":
            continue
        try:
            flags, metric, gateway = int(words[3], 16), int(words[6]), int(words[2], 16)
        except ValueError:
            continue
        if flags & _UP:
            dotted = ".".join(map(str, gateway.to_bytes(4, "little"))) if gateway else ""
            routes.append(Route(words[0], dotted, metric))
    return sorted(routes, key=lambda route: route.metric)


def judge(routes: list[Route], known: list[Address], down: list[str]) -> Finding:
    """`down`: interfaces without a carrier."""
    if not routes:
        have = ", ".join(f"{address.interface} {address.ip}" for address in known) or "-"
        return fail("network", "network.no_route", have=have, down=", ".join(down) or "-")
    route = routes[0]
    own = next((address.ip for address in known if address.interface == route.interface), "")
    facts = {"interface": route.interface, "address": own or "-", "gateway": route.gateway or "-"}
    if not own:
        return fail("network", "network.no_address", **facts)
    if own.startswith(_SELF_GIVEN):
        return fail("network", "network.self_given", **facts)
    if route.interface in down:
        return warn("network", "network.no_carrier", **facts)
    return ok("network", "network.well", **facts)


def check(place: Place) -> Iterator[Finding]:
    """The kernel's own tables."""
    routes = parse_routes(text(place.root / "proc/net/route") or "")
    yield judge(routes, addresses(), _down(place.root))


def _down(root: Path) -> list[str]:
    folders = sorted(root.glob("sys/class/net/*"))
    return [folder.name for folder in folders if folder.name != "lo" and text(folder / "carrier") == "0"]
