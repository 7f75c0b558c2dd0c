"""Carrying over real brokers: wrong passwords, brokers that die, old answers, last words, TLS."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract import codec
from contract.receipt import Covered, Receipt
from contract.status import Goodbye, Hello
from edge_agent import courier as courier_module
from edge_agent.clock import Clock
from edge_agent.clock_floor import BUILT_MS, FloorFile
from edge_agent.courier import Courier
from edge_agent.mqtt import Broker
from edge_agent.outbox.outbox import Outbox
from simulator.broker import EmbeddedBroker
from simulator.ports import HOST, free_port
from tests.edge_agent import hand_hub
from tests.edge_agent.hand_hub import HandHub, dead_port
from tests.edge_agent.outbox.making import fault, outbox, rows
from tests.mosquitto import Mosquitto
from tests.patience import DEADLINE_S, until

DEVICE, PASSWORD = "bg-20-cma-k1", "of the kiosk"
USERS = {DEVICE: PASSWORD, hand_hub.USER: hand_hub.PASSWORD}
Start = Callable[..., Courier]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("mosquitto"), USERS) as started:
        yield started


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "mosquitto", USERS) as started:
        yield started


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Outbox]:
    (tmp_path / "state").mkdir()
    with outbox(tmp_path / "state") as opened:
        yield opened


@pytest.fixture
def start(held: Outbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setattr(courier_module, "FIRST_PAUSE_S", 0.1)
    monkeypatch.setattr(courier_module, "MAX_PAUSE_S", 3.0)
    started: list[Courier] = []

    def begin(*brokers: Broker) -> Courier:
        courier = Courier(DEVICE, brokers, held, Clock(), version="1.0")
        held.on_commit = courier.wake
        courier.start()
        started.append(courier)
        return courier

    yield begin
    for courier in started:
        courier.stop()
        courier.join(DEADLINE_S)
        assert not courier.is_alive()
        assert courier.failure is None


def to(port: int, password: str = PASSWORD, tls: ssl.SSLContext | None = None) -> Broker:
    return Broker(HOST, port, DEVICE, password, tls)


def waiting(held: Outbox) -> int:
    return held.queue(0).events


def test_events_arrive_and_are_covered(shared: Mosquitto, start: Start, held: Outbox) -> None:
    with HandHub(shared.port, DEVICE, answers=True) as hub:
        held.append([fault("before the connection")])
        courier = start(to(shared.port))
        until(lambda: waiting(held) == 0)
        held.append([fault("after it"), fault("with it")])
        until(lambda: waiting(held) == 0)
        assert [event.seq for batch in hub.batches() for event in batch.events] == [1, 2, 3]
        (hello,) = hub.statuses(Hello)
        assert (hello.session, hello.version) == (courier.session, "1.0")
        assert courier.online
        sent, received = courier.traffic()
        assert sent > 0
        assert received > 0


def test_a_stop_brings_out_the_rest_and_says_goodbye(shared: Mosquitto, start: Start, held: Outbox) -> None:
    with HandHub(shared.port, DEVICE, answers=True) as hub:
        courier = start(to(shared.port))
        until(lambda: courier.online)
        held.append([fault("the last")])
        courier.stop()
        courier.join(DEADLINE_S)
        assert waiting(held) == 0
        (goodbye,) = until(lambda: hub.statuses(Goodbye))
        assert (goodbye.reason, goodbye.session) == ("stop", courier.session)


def test_answers_to_an_earlier_connection_and_rubbish_are_ignored(
    shared: Mosquitto, start: Start, held: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    with HandHub(shared.port, DEVICE) as hub:
        held.append([fault()])
        courier = start(to(shared.port))
        (batch, *_) = until(hub.batches)
        hub.send_bytes(b"\xff rubbish", "application/json")
        hub.send_bytes(b"{}", "")
        hub.commit(batch, nonce="f" * 16)
        until(lambda: courier._uplink.ignored_receipts)
        assert waiting(held) == 1
        hub.commit(batch)
        until(lambda: waiting(held) == 0)
        assert len([record for record in caplog.records if "a receipt that is none" in record.message]) == 2


def test_a_hub_that_went_back_gets_it_again(shared: Mosquitto, start: Start, held: Outbox) -> None:
    with HandHub(shared.port, DEVICE, answers=True) as hub:
        held.append([fault()])
        courier = start(to(shared.port))
        until(lambda: waiting(held) == 0)
        nonce = hub.statuses(Hello)[0].nonce
        courier.set_offline(True)
        until(lambda: not courier.connected)
        hub.ledger.clear()
        courier.set_offline(False)
        until(lambda: len(hub.batches()) >= 2)
        assert hub.statuses(Hello)[1].nonce != nonce
        assert hub.batches()[0].events == hub.batches()[1].events


def test_a_wrong_password_is_told_and_tried_again(
    shared: Mosquitto, start: Start, held: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    courier = start(to(shared.port, "wrong"))
    until(lambda: courier.last_error)
    assert courier.last_error == f"broker {HOST}:{shared.port} refuses us: Not authorized"
    until(lambda: courier._failures >= 2)
    assert not courier.connected
    assert len([record for record in caplog.records if "refuses us" in record.message]) == 1, "told once, not each time"


def test_the_second_broker_is_taken_where_the_first_is_dead(shared: Mosquitto, start: Start, held: Outbox) -> None:
    with HandHub(shared.port, DEVICE, answers=True), dead_port() as dead:
        held.append([fault()])
        start(to(dead), to(shared.port))
        until(lambda: waiting(held) == 0)


def test_a_broker_that_is_killed_comes_back(mosquitto: Mosquitto, start: Start, held: Outbox) -> None:
    with HandHub(mosquitto.port, DEVICE, answers=True) as hub:
        courier = start(to(mosquitto.port))
        until(lambda: courier.online)
        nonce = hub.statuses(Hello)[0].nonce
        mosquitto.kill()
        until(lambda: not courier.connected)
        assert courier.last_error == f"broker {HOST}:{mosquitto.port}: the connection broke"
        held.append([fault("meanwhile")])
        mosquitto.start()
        until(lambda: waiting(held) == 0)
        assert hub.batches()[-1].nonce != nonce


def test_the_embedded_broker_does_as_well(tmp_path: Path, start: Start, held: Outbox) -> None:
    with EmbeddedBroker(tmp_path / "broker", USERS) as broker, HandHub(broker.port, DEVICE, answers=True):
        courier = start(to(broker.port))
        held.append([fault()])
        until(lambda: waiting(held) == 0)
        assert courier.last_error == ""


def test_a_broker_that_accepts_and_says_nothing_is_left(
    start: Start, held: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier_module, "MAX_PAUSE_S", 0.5)
    with socket.create_server((HOST, 0)) as silent:
        courier = start(to(silent.getsockname()[1]))
        until(lambda: courier.last_error == "the broker does not answer")


def test_a_name_that_is_none_is_an_error_like_others(start: Start, held: Outbox) -> None:
    courier = start(Broker("no-such-host.invalid", 1883, DEVICE, PASSWORD), Broker("a" * 300, 1883, DEVICE, PASSWORD))
    until(lambda: courier._failures >= 2)
    assert courier.last_error.startswith("broker ")


def test_two_that_throw_each_other_out_slow_down(shared: Mosquitto, start: Start, held: Outbox, tmp_path: Path) -> None:
    """A cloned card: two agents of one name, of which the broker keeps the latest."""
    (tmp_path / "clone").mkdir()
    with HandHub(shared.port, DEVICE, answers=True) as hub, outbox(tmp_path / "clone") as other:
        first = start(to(shared.port))
        until(lambda: first.online)
        clone = Courier(DEVICE, [to(shared.port)], other, Clock(), version="1.0")
        clone.start()
        try:
            until(lambda: max(first._failures, clone._failures) >= 3)
            assert len({hello.session for hello in hub.statuses(Hello)}) == 2
        finally:
            clone.stop()
            clone.join(DEADLINE_S)


# -- a whole process ---------------------------------------------------------------------------------------------------


@contextmanager
def agent(folder: Path, port: int, *, ca_file: Path | None = None, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir()
    tls = "tls = false" if ca_file is None else f"tls = true, ca_file = '{ca_file}'"
    (folder / "password").write_text(PASSWORD)
    config = folder / "agent.toml"
    config.write_text(
        f"device = '{DEVICE}'\nstate_folder = '{folder}'\nruntime_folder = '{folder}'\n"
        f"[mqtt]\npassword_file = '{folder}/password'\nbrokers = [{{host = '{HOST}', port = {port}, {tls}}}]\n"
    )
    command = [sys.executable, "-m", "edge_agent.cli", "--config", str(config), "run"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, env={**os.environ, **environ})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(DEADLINE_S)


def test_the_broker_says_of_a_killed_agent_that_it_is_lost(shared: Mosquitto, tmp_path: Path) -> None:
    with HandHub(shared.port, DEVICE, answers=True) as hub, agent(tmp_path / "agent", shared.port) as process:
        (hello, *_) = until(lambda: hub.statuses(Hello), "a hello")
        process.send_signal(signal.SIGKILL)
        (goodbye,) = until(lambda: hub.statuses(Goodbye), "the will")
        assert goodbye == Goodbye(session=hello.session, nonce=hello.nonce, reason="lost")


# -- TLS ---------------------------------------------------------------------------------------------------------------

OPENSSL = shutil.which("openssl")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, and broker.pem and broker.key that it signed for the loopback address."""
    folder = tmp_path_factory.mktemp("authority")
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    _openssl(folder, *new, "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", f"subjectAltName=IP:{HOST}")
    extensions = ("-addext", "basicConstraints=critical,CA:FALSE")
    _openssl(folder, *new, "-subj", "/CN=broker", "-keyout", "broker.key", "-out", "broker.pem", *signed, *extensions)
    for file in folder.iterdir():
        file.chmod(0o600)
    return folder


