"""A courier with nothing to carry, and one whose outbox dies while it carries."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.status import Alive, Hello
from edge_agent.clock import Clock
from edge_agent.courier import Courier
from edge_agent.mqtt import Broker
from edge_agent.outbox.outbox import Outbox
from edge_agent.uplink import Pace
from simulator.broker import EmbeddedBroker
from simulator.ports import HOST
from tests.edge_agent import hand_hub
from tests.edge_agent.hand_hub import HandHub
from tests.edge_agent.outbox.making import fault, outbox, sqlite_error
from tests.patience import DEADLINE_S, until

DEVICE, PASSWORD = "bg-20-cma-k1", "of the kiosk"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    users = {DEVICE: PASSWORD, hand_hub.USER: hand_hub.PASSWORD}
    with EmbeddedBroker(tmp_path_factory.mktemp("broker"), users) as started:
        yield started


@pytest.fixture
def hub(broker: EmbeddedBroker) -> Iterator[HandHub]:
    with HandHub(broker.port, DEVICE, answers=True) as entered:
        yield entered


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Outbox]:
    with outbox(tmp_path) as opened:
        yield opened


def a_courier(broker: EmbeddedBroker, held: Outbox) -> Courier:
    ways = [Broker(HOST, broker.port, DEVICE, PASSWORD)]
    return Courier(DEVICE, ways, held, Clock(), version="1.0", faults=lambda: ["low_disk"])


def test_silence_means_something_for_an_idle_agent_says_that_it_lives(
    broker: EmbeddedBroker, hub: HandHub, held: Outbox
) -> None:
    courier = a_courier(broker, held)
    courier.set_pace(Pace(alive_ms=200))
    courier.start()
    try:
        until(lambda: len(hub.statuses(Alive)) >= 3)
        (hello,) = hub.statuses(Hello)
        for alive in hub.statuses(Alive):
            assert (alive.session, alive.nonce) == (hello.session, hello.nonce)
            assert alive.faults == ["low_disk"]
            assert alive.queue.events == 0
        assert hub.batches() == []
    finally:
        courier.stop()
        courier.join(DEADLINE_S)


def test_an_outbox_that_cannot_be_read_ends_it_and_is_looked_at_next_time(
    broker: EmbeddedBroker, hub: HandHub, held: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: Any) -> None:
        raise sqlite_error(sqlite3.SQLITE_CORRUPT, "database disk image is malformed")

    held.append([fault()])
    monkeypatch.setattr(held, "read", damaged)
    courier = a_courier(broker, held)
    courier.start()
    courier.join(DEADLINE_S)
    assert not courier.is_alive()
    assert isinstance(courier.failure, sqlite3.Error)
    assert not courier.connected
    assert [file.name for file in tmp_path.iterdir() if "suspect" in file.name] == ["outbox.db.suspect"]
