"""One hub for all tests of this folder; each test has devices of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from hub.store.connection import connect
from simulator import ports
from simulator.postgres import EmbeddedPostgres
from tests.end_to_end.border import DEVICES, USERS, Hub, Kiosk
from tests.end_to_end.seen import Seen
from tests.fix_database import fresh_database
from tests.mosquitto import Mosquitto

_names = itertools.cycle(DEVICES)


class Border(NamedTuple):
    """A broker, a hub, and what its database says."""

    broker: Mosquitto
    hub: Hub
    connection: psycopg.Connection

    def seen(self, kiosk: Kiosk) -> Seen:
        """All that is stored of a kiosk."""
        return Seen(self.connection, kiosk.device)


@pytest.fixture(scope="package")
def border(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: EmbeddedPostgres, database_template: str
) -> Iterator[Border]:
    """Runs for all tests; at the end the ledger says what the tables hold."""
    folder = tmp_path_factory.mktemp("border")
    with (
        contextmanager(fresh_database)(postgres_server, database_template) as dsn,
        Mosquitto(folder / "mosquitto", USERS) as broker,
        Hub(folder, dsn, broker) as hub,
        connect(dsn, "test", autocommit=True) as connection,
    ):
        yield Border(broker, hub, connection)
        audit = hub.audit()
        assert audit["totals"]["holes"] == audit["totals"]["lost"] == 0


@pytest.fixture
def free_port() -> int:
    """A loopback port on which nothing listens."""
    return ports.free_port()


MakeKiosk = Callable[..., Kiosk]


@pytest.fixture
def make_kiosk(border: Border, tmp_path: Path) -> MakeKiosk:
    """Makes a kiosk of a name that no other test has; to be started."""

    def make(more: str = "", **settings: float) -> Kiosk:
        device = next(_names)
        return Kiosk(tmp_path / device, device, border.broker, more=more, **settings)  # type: ignore[arg-type]

    return make
