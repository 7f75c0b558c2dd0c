"""SIGKILL of agent, broker, hub and database under load: nothing lost, nothing twice."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from hub.store.migrate import migrate
from simulator.postgres import EmbeddedPostgres
from tests.chaos.field import Source, seeded, settle
from tests.end_to_end.border import DEVICES, USERS, Hub
from tests.mosquitto import Mosquitto


class Mortal(Protocol):
    """What can be killed, and started again."""

    def kill(self) -> None: ...
    def start(self) -> None: ...


class Field(NamedTuple):
    """Everything that can die."""

    database: EmbeddedPostgres
    broker: Mosquitto
    hub: Hub
    sources: list[Source]

    def parts(self) -> list[tuple[str, Mortal]]:
        """By name, in the order in which they have to be started."""
        sources = [(source.device, source) for source in self.sources]
        return [("database", self.database), ("broker", self.broker), ("hub", self.hub), *sources]


@pytest.fixture
def rng() -> random.Random:
    return seeded()


@pytest.fixture
def field(tmp_path: Path, rng: random.Random) -> Iterator[Field]:
    # What a commit has written survives every process, so the disk need not be waited for.
    with ExitStack() as stack:
        database = stack.enter_context(EmbeddedPostgres(tmp_path / "postgres", settings={"fsync": "off"}))
        migrate(database.dsn)
        broker = stack.enter_context(Mosquitto(tmp_path / "mosquitto", USERS))
        hub = stack.enter_context(Hub(tmp_path, database.dsn, broker))
        names = list(DEVICES)[:3]
        sources = [stack.enter_context(Source(tmp_path / name, name, broker, rng=rng)) for name in names]
        yield Field(database, broker, hub, sources)


def test_one_after_the_other(field: Field, rng: random.Random) -> None:
    _kill_in_turn(field, rng, rounds=1)
    assert settle(field.hub, field.sources).produced > 200


@pytest.mark.full
@pytest.mark.timeout(1_200)
def test_one_after_the_other_for_long(field: Field, rng: random.Random) -> None:
    _kill_in_turn(field, rng, rounds=12)
    assert settle(field.hub, field.sources).produced > 2_000


@pytest.mark.full
@pytest.mark.timeout(1_200)
def test_several_at_once(field: Field, rng: random.Random) -> None:
    for _ in range(25):
        time.sleep(rng.uniform(0.1, 2))
        dying = [part for part in field.parts() if rng.random() < 0.5]
        for name, part in dying:
            print("killing", name)
            part.kill()
        time.sleep(rng.uniform(0, 3))
        for _, part in dying:
            part.start()
    assert settle(field.hub, field.sources).produced > 1_000


def _kill_in_turn(field: Field, rng: random.Random, *, rounds: int) -> None:
    for _ in range(rounds):
        parts = field.parts()
        rng.shuffle(parts)
        for name, part in parts:
            time.sleep(rng.uniform(0.2, 1))
            print("killing", name)
            part.kill()
            time.sleep(rng.choice((0, rng.uniform(0, 1.5))))
            part.start()
