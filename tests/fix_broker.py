"""A real Mosquitto for a test, with the access rules that we ship and a few devices that may use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mosquitto import Mosquitto

HUB = {"hub": "the hub's own"}
DEVICES = {f"bg-20-cma-k{number}": f"secret {number}" for number in range(1, 6)}


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """One broker."""
    with Mosquitto(tmp_path / "mosquitto", HUB | DEVICES) as broker:
        yield broker


@pytest.fixture
def second_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """Another one beside it."""
    with Mosquitto(tmp_path / "mosquitto-2", HUB | DEVICES) as broker:
        yield broker
