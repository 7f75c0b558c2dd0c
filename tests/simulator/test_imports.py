"""The files of the simulated border before the hub: its own code takes them, and judges each content as it was made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest

from edge_agent.observation import Content
from hub.catalogue.topics import shipped
from hub.registry.files import kind_of
from hub.store import catalogue, plans
from hub.store import registry as store
from hub.store.catalogue import Hand
from hub.store.contents import Contents
from simulator import border
from simulator.catalogue import SUBJECTS, WORKS, approved, strangers
from simulator.catalogue_file import RealItem
from simulator.imports import Import, imports

SITES: Final = border.sites()
DEVICES: Final = border.devices(SITES, 1)
BEGAN_ON: Final = (datetime.now(UTC) + timedelta(hours=7)).date()
REAL: Final = [RealItem(Content("a.mp4", "0a" * 32), SUBJECTS[0], "vi", "Phim thật")]
FILES: Final = imports(SITES, DEVICES, REAL, BEGAN_ON)


def _take(connection: psycopg.Connection, given: Import) -> tuple[int, int, int]:
    """Added, changed, unchanged: what the command says, by the function behind it."""
    text = (given.text or "").encode()
    catalogues: dict[str, Callable[[], Any]] = {
        "topics": lambda: catalogue.import_topics(connection, shipped()),
        "contents": lambda: catalogue.import_contents(connection, text, Hand("demo", datetime.now(UTC))),
        "items": lambda: plans.import_plan(connection, text, "demo", datetime.now(UTC)),
    }
    if given.name in catalogues:
        done = catalogues[given.name]()
    else:
        done = store.import_file(connection, kind_of(given.name), text, by="demo")
    return done.added, done.changed, done.unchanged


def test_the_hub_takes_the_files_and_takes_them_again(connection: psycopg.Connection) -> None:
    first = {given.name: _take(connection, given) for given in FILES}
    works = sum(10 if work.kind == "file" else 5 for work in WORKS)
    assert first == {
        "provinces": (len({site.province_code for site in SITES}), 0, 0),
        "organisations": (1 + len({site.province_code for site in SITES}), 0, 0),
        "gates": (29, 0, 0),
        "sites": (29, 0, 0),
        "devices": (len(DEVICES), 0, 0),
        "campaigns": (1, 0, 0),
        "topics": (11, 0, 0),
        "contents": (works + len(REAL), 0, 0),
        "items": (2 * 29, 0, 0),
    }
    again = {given.name: _take(connection, given) for given in FILES}
    assert again == {name: (0, 0, added) for name, (added, _, _) in first.items()}


@pytest.mark.parametrize("day", [BEGAN_ON, date(BEGAN_ON.year + 1, 12, 31)], ids=["first day", "a year later"])
def test_the_hub_knows_each_content_as_the_simulation_does(connection: psycopg.Connection, day: date) -> None:
    for given in FILES:
        _take(connection, given)
    seen = Contents(connection)
    known = dict.fromkeys(approved(DEVICES), "approved")
    known |= {item.content: str(item.unapproved) for device in DEVICES for item in strangers(device)}
    assert {*known.values()} == {"approved", "unknown", "altered", "expired", "not_yet_valid"}
    for content, what in known.items():
        number = seen.id(content.ref, content.sha256)
        query = "SELECT verdict::text FROM resolved WHERE content = %s AND %s BETWEEN first_day AND last_day"
        assert connection.execute(query, (number, day)).fetchall() == [(what,)], content
