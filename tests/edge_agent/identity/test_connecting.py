"""The whole agent with its certificate before a real Mosquitto: over WebSocket, and with an unusable newest one."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract.enrol import BrokerAddress
from contract.status import Hello
from edge_agent import courier as courier_module
from edge_agent.agent import Agent
from edge_agent.config import load
from edge_agent.identity.store import IdentityStore
from simulator.ports import HOST, free_port
from tests.edge_agent.hand_hub import PASSWORD, USER, HandHub
from tests.edge_agent.identity.enrolled import enrolled, renewed
from tests.edge_agent.identity.hand_authority import DEVICE, HandAuthority, HandEnrolment
from tests.mosquitto import Mosquitto
from tests.patience import DEADLINE_S, until

_CONFIG = """\
per_listener_settings true
max_queued_messages 100000
log_dest stderr
listener {port} {host}
allow_anonymous false
password_file {folder}/passwords
listener {web} {host}
protocol websockets
cafile {folder}/authority.pem
certfile {folder}/server.pem
keyfile {folder}/server.pem
require_certificate true
use_identity_as_username true
user root
"""


class WebMosquitto(Mosquitto):
    """Devices come in by WebSocket with a certificate; the hub by password."""

    def __init__(self, folder: Path, authority: HandAuthority, server_pem: Path) -> None:
        super().__init__(folder, {USER: PASSWORD})
        folder.mkdir(exist_ok=True)
        self.web = free_port()
        (folder / "authority.pem").write_text(authority.pem)
        shutil.copy(server_pem, folder / "server.pem")

    def _write_config(self) -> Path:
        config = super()._write_config()
        user_root = "user root" in config.read_text()
        text = _CONFIG.format(port=self.port, host=HOST, folder=self.folder, web=self.web)
        config.write_text(text if user_root else text.replace("user root\n", ""))
        return config


@contextmanager
def running(folder: Path) -> Iterator[Agent]:
    config = folder / "agent.toml"
    config.write_text(f"state_folder = '{folder}/state'\nruntime_folder = '{folder}/run'\n")
    agent = Agent(load(config, {}), probes=[])
    thread = threading.Thread(target=agent.run)
    thread.start()
    try:
        yield agent
    finally:
        agent.stop()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


@pytest.mark.filterwarnings("ignore:.*DatedSocket:pytest.PytestUnraisableExceptionWarning")
def test_by_web_socket_and_by_the_certificate_before(
    hub: HandEnrolment, server_pem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier_module, "FIRST_PAUSE_S", 0.05)
    state = tmp_path / "state"
    with WebMosquitto(tmp_path / "mosquitto", hub.authority, server_pem) as broker:
        dead = BrokerAddress(HOST, free_port())
        hub.brokers = (dead, BrokerAddress(HOST, broker.web, "websockets"))
        enrolled(state, hub)
        with HandHub(broker.port, DEVICE, answers=True) as heard, running(tmp_path) as agent:
            until(lambda: heard.statuses(Hello), "a hello over the second way")
            assert agent.status().certificate.device == DEVICE  # type: ignore[union-attr]

            hub.signer = HandAuthority("not the broker's")
            renewed(state)
            assert agent._keeper is not None
            agent._keeper._look_due_ms = 0  # a minute has passed
            until(lambda: "certificate_unusable" in agent.status().faults, "the one before serves")
            assert agent.courier.connected
            assert [one.name for one in IdentityStore(state).earlier()] == ["1"]
