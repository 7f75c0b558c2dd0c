"""The embedded broker: MQTT 5 and `$share` as the hub uses them, passwords, kill and restart."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.limits import MAX_MESSAGE_BYTES
from contract.topics import SHARED_EVENTS, topic
from simulator import processes
from simulator.broker import EmbeddedBroker
from simulator.errors import ServerError
from tests.mqtt_client import Client

USERS = {"hub": 'a "quoted" \\ secret ạ', "kiosk-1": "secret one", "kiosk-2": "secret two"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path / "broker", USERS) as server:
        yield server


def test_shared_subscription_delivers_each_message_to_one(broker: EmbeddedBroker) -> None:
    with (
        Client(broker.port, "worker-1", "hub", USERS["hub"]) as first,
        Client(broker.port, "worker-2", "hub", USERS["hub"]) as second,
        Client(broker.port, "kiosk-1", "kiosk-1", USERS["kiosk-1"]) as kiosk,
    ):
        for worker in (first, second):
            worker.subscribe(SHARED_EVENTS)
        sent = {f"event {number}".encode() for number in range(40)}
        for payload in sent:
            kiosk.publish(topic("kiosk-1", "events"), payload)
        kiosk.wait_for(lambda: len(first.payloads) + len(second.payloads) >= len(sent))
        assert sorted([*first.payloads, *second.payloads]) == sorted(sent)


def test_the_largest_message_of_the_contract_passes(broker: EmbeddedBroker) -> None:
    with (
        Client(broker.port, "hub", "hub", USERS["hub"]) as hub,
        Client(broker.port, "k", "kiosk-1", USERS["kiosk-1"]) as kiosk,
    ):
        hub.subscribe(SHARED_EVENTS)
        kiosk.publish(topic("kiosk-1", "events"), b"x" * MAX_MESSAGE_BYTES)
        hub.wait_for(lambda: hub.payloads == [b"x" * MAX_MESSAGE_BYTES])


@pytest.mark.parametrize(("user", "password"), [("kiosk-1", "wrong"), ("kiosk-1", USERS["kiosk-2"]), ("stranger", "")])
def test_a_wrong_password_is_refused(broker: EmbeddedBroker, user: str, password: str) -> None:
    with pytest.raises(ConnectionError):
        Client(broker.port, "kiosk-1", user, password).__enter__()


def test_kill_and_restart_on_the_same_port(broker: EmbeddedBroker) -> None:
    port, pid = broker.port, broker.pid
    with Client(port, "kiosk-1", "kiosk-1", USERS["kiosk-1"]) as kiosk:
        broker.kill()
        assert not processes.is_running(pid)
        with pytest.raises(ServerError, match="is not running"):
            _ = broker.pid
        broker.start()
        assert broker.port == port
        kiosk.wait_for(lambda: kiosk.connections >= 2)
    broker.restart()
    assert broker.port == port
    assert broker.pid != pid


def test_secrets_stay_in_a_file_of_its_own(broker: EmbeddedBroker) -> None:
    config = broker.folder / "broker.toml"
    assert config.stat().st_mode & 0o777 == 0o600
    assert json.dumps(USERS["hub"]) in config.read_text()
    assert not any(password in " ".join(processes.command_line(broker.pid)) for password in USERS.values())


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from simulator.broker import EmbeddedBroker\n"
        "server = EmbeddedBroker(Path(sys.argv[1]), {}); server.start(); print(server.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
    processes.wait_for_end(pid)


def test_a_port_that_was_taken_is_named(broker: EmbeddedBroker, tmp_path: Path) -> None:
    other = EmbeddedBroker(tmp_path / "other", USERS)
    other.start()
    other.stop()
    other._port = broker.port
    with pytest.raises(ServerError, match=f"port {broker.port} of 127.0.0.1 was taken by another program"):
        other.start()


def test_the_child_says_why_it_cannot_serve(tmp_path: Path) -> None:
    config = tmp_path / "broker.toml"
    config.write_text("id = 0\n")
    command = [sys.executable, "-m", "simulator.broker", "--config", str(config)]
    # Its standard input stays open: the child would take the end of it for the end of its parent.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        said = child.stderr.read()
    assert child.returncode == 1
    assert f"cannot serve as {config} says" in said
