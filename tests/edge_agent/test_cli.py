"""`ttdn-agent` as a command: what it prints, where, and its exit codes 0, 1, 2, 3."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.status import Hello, Queue
from edge_agent import cli, status_file
from edge_agent.cli import status as status_command
from edge_agent.clock import boottime_ms
from edge_agent.config_sample import sample_toml
from edge_agent.outbox.outbox import FILE_NAME
from simulator.broker import EmbeddedBroker
from simulator.ports import HOST
from tests.edge_agent import hand_hub
from tests.edge_agent.hand_hub import HandHub, dead_port
from tests.edge_agent.outbox.making import faults, outbox, rows
from tests.edge_agent.test_condition import a_status
from tests.patience import until

DEVICE, PASSWORD = "bg-20-cma-k1", "of the kiosk"
COMMAND = [sys.executable, "-m", "edge_agent.cli"]


def run(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TTDN_AGENT_")}
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120, env={**kept, **environ}
    )


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    with dead_port() as port:
        yield write_config(tmp_path, port)


def write_config(folder: Path, port: int, more: str = "") -> Path:
    (folder / "password").write_text(PASSWORD)
    file = folder / "agent.toml"
    file.write_text(
        f"device = '{DEVICE}'\nstate_folder = '{folder}/state'\nruntime_folder = '{folder}/runtime'\n"
        f"[mqtt]\npassword_file = '{folder}/password'\nbrokers = [{{host = '{HOST}', port = {port}, tls = false}}]\n"
        f"[outbox]\ncommit_interval_s = 0.0\n{more}"
    )
    return file


@contextmanager
def agent(config: Path) -> Iterator[subprocess.Popen[str]]:
    with (config.parent / "log").open("w") as log:
        process = subprocess.Popen([*COMMAND, "--config", str(config), "run"], stderr=log, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)


def status(config: Path) -> tuple[int, dict[str, Any]]:
    done = run("--config", config, "status", "--json")
    return done.returncode, json.loads(done.stdout)


def outcomes(config: Path) -> dict[str, str]:
    """What the doctor finds of the agent and its way to the hub."""
    found = json.loads(run("--config", config, "doctor", "--json").stdout)["checks"]
    kinds = ("service", "receipt", "broker")
    return {check["id"]: check["outcome"] for check in found if check["id"].partition(".")[0] in kinds}


# -- without an agent --------------------------------------------------------------------------------------------------


def test_help_names_every_command_and_exit_code() -> None:
    done = run("--help")
    assert done.returncode == 0
    for word in ("run", "status", "check-config", "sample-config", "exit codes", "3 the agent does not run"):
        assert word in done.stdout
    assert run().returncode == run("fly").returncode == 2


def test_the_sample_is_printed() -> None:
    done = run("sample-config")
    assert (done.returncode, done.stdout, done.stderr) == (0, sample_toml(), "")


def test_a_configuration_is_checked(config: Path) -> None:
    done = run("--config", config, "check-config", "--lang", "en")
    assert (done.returncode, done.stdout) == (0, f"{config} is well: device {DEVICE}, probes: none\n")
    done = run("check-config", TTDN_LANG="en", TTDN_AGENT_CONFIG=str(config), TTDN_AGENT_PROBES__SYSTEM="{}")
    assert (done.returncode, done.stdout) == (0, f"{config} is well: device {DEVICE}, probes: system\n")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("[probes.radar]\n", "probes.radar: there is no such probe"),
        ("[[mqtt.brokers]]\n", "not TOML"),
        ("[bridge]\nenabled = 7\n", "bridge.enabled: Expected `bool`"),
    ],
)
def test_a_wrong_configuration_is_one_clear_line(config: Path, more: str, expected: str) -> None:
    config.write_text(config.read_text() + more)
    for command in ("check-config", "run", "status"):
        done = run("--config", config, command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"ttdn-agent: {config}: {expected}")
        assert len(done.stderr.splitlines()) == 1


def test_files_that_the_configuration_names_are_looked_at(config: Path, tmp_path: Path) -> None:
    done = run("--config", config, "check-config", TTDN_AGENT_MQTT__PASSWORD_FILE="/nowhere/password")
    assert (done.returncode, done.stderr) == (
        2,
        "ttdn-agent: mqtt.password_file: /nowhere/password: No such file or directory\n",
    )
    (tmp_path / "ca.pem").write_text("no certificate")
    brokers = f'[{{host = "h", ca_file = "{tmp_path}/ca.pem"}}]'
    done = run("--config", config, "check-config", TTDN_AGENT_MQTT__BROKERS=brokers)
    assert done.returncode == 2
    assert "give a PEM file that the agent can read" in done.stderr


def test_a_folder_that_cannot_be_made(config: Path) -> None:
    done = run("--config", config, "run", TTDN_AGENT_STATE_FOLDER="/proc/nothing")
    assert done.returncode == 2
    assert "cannot make /proc/nothing" in done.stderr


def test_without_an_agent_the_status_is_3_and_tells_what_is_held(config: Path, tmp_path: Path) -> None:
    nothing: dict[str, Any] = {"events": 0, "waiting": 0, "oldest_ms": None, "lost": {}, "bytes": 0}
    told: dict[str, Any] = {"running": False, "events_in_outbox": 0, "outbox": nothing, "certificate_ends_ms": None}
    told["outbox_error"] = ""
    assert status(config) == (3, told)
    (tmp_path / "state").mkdir()
    with outbox(tmp_path / "state") as opened:
        opened.append(faults(3))
    code, told = status(config)
    assert (code, told["events_in_outbox"], told["outbox"]["waiting"]) == (3, 3, 3)
    done = run("--config", config, "status", "--lang", "en")
    lines = done.stdout.splitlines()
    assert lines[0] == f"device      {DEVICE}; the agent does not run"
    assert lines[1].startswith("waiting     3 events, the oldest ")
    assert lines[2:] == ["losses      none", "certificate none"]
    assert run("--config", config, "status").stdout.startswith(
        f"Thiết bị    {DEVICE}; tác tử không chạy\nChờ gửi     3 "
    )
    (tmp_path / "state" / FILE_NAME).write_bytes(b"rubbish" * 999)
    done = run("--config", config, "status")
    first, second, third = done.stdout.splitlines()
    assert (done.returncode, first) == (1, f"Thiết bị    {DEVICE}; tác tử không chạy"), "the rest is told all the same"
    assert "Chứng thư" in second
    assert third.startswith("! không đọc được hộp chờ gửi: ")
    code, told = status(config)
    assert (code, told["running"], told["outbox"]) == (1, False, None)
    assert "check the SD card" in told["outbox_error"]


# -- what a status says ------------------------------------------------------------------------------------------------


def said(config: Path, capsys: pytest.CaptureFixture[str], **changes: Any) -> tuple[int, list[str]]:
    import msgspec

    healthy = a_status(os.getpid(), boottime_ms())
    (config.parent / "runtime").mkdir(exist_ok=True)
    status_file.write(config.parent / "runtime", msgspec.structs.replace(healthy, **changes))
    code = cli.main(["--config", str(config), "status", "--lang", "en"])
    return code, [line for line in capsys.readouterr().out.splitlines() if line.startswith("!")]


def test_each_problem_is_a_line_and_makes_it_1(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said(config, capsys) == (0, [])
    assert said(config, capsys, connected=False, last_error="broker h:1 refuses us") == (
        1,
        ["! no connection to a broker: broker h:1 refuses us"],
    )
    assert said(config, capsys, queue=Queue(full=True, refused=8)) == (
        1,
        ["! the outbox is full; 8 events were refused: bring the link back"],
    )
    assert said(config, capsys, dropped=2)[0] == 1
    assert said(config, capsys, probes={"mpv": "no socket"}, faults=["probe_failed", "low_disk"]) == (
        1,
        ["! probe mpv: no socket", "! fault: low_disk"],
    )
    now_ms = boottime_ms()
    monkeypatch.setattr(status_command, "boottime_ms", lambda: now_ms + int(status_file.STALE_S * 1000) + 5_000)
    monkeypatch.setattr(status_file, "boottime_ms", lambda: now_ms + 10**6)
    code, lines = said(config, capsys)
    assert code == 1
    assert "it has not said anything for 35 s" in lines[0] or "it has not said anything for 34 s" in lines[0]


# -- with an agent -----------------------------------------------------------------------------------------------------


def test_a_run_from_start_to_stop(tmp_path: Path) -> None:
    users = {DEVICE: PASSWORD, hand_hub.USER: hand_hub.PASSWORD}
    with EmbeddedBroker(tmp_path / "broker", users) as broker, HandHub(broker.port, DEVICE, answers=True) as hub:
        config = write_config(tmp_path, broker.port, "[probes.system]\n")
        with agent(config) as process:
            _, answer = until(lambda: (found := status(config))[0] == 0 and found[1]["status"]["online"] and found)
            assert (answer["running"], answer["problems"]) == (True, [])
            assert answer["status"]["pid"] == process.pid
            text = run("--config", config, "status", TTDN_LANG="en").stdout
            assert f"device      {DEVICE}, agent " in text
            assert "connection  online since " in text
            assert "receipt     " in text
            assert "on screen   no player is watched" in text
            assert "Kết nối     trực tuyến từ " in run("--config", config, "status").stdout
            assert outcomes(config) == {"service": "ok", "receipt": "ok", f"broker.{HOST}:{broker.port}": "ok"}
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        assert len({hello.session for hello in hub.statuses(Hello)}) == 1, "the doctor kept out of the agent's way"
        assert outcomes(config) == {"service": "fail", "receipt": "ok", f"broker.{HOST}:{broker.port}": "ok"}
        events = [event for batch in hub.batches() for event in batch.events]
        told = [getattr(event, "action", "") for event in events if event.KIND == "lifecycle"]
        assert told == ["boot", "start", "stop"]
        with agent(config) as process:
            until(lambda: len(hub.batches()[-1].stream) and hub.batches()[-1].stream != hub.batches()[0].stream)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        later = [event for batch in hub.batches() for event in batch.events][len(events) :]
        assert "boot" not in [getattr(event, "action", "") for event in later], "a boot is told once"
    assert status(config)[0] == 3
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_without_a_broker_it_runs_and_says_so(config: Path, tmp_path: Path) -> None:
    with agent(config) as process:
        _, answer = until(lambda: (found := status(config))[0] == 1 and found[1]["status"]["last_error"] and found)
        assert answer["problems"] == [f"no connection to a broker: {answer['status']['last_error']}"]
        assert "Connection refused" in answer["status"]["last_error"]
        second = run("--config", config, "run")
        assert (second.returncode, second.stdout) == (2, "")
        assert "another agent uses" in second.stderr
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        assert status(config)[0] == 3, "a killed agent does not run, whatever its last status says"
    assert len(rows(tmp_path / "state")) == 2
