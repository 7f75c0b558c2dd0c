"""Where a simulated device keeps what: the same folder at every start, so that a killed one goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edge_agent.config import AgentSettings, BrokerSettings, MqttSettings
from simulator.ports import HOST

TRUTH: Final = "truth.jsonl"
"""Below the demo's folder: what the stories of all devices put on a screen that should not be there."""


class Place:
    """The folder of one device, `agents/<name>` below the demo's folder; made if missing."""

    def __init__(self, root: Path, device: str) -> None:
        self.device = device
        self.folder = root / "agents" / device
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def state(self) -> Path:
        """The outbox."""
        return self.folder / "state"

    @property
    def runtime(self) -> Path:
        """The status file."""
        return self.folder / "run"

    @property
    def journal(self) -> Path:
        """What the oracle reads."""
        return self.folder / "events.journal"

    @property
    def password_file(self) -> Path:
        """The device's MQTT password."""
        return self.folder / "password"

    def settings(self, broker_port: int) -> AgentSettings:
        """The agent's settings: all as delivered, but for the folders and a broker on this machine."""
        broker = BrokerSettings(host=HOST, port=broker_port, tls=False)
        return AgentSettings(
            device=self.device,
            mqtt=MqttSettings(brokers=(broker,), password_file=str(self.password_file)),
            state_folder=str(self.state),
            runtime_folder=str(self.runtime),
        )
