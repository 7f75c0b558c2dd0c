"""The border that is simulated: the sites of `data/sites.csv` and, by a seeded rule, what stands at each of them."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Final, Literal

from msgspec import Struct

from simulator.errors import SimulatorError

Kind = Literal["kiosk", "led", "tv", "loa"]
LANGUAGES: Final = {"CN": ("vi", "en", "zh"), "LA": ("vi", "en", "lo"), "KH": ("vi", "en", "km")}
"""What a site shows, by its neighbour."""
_LETTERS: Final[dict[Kind, str]] = {"kiosk": "k", "led": "l", "tv": "t", "loa": "a"}
_TITLES: Final[dict[Kind, str]] = {
    "kiosk": "Tủ tra cứu điện tử",
    "led": "Màn hình LED",
    "tv": "Màn hình TV",
    "loa": "Loa truyền thanh",
}


class BorderError(SimulatorError):
    """There is no such border to simulate. The text says what was asked for and what there is."""


class Site(Struct, frozen=True):
    """An information point; `row` is its line of `sites.csv`, column by column."""

    code: str
    name_vi: str
    province_code: str
    neighbour: str
    gate_type: str
    row: dict[str, str]


class Device(Struct, frozen=True):
    """A device and what it needs to know of its place."""

    name: str
    kind: Kind
    site: str
    title_vi: str
    languages: tuple[str, ...]


def sites(province: str | None = None) -> list[Site]:
    """The sites, those of one province if it is given (two digits). BorderError if it has none."""
    text = (files("simulator") / "data" / "sites.csv").read_text(encoding="utf-8")
    found = [
        Site(row["code"], row["name_vi"], row["province_code"], row["neighbour"], row["gate_type"], row)
        for row in csv.DictReader(io.StringIO(text))
    ]
    chosen = [site for site in found if province in (None, site.province_code)]
    if not chosen:
        there = ", ".join(sorted({site.province_code for site in found}))
        raise BorderError(f"province {province} has no site in the demo's data; there are {there}")
    return chosen


def devices(sites: Iterable[Site], seed: int) -> list[Device]:
    """One to three devices a site; the same for the same seed, whatever other sites are asked for."""
    return [device for site in sites for device in numbered(site, _kinds(site, random.Random(f"{seed}/{site.code}")))]


def numbered(site: Site, kinds: Iterable[Kind], taken: Sequence[Device] = (), note: str = "") -> Iterator[Device]:
    """Devices of these kinds at `site`, numbered on from those of `taken`."""
    counts = {kind: sum(device.site == site.code and device.kind == kind for device in taken) for kind in _LETTERS}
    for kind in kinds:
        counts[kind] += 1
        number = counts[kind]
        title = f"{_TITLES[kind]} {number} - {site.name_vi}{note}"
        name = f"{site.code.lower()}-{_LETTERS[kind]}{number}"
        yield Device(name, kind, site.code, title, LANGUAGES[site.neighbour])


def _kinds(site: Site, chance: random.Random) -> list[Kind]:
    """Main gates have a kiosk and a board, some a loudspeaker; small crossings have one thing, some have two."""
    if site.gate_type == "chinh":
        kinds: list[Kind] = ["kiosk", chance.choice(("led", "led", "tv"))]
        return kinds + (["loa"] if chance.random() < 0.2 else [])
    first: Kind = chance.choice(("led", "tv", "kiosk"))
    return [first] + (["loa"] if chance.random() < 0.3 else [])
