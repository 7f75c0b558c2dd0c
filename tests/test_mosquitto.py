"""The access rules that we ship, on the real Mosquitto."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.topics import ALL_STATUS, FROM_DEVICE, SHARED_EVENTS, TO_DEVICE, topic
from simulator import processes
from simulator.errors import ServerError
from tests.mosquitto import Mosquitto
from tests.mqtt_client import Client

USERS = {"hub": "secret of the hub", "kiosk-1": "one", "kiosk-2": "two"}
NOT_AUTHORIZED = 135


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "mosquitto", USERS) as server:
        yield server


@pytest.fixture
def hub(mosquitto: Mosquitto) -> Iterator[Client]:
    with Client(mosquitto.port, "hub-1", "hub", USERS["hub"]) as client:
        for topic_filter in (SHARED_EVENTS, ALL_STATUS, "ttdn/v1/+/reply"):
            assert client.subscribe(topic_filter) < 128
        yield client


@pytest.fixture
def kiosk(mosquitto: Mosquitto) -> Iterator[Client]:
    with Client(mosquitto.port, "kiosk-1", "kiosk-1", "one") as client:
        yield client


def test_a_device_publishes_what_is_its_own(hub: Client, kiosk: Client) -> None:
    sent = [(topic("kiosk-1", channel), channel.encode()) for channel in FROM_DEVICE]
    for where, payload in sent:
        assert kiosk.publish(where, payload) < 128
    hub.wait_for(lambda: sorted(hub.messages) == sorted(sent))


def test_a_device_reads_what_is_its_own(hub: Client, kiosk: Client) -> None:
    sent = [(topic("kiosk-1", channel), channel.encode()) for channel in TO_DEVICE]
    for where, _ in sent:
        assert kiosk.subscribe(where) < 128
    for where, payload in sent:
        assert hub.publish(where, payload) < 128
    kiosk.wait_for(lambda: sorted(kiosk.messages) == sorted(sent))


def test_a_device_cannot_publish_as_another_and_stays_connected(hub: Client, kiosk: Client) -> None:
    for channel in FROM_DEVICE:
        assert kiosk.publish(topic("kiosk-2", channel), b"forged") == NOT_AUTHORIZED
    for channel in TO_DEVICE:
        assert kiosk.publish(topic("kiosk-1", channel), b"forged") == NOT_AUTHORIZED
    assert kiosk.publish(topic("kiosk-1", "events"), b"real") < 128
    hub.wait_for(lambda: bool(hub.messages))
    assert hub.messages == [(topic("kiosk-1", "events"), b"real")]
    assert (kiosk.connections, kiosk.disconnections) == (1, 0)


@pytest.mark.parametrize("asked", ["ttdn/v1/kiosk-2/receipt", "ttdn/v1/#", "#", "ttdn/v1/+/command", SHARED_EVENTS])
def test_a_device_cannot_read_as_another_and_stays_connected(hub: Client, kiosk: Client, asked: str) -> None:
    kiosk.subscribe(asked)
    kiosk.subscribe(topic("kiosk-1", "receipt"))
    for channel in TO_DEVICE:
        hub.publish(topic("kiosk-2", channel), b"not for kiosk-1")
    kiosk.publish(topic("kiosk-1", "events"), b"for the hub alone")
    hub.publish(topic("kiosk-1", "receipt"), b"its own, and the last")
    kiosk.wait_for(lambda: b"its own, and the last" in kiosk.payloads)
    assert {where for where, _ in kiosk.messages} == {topic("kiosk-1", "receipt")}
    assert (kiosk.connections, kiosk.disconnections) == (1, 0)


def test_the_hub_cannot_write_events(hub: Client) -> None:
    assert hub.publish(topic("kiosk-1", "events"), b"forged") == NOT_AUTHORIZED
    assert hub.publish(topic("kiosk-1", "status"), b"forged") == NOT_AUTHORIZED


@pytest.mark.parametrize(("user", "password"), [("kiosk-1", "two"), ("stranger", "one"), ("", "")])
def test_a_wrong_password_is_refused(mosquitto: Mosquitto, user: str, password: str) -> None:
    with pytest.raises(ConnectionError):
        Client(mosquitto.port, "kiosk-1", user, password).__enter__()


def test_kill_and_restart_on_the_same_port(mosquitto: Mosquitto, kiosk: Client) -> None:
    port, pid = mosquitto.port, mosquitto.pid
    mosquitto.kill()
    assert not processes.is_running(pid)
    mosquitto.start()
    assert mosquitto.port == port
    kiosk.wait_for(lambda: kiosk.connections >= 2)
    mosquitto.restart()
    assert mosquitto.port == port


def test_secrets_are_hashed_and_on_no_command_line(mosquitto: Mosquitto) -> None:
    kept = (mosquitto.folder / "passwords").read_text()
    assert all(f"{name}:$7$" in kept for name in USERS)
    assert "secret of the hub" not in kept


def test_a_missing_mosquitto_is_an_error_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    with pytest.raises(ServerError, match="apt-get install -y --no-install-recommends mosquitto"):
        Mosquitto(tmp_path / "mosquitto", USERS).start()
