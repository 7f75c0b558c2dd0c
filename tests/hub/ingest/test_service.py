"""The ingest over a real broker and a real database: stored, answered, refused, and away while it cannot commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from contract import codec
from contract.status import Alive, Goodbye, Hello, Pending
from hub.config import BrokerSettings, DatabaseSettings, HubSettings, IngestSettings, MqttSettings
from hub.ingest.service import IngestService
from hub.metrics import HubMetrics
from hub.store.connection import connect
from hub.store.migrate import migrate
from simulator.postgres import EmbeddedPostgres
from tests.fix_broker import DEVICES, HUB
from tests.hub.ingest.fake_agent import FakeAgent, wait_until
from tests.hub.ingest.making import DEVICE, NONCE, OTHER, STREAM, batch, fault, now_ms, payload
from tests.mosquitto import Mosquitto

SESSION = "ef" * 8


@contextmanager
def ingest(
    dsn: str, *brokers: Mosquitto, name: str = "worker-1", queue_messages: int = 1000
) -> Iterator[IngestService]:
    settings = HubSettings(
        database=DatabaseSettings(dsn=SecretStr(dsn)),
        mqtt=MqttSettings(
            worker_name=name,
            password=SecretStr(HUB["hub"]),
            brokers=tuple(BrokerSettings(host="127.0.0.1", port=broker.port, tls=False) for broker in brokers),
        ),
        ingest=IngestSettings(
            commit_timeout_s=1.0, queue_messages=queue_messages, alive_timeout_s=120, link_timeout_s=45
        ),
    )
    service = IngestService(settings, HubMetrics())
    service.start()
    try:
        wait_until(lambda: all(service.brokers().values()), "listening")
        yield service
    finally:
        service.stop()
    assert service.failure() is None


@contextmanager
def agent(broker: Mosquitto, device: str = DEVICE) -> Iterator[FakeAgent]:
    with FakeAgent(broker.port, device, DEVICES[device]) as opened:
        yield opened


def rows(connection: psycopg.Connection, table: str = "fault") -> int:
    found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert found is not None
    return int(found[0])


def committed(receipt: object) -> list[tuple[int, int]]:
    return [span for covered in receipt.streams for span in covered.committed]  # type: ignore[attr-defined]


def test_a_batch_is_stored_and_its_receipt_names_what_is_committed(
    mosquitto: Mosquitto, database: str, connection: psycopg.Connection
) -> None:
    with ingest(database, mosquitto), agent(mosquitto) as kiosk:
        for _ in range(2):
            kiosk.send_batch(batch([1, 2, 4]))
        receipt = kiosk.wait_for(lambda r: committed(r) == [(1, 2), (4, 4)])
        assert receipt.nonce == NONCE
        assert abs(receipt.hub_time - now_ms()) < 60_000
        kiosk.send_batch(batch([3]))
        kiosk.wait_for(lambda r: committed(r) == [(3, 3)])
    assert rows(connection) == 4


def test_a_hello_is_answered_from_the_ledger_and_opens_presence(
    mosquitto: Mosquitto, database: str, connection: psycopg.Connection
) -> None:
    with ingest(database, mosquitto), agent(mosquitto) as kiosk:
        kiosk.send_batch(batch([1, 2]))
        kiosk.wait_for(lambda r: committed(r) == [(1, 2)])
        held = [Pending(stream=STREAM, low=1, high=9), Pending(stream=OTHER, low=1, high=3)]
        kiosk.say(Hello(session=SESSION, nonce=NONCE, version="1", streams=held))
        answer = kiosk.wait_for(lambda r: r.hello)
        assert [(c.stream, c.low, c.high, c.committed) for c in answer.streams] == [
            (STREAM, 1, 9, [(1, 2)]),
            (OTHER, 1, 3, []),
        ]
        kiosk.say(Goodbye(session=SESSION, nonce=NONCE, reason="stop"))
        ended = "SELECT ended FROM presence"
        wait_until(lambda: connection.execute(ended).fetchall() == [("stop",)], "the goodbye")
        silence = "SELECT extract(epoch FROM alive)::int, extract(epoch FROM link)::int FROM silence"
        wait_until(lambda: connection.execute(silence).fetchall() == [(120, 45)], "what readers go by")


def test_what_a_device_no_longer_has_and_the_hub_does_not_know_is_an_incident(
    mosquitto: Mosquitto, database: str, connection: psycopg.Connection
) -> None:
    with ingest(database, mosquitto), agent(mosquitto) as kiosk:
        kiosk.send_batch(batch([1, 2]))
        kiosk.wait_for(lambda r: bool(committed(r)))
        hello = Hello(session=SESSION, nonce=NONCE, version="1", streams=[Pending(stream=STREAM, low=5, high=9)])
        kiosk.say(hello)
        kiosk.wait_for(lambda r: r.hello)
    row = connection.execute("SELECT kind, detail FROM incident").fetchone()
    assert row == ("hub_rollback", {"count": 1, "streams": {STREAM: [[3, 4]]}})


def test_two_agents_under_one_name_are_found_out(
    mosquitto: Mosquitto, database: str, connection: psycopg.Connection
) -> None:
    with ingest(database, mosquitto), agent(mosquitto) as kiosk:
        for at, session in enumerate(["aa" * 8, "bb" * 8] * 2):
            kiosk.say(Alive(session=session, nonce=f"{at:016x}"))
        kinds = "SELECT kind FROM incident"
        wait_until(lambda: connection.execute(kinds).fetchall() == [("cloned_device",)], "the incident")


def test_a_restart_is_no_clone(mosquitto: Mosquitto, database: str, connection: psycopg.Connection) -> None:
    with ingest(database, mosquitto), agent(mosquitto) as kiosk:
        for at, session in enumerate(["aa" * 8, "bb" * 8, "cc" * 8]):
            kiosk.say(Hello(session=session, nonce=f"{at:016x}", version="1"))
        wait_until(lambda: sum(receipt.hello for receipt in kiosk.receipts) == 3, "the answers")
    assert rows(connection, "incident") == 0
    ended = connection.execute("SELECT ended FROM presence ORDER BY nonce").fetchall()
    assert [row[0] for row in ended[:2]] == ["replaced", "replaced"]


@pytest.mark.parametrize(
    ("data", "content_type"),
    [(b"{rotten", codec.JSON), (b"\x00" * 50, codec.DEFLATED), (b"{}", "text/plain"), (b"", codec.JSON)],
)
def test_garbage_is_refused_by_its_digest_and_kept(
    mosquitto: Mosquitto, database: str, connection: psycopg.Connection, data: bytes, content_type: str
) -> None:
    with ingest(database, mosquitto), agent(mosquitto) as kiosk:
        for _ in range(2):
            kiosk.send(data, content_type)
        wait_until(lambda: len(kiosk.receipts) == 2, "two refusals")
        assert {refusal.sha256 for r in kiosk.receipts for refusal in r.refused} == {codec.sha256_hex(data)}
        kiosk.send_batch(batch([1]))
        kiosk.wait_for(lambda r: committed(r) == [(1, 1)])
    assert connection.execute("SELECT event, times FROM rejected").fetchall() == [(data, 2)]


def test_foreign_topics_and_statuses_are_counted_and_harm_nothing(
    mosquitto: Mosquitto, database: str, connection: psycopg.Connection
) -> None:
    with ingest(database, mosquitto) as service, agent(mosquitto) as kiosk:
        kiosk.send(b"{rotten", channel="status")
        kiosk.send_batch(batch([1]))
        kiosk.wait_for(lambda r: bool(committed(r)))
        refused = service.metrics.batches_refused.labels(reason="not_json")
        wait_until(lambda: refused._value.get() == 1, "the count")
    assert rows(connection) == 1


def test_two_workers_on_one_shared_subscription_and_two_brokers_store_once(
    mosquitto: Mosquitto, second_mosquitto: Mosquitto, database: str, connection: psycopg.Connection
) -> None:
    with (
        ingest(database, mosquitto, second_mosquitto),
        ingest(database, mosquitto, second_mosquitto, name="worker-2"),
        agent(mosquitto) as kiosk,
        agent(second_mosquitto) as twin,
    ):
        for start in range(1, 400, 4):
            for sender in (kiosk, twin):
                sender.send_batch(batch([start, start + 1, start + 2, start + 3]))
        wait_until(lambda: rows(connection) >= 400, "400 rows")
        for sender in (kiosk, twin):
            wait_until(lambda s=sender: sum(map(len, map(committed, s.receipts))) > 0, "receipts")  # type: ignore[misc]
    numbers = connection.execute("SELECT count(*), count(DISTINCT seq) FROM fault").fetchone()
    assert numbers == (400, 400)


def test_old_events_are_stored_like_new_ones(
    mosquitto: Mosquitto, database: str, connection: psycopg.Connection
) -> None:
    with ingest(database, mosquitto), agent(mosquitto) as kiosk:
        kiosk.send_batch(batch([fault(1, time_ms=0)]))
        kiosk.send_batch(batch([fault(2)]))
        wait_until(lambda: rows(connection) == 2, "both rows")
        wait_until(lambda: {n for r in list(kiosk.receipts) for s in committed(r) for n in s} >= {1, 2}, "receipts")


def test_a_worker_that_cannot_commit_leaves_the_broker_and_comes_back(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "own") as server:
        migrate(server.dsn)
        with ingest(server.dsn, mosquitto) as service, agent(mosquitto) as kiosk:
            kiosk.send_batch(batch([1]))
            kiosk.wait_for(lambda r: committed(r) == [(1, 1)])
            server.kill()
            sent = batch([2])
            kiosk.send(*payload(sent))
            wait_until(lambda: not any(service.brokers().values()), "leaving the broker")
            server.start()
            wait_until(lambda: all(service.brokers().values()), "coming back")
            kiosk.send(*payload(sent))
            kiosk.wait_for(lambda r: committed(r) == [(2, 2)])
            with connect(server.dsn, "test", autocommit=True) as connection:
                assert rows(connection) == 2
