"""SD cards that are copied, put back, cloned and damaged."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from simulator.oracle import text_of
from tests.chaos.field import Source, copy_card, restore_card, settle, stored
from tests.end_to_end.border import Hub
from tests.end_to_end.seen import Seen
from tests.mosquitto import Mosquitto
from tests.patience import until

DEVICE = "bg-20-cma-k1"


@pytest.fixture
def source(tmp_path: Path, broker: Mosquitto, rng: random.Random) -> Iterator[Source]:
    with Source(tmp_path / "k1", DEVICE, broker, rng=rng) as source:
        yield source


def _wait_for_rows(connection: psycopg.Connection, more: int) -> None:
    enough = len(stored(connection, DEVICE)) + more
    until(lambda: len(stored(connection, DEVICE)) >= enough, f"{enough} rows")


@pytest.mark.parametrize("running", [False, True], ids=["a card at rest", "a card that is written to"])
def test_an_image_is_put_back_and_run_on(
    hub: Hub, broker: Mosquitto, source: Source, connection: psycopg.Connection, tmp_path: Path, running: bool
) -> None:
    _wait_for_rows(connection, 60)
    if not running:
        source.kill()
    copy_card(source, tmp_path / "image")
    before = source.accepted()
    source.start()
    _wait_for_rows(connection, 60)  # Accepted and receipted, and not on the image.
    broker.kill()
    accepted = len(source.accepted())
    until(lambda: len(source.accepted()) > accepted + 40, "events that are on the card alone")
    source.kill()
    on_the_lost_card = source.accepted() - before
    restore_card(source, tmp_path / "image")
    lost = source.accepted() - stored(connection, DEVICE) - before
    assert len(lost) >= 40
    broker.start()
    source.start()
    _wait_for_rows(connection, 60)
    verdict = settle(hub, [source], lost=len(lost))
    missing = source.accepted() - stored(connection, DEVICE)
    assert missing == lost, text_of(verdict)  # Nothing else, whatever the image held.
    assert missing < on_the_lost_card
    incidents = {kind for kind, _ in Seen(connection, DEVICE).incidents()}
    assert "restored_image" in incidents
    assert incidents <= {"cloned_device", "restored_image"}


def test_the_same_image_again_and_again(
    hub: Hub, source: Source, connection: psycopg.Connection, tmp_path: Path, rng: random.Random
) -> None:
    for number in range(4):
        _wait_for_rows(connection, 20)
        time.sleep(rng.uniform(0, 0.3))
        copy_card(source, tmp_path / f"image-{number}")
    for number in (2, 0, 3, 1):
        source.rest()
        until(lambda: source.accepted() <= stored(connection, DEVICE), "all that there is")
        source.kill()
        restore_card(source, tmp_path / f"image-{number}")
        source.start()
        _wait_for_rows(connection, 20)
    assert settle(hub, [source]).produced > 150


def test_two_agents_of_one_image(
    hub: Hub, broker: Mosquitto, source: Source, connection: psycopg.Connection, tmp_path: Path, rng: random.Random
) -> None:
    _wait_for_rows(connection, 60)
    source.kill()
    twin = Source(tmp_path / "k1-twin", DEVICE, broker, rng=rng, rate=20)
    copy_card(source, twin.state)
    with twin:
        source.start()
        until(lambda: "cloned_device" in _kinds(connection), "the incident")
        accepted = source.accepted() | twin.accepted()
        until(lambda: accepted <= stored(connection, DEVICE), "what both have made while they kicked each other off")
    source.stop()  # Its last words may still be in the outbox, if it was off just now.
    for each in (source, twin):
        each.start()
        each.rest()
        until(lambda: each.accepted() <= stored(connection, DEVICE), "all of its card")  # noqa: B023 - called here
        each.stop()
    assert settle(hub, [source, twin]).produced > 100


def _kinds(connection: psycopg.Connection) -> list[str]:
    return [kind for kind, _ in Seen(connection, DEVICE).incidents()]
