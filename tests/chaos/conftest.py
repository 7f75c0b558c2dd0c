"""What most tests here need: chance, and a hub with a database of its own that is not killed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.field import seeded
from tests.end_to_end.border import USERS, Hub
from tests.mosquitto import Mosquitto


@pytest.fixture
def rng() -> random.Random:
    """Its seed is shown if the test fails."""
    return seeded()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """One broker with the users of all devices."""
    with Mosquitto(tmp_path / "mosquitto", USERS) as broker:
        yield broker


@pytest.fixture
def second_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """Another one."""
    with Mosquitto(tmp_path / "mosquitto-2", USERS) as broker:
        yield broker


@pytest.fixture
def hub(tmp_path: Path, database: str, broker: Mosquitto) -> Iterator[Hub]:
    """A hub on one broker."""
    with Hub(tmp_path, database, broker) as hub:
        yield hub
