"""What the simulated border has planned: at every site the campaign, and what travellers need to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from simulator.border import Site
from simulator.registration import CAMPAIGN
from simulator.table import csv_text

_LINES: Final = (
    ("1", CAMPAIGN, "bien_gioi_hoa_binh", "plays_per_day", "12"),
    ("2", "", "thong_tin_cua_khau", "plays_per_day", "24"),
)
"""Number, campaign, topic, unit, and at least how many, on each device of a site."""


def plan_csv(sites: Sequence[Site], began_on: date) -> str:
    """Two lines a site, from the day on which the demo began until the end of the year after."""
    return csv_text([row for site in sites for row in _rows(site, began_on)])


def _rows(site: Site, began_on: date) -> Iterator[dict[str, str]]:
    for number, campaign, topic, unit, least in _LINES:
        yield {
            "code": f"KH-{site.code}-{number}",
            "campaign": campaign,
            "target_kind": "site",
            "target": site.code,
            "contents": "",
            "topic": topic,
            "first_day": f"{began_on}",
            "last_day": f"{date(began_on.year + 1, 12, 31)}",
            "weekdays": "",
            "hours": "",
            "unit": unit,
            "least": least,
            "languages": "vi:25",
            "shortest_play_s": "",
            "screens": "",
        }
