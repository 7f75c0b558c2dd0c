"""Online, offline, or not known: from intervals of presence and the workers' links to brokers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from hub.store.readers import Reader

NOW = datetime(2026, 9, 21, 7, 0, tzinfo=UTC)
ONE, TWO = "10.0.0.1:8883", "10.0.0.2:8883"


class Border:
    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        connection.execute("INSERT INTO device (name) VALUES ('k1')")
        self.nonces = iter(range(100))

    def link(self, broker: str, since_s: float, seen_s: float, *, ended: bool = False) -> None:
        self.connection.execute(
            "INSERT INTO hub_link VALUES ('w', %s, %s, %s, %s)",
            (broker, ago(since_s), ago(seen_s), ago(seen_s) if ended else None),
        )

    def heard(self, broker: str, since_s: float, seen_s: float, ended: str | None = None) -> None:
        self.connection.execute(
            "INSERT INTO presence SELECT id, %s, %s, %s, %s, %s, %s FROM device",
            (str(next(self.nonces)), broker, ago(since_s), ago(seen_s), ago(seen_s) if ended else None, ended),
        )

    def device(self) -> dict[str, Any]:
        with self.connection.cursor(row_factory=dict_row) as cursor:
            (row,) = Reader(cursor, None).devices(NOW, alive_timeout_s=90, link_timeout_s=30)
        return row

    def presence(self) -> str:
        return str(self.device()["presence"])


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.fixture
def border(connection: psycopg.Connection) -> Border:
    return Border(connection)


def test_never_heard_is_not_offline(border: Border) -> None:
    border.link(ONE, 9000, 1)
    assert border.presence() == "unknown"


@pytest.mark.parametrize(("seen_s", "expected"), [(5, "online"), (90, "online"), (91, "offline")])
def test_silence(border: Border, seen_s: float, expected: str) -> None:
    border.link(ONE, 9000, 1)
    border.heard(ONE, 800, seen_s)
    row = border.device()
    assert (row["presence"], row["seen_at"], row["presence_since"]) == (expected, ago(seen_s), ago(800))


@pytest.mark.parametrize("ended", ["stop", "lost", "silence"])
def test_a_connection_that_ended(border: Border, ended: str) -> None:
    border.link(ONE, 9000, 1)
    border.heard(ONE, 800, 10, ended)
    assert border.presence() == "offline"


def test_a_connection_that_was_replaced(border: Border) -> None:
    border.link(ONE, 9000, 1)
    border.heard(ONE, 800, 10, "replaced")
    border.heard(ONE, 10, 3)
    assert border.presence() == "online"


@pytest.mark.parametrize(("seen_s", "ended"), [(31, False), (5, True)], ids=["worker gone", "broker gone"])
def test_nobody_listens(border: Border, seen_s: float, *, ended: bool) -> None:
    border.link(ONE, 9000, seen_s, ended=ended)
    border.heard(ONE, 800, 5)
    assert border.presence() == "unknown"
    border.link(TWO, 9000, 1)
    assert border.presence() == "unknown", "it was heard on the other broker"


def test_one_of_two_workers_is_enough(border: Border) -> None:
    border.link(ONE, 9000, 500, ended=True)
    border.link(ONE, 400, 1)
    border.heard(ONE, 800, 5)
    assert border.presence() == "online"


@pytest.mark.parametrize(("since_s", "expected"), [(20, "unknown"), (89, "unknown"), (91, "offline")])
def test_somebody_listens_again_but_not_yet_for_long(border: Border, since_s: float, expected: str) -> None:
    border.link(ONE, 9000, 3000, ended=True)
    border.link(ONE, since_s, 1)
    border.heard(ONE, 8000, 3000)
    assert border.presence() == expected


def test_it_moved_to_another_broker(border: Border) -> None:
    border.link(ONE, 9000, 800, ended=True)
    border.link(TWO, 9000, 1)
    border.heard(ONE, 8000, 800)
    border.heard(TWO, 700, 4)
    row = border.device()
    assert (row["presence"], row["broker"]) == ("online", TWO)


def test_two_agents_of_one_name_of_which_one_dies(border: Border) -> None:
    border.link(ONE, 9000, 1)
    border.heard(ONE, 800, 4)
    border.heard(ONE, 300, 200)
    assert border.presence() == "online"