class TlsMosquitto(Mosquitto):
    """The same with a certificate."""

    def __init__(self, folder: Path, users: Any, authority: Path) -> None:
        super().__init__(folder, users)
        self.authority = authority
        self.plain_port = free_port()

    def _write_config(self) -> Path:
        config = super()._write_config()
        lines = f"certfile {self.authority}/broker.pem\nkeyfile {self.authority}/broker.key\n"
        head, rest = config.read_text().split("\n", 1)
        config.write_text(f"{head}\n{lines}{rest}listener {self.plain_port} {HOST}\n")
        return config


@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")  # paho, after a bad handshake
def test_tls(tmp_path: Path, authority: Path, start: Start, held: Outbox) -> None:
    with TlsMosquitto(tmp_path / "tls", USERS, authority) as broker:
        trusting = ssl.create_default_context(cafile=str(authority / "ca.pem"))
        courier = start(to(broker.port, tls=trusting))
        until(lambda: courier.connected)
        courier.set_offline(True)
        stranger = start(to(broker.port, tls=ssl.create_default_context()))
        until(lambda: stranger.last_error)
        assert "certificate verify failed" in stranger.last_error
        assert not stranger.connected


def test_a_machine_that_starts_in_1970_connects_and_nothing_is_misdated(tmp_path: Path, authority: Path) -> None:
    """No NTP: the certificate is from the future until the hub's answer to the hello tells the time."""
    in_1970 = {
        "LD_PRELOAD": "/usr/$LIB/faketime/libfaketime.so.1",  # not the program, which would not hand signals on
        "FAKETIME": "@1970-01-01 00:00:30",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # nor CLOCK_BOOTTIME
    }
    with (
        TlsMosquitto(tmp_path / "tls", USERS, authority) as broker,
        HandHub(broker.plain_port, DEVICE) as hub,
        agent(tmp_path / "agent", broker.port, ca_file=authority / "ca.pem", **in_1970) as process,
    ):
        began_ms = time.time_ns() // 1_000_000
        (hello, *_) = until(lambda: hub.statuses(Hello), "a hello")
        provisional = [codec.decode_event(body).time for _, _, body in rows(tmp_path / "agent")]
        assert all(0 <= time_ms - BUILT_MS < DEADLINE_S * 1000 for time_ms in provisional), "1970, raised to the floor"
        assert not hub.batches(), "nothing is sent before its time is known"
        hub.send(Receipt(nonce=hello.nonce, hub_time=time.time_ns() // 1_000_000, hello=True))
        (batch, *_) = until(hub.batches, "what had waited for the time")
        assert hello.opening is not None
        assert hello.opening.number == 1
        assert {event.clock for event in batch.events} == {"repaired"}
        assert all(abs(event.time - began_ms) < DEADLINE_S * 1000 for event in batch.events)
        process.terminate()
        process.wait(DEADLINE_S)
        stored = FloorFile(tmp_path / "agent").read()
        assert began_ms <= stored <= time.time_ns() // 1_000_000 + 1_000


def test_a_receipt_for_another_stream_changes_nothing(shared: Mosquitto, start: Start, held: Outbox) -> None:
    with HandHub(shared.port, DEVICE) as hub:
        held.append([fault()])
        start(to(shared.port))
        (batch, *_) = until(hub.batches)
        other = Covered(stream="f" * 32, low=1, high=9, committed=[(1, 9)])
        hub.send(Receipt(nonce=batch.nonce, hub_time=1, streams=[other]))
        hub.commit(batch)
        until(lambda: waiting(held) == 0)
        assert [pending.stream for pending in held.streams()] == [batch.stream]
