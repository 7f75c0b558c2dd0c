"""A whole agent over a real Mosquitto: configuration and commands come in, and what they change is seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract import codec
from contract.command import Command, Reply
from contract.config import DataBudget, DeviceConfig, Intervals, Limits, OpenSpan
from contract.status import Hello
from edge_agent.agent import Agent
from edge_agent.config import load
from edge_agent.outbox.outbox import Outbox
from edge_agent.probes.mpv import MpvProbe, MpvSettings
from edge_agent.remote.meter import Meter
from edge_agent.uplink import Pace
from tests.edge_agent import hand_hub
from tests.edge_agent.hand_hub import HandHub
from tests.edge_agent.test_agent import events, running
from tests.edge_agent.test_cli import DEVICE, PASSWORD, write_config
from tests.edge_agent.test_probe_runner import LIT, Scripted
from tests.mosquitto import Mosquitto
from tests.mpv import MpvProcess
from tests.patience import until

USERS = {DEVICE: PASSWORD, hand_hub.USER: hand_hub.PASSWORD}
WHOLE_WEEK = [OpenSpan(day, 0, 24 * 60) for day in range(1, 8)]
WANTED = DeviceConfig(
    revision=5,
    intervals=Intervals(alive_s=20, hello_s=120, look_s=7.5),
    limits=Limits(outbox_max_bytes=3_000_000),
    opening=WHOLE_WEEK,
    budget=DataBudget(month_bytes=1_000_000),
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "mosquitto", USERS) as started:
        yield started


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def command(name: str, number: int) -> Command:
    return Command(id=f"{number:016x}", name=name, issued_ms=now_ms(), expires_ms=now_ms() + 600_000)


def test_configuration_and_commands(tmp_path: Path, broker: Mosquitto, player: MpvProcess) -> None:
    player.start()
    config = write_config(tmp_path, broker.port, f"[probes.mpv]\nsocket_path = '{player.socket_path}'\n")
    probe = MpvProbe(MpvSettings(socket_path=player.socket_path))
    other = Scripted(lambda: [LIT], name="other")
    with HandHub(broker.port, DEVICE, answers=True) as hub, running(tmp_path, probe, other, config=config) as agent:
        until(lambda: hub.statuses(Hello))
        hub_time_ms = until(agent.courier.hub_time_ms)
        assert abs(hub_time_ms - now_ms()) < 60_000
        hub.send_word("config", codec.encode_config(WANTED))
        assert until(hub.replies)[0] == Reply(config=5, outcome="applied")
        until(lambda: probe.interval_s == 7.5)
        assert other.interval_s != 7.5
        assert agent.courier._uplink.pace == Pace(20_000, 120_000, 0)
        assert agent.outbox._store.max_bytes == 3_000_000
        until(lambda: agent.status().is_open is True)
        assert (agent.status().config, agent.status().budget_bytes) == (5, 1_000_000)
        until(lambda: agent.status().month_bytes > 500)

        hellos = len(hub.statuses(Hello))
        hub.send_word("command", codec.encode_command(command("send-now", 1)))
        until(lambda: len(hub.statuses(Hello)) > hellos)
        assert hub.statuses(Hello)[-1].config == 5
        hub.send_word("command", codec.encode_command(restart := command("restart-player", 2)))
        until(lambda: len(hub.replies()) == 3)
        assert [(reply.command, reply.outcome) for reply in hub.replies()[1:]] == [
            (command("send-now", 1).id, "done"),
            (restart.id, "done"),
        ]
        until(lambda: "player_gone" in agent.status().faults)
    told = [event.detail for event in events(tmp_path) if event.KIND == "lifecycle"]  # type: ignore[union-attr]
    assert "revision 5 of the hub is in force" in told


def test_an_agent_that_starts_without_a_hub_goes_on_with_what_it_had_and_saves_data(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "remote"
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(codec.inflate(*codec.encode_config(WANTED)))
    meter = Meter(folder)
    meter.count(900_000, now_ms(), 0)
    meter.keep(0)
    with running(tmp_path) as agent:
        until(lambda: agent.status().data == "saving")
        until(lambda: agent.courier._uplink.pace == Pace(60_000, 1_800_000, 60_000))
        assert agent.outbox._store.max_bytes == 3_000_000
        until(lambda: "data_budget" in agent.status().faults)
    codes = [(event.code, event.component) for event in events(tmp_path) if event.KIND == "fault"]  # type: ignore[union-attr]
    assert codes == [("data_budget", "link")]


def test_intervals_of_probes_hold_from_the_start_of_an_agent(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "remote"
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(codec.inflate(*codec.encode_config(WANTED)))
    agent = Agent(load(write_config(tmp_path, 1, "[probes.mpv]\ninterval_s = 2.0\n"), {}))
    try:
        assert [runner.probe.interval_s for runner in agent._runners] == [7.5]
        assert isinstance(agent.outbox, Outbox)
    finally:
        agent.outbox.close()
