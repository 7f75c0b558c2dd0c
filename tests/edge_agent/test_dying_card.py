"""An agent whose SD card dies under it ends with one clear sentence, whichever thread meets it first."""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from edge_agent import agent as agent_module
from edge_agent import cli, status_file
from edge_agent.observation import Vitals
from edge_agent.outbox.outbox import Outbox
from tests.edge_agent.outbox.making import sqlite_error
from tests.edge_agent.test_agent import running, settings_of
from tests.edge_agent.test_cli import write_config
from tests.edge_agent.test_probe_runner import LIT, Scripted
from tests.patience import until


def dead(*_: Any) -> None:
    raise sqlite_error(sqlite3.SQLITE_CORRUPT, "database disk image is malformed")


@pytest.mark.parametrize("who", ["the status", "the health of the machine"])
def test_the_outbox_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    monkeypatch.setattr(status_file, "EVERY_S", 0.05 if who == "the status" else 3_600)
    probe = Scripted(lambda: [LIT] if who == "the status" else [Vitals(at_ms=1)])
    failures: list[BaseException] = []
    with running(tmp_path, probe, failures=failures) as agent:
        until(lambda: probe.reads)
        monkeypatch.setattr(agent.outbox, "queue", dead)
        agent._put("scripted", [Vitals(at_ms=2)], 1.0)  # also what is left to be looked at when it ends
        agent._put("scripted", [Vitals(at_ms=3)], 1.0)
        until(lambda: failures)
    (failure,) = failures
    assert "cannot be used any more: database disk image is malformed" in str(failure)
    assert not (tmp_path / "runtime" / status_file.NAME).exists()
    monkeypatch.undo()
    with running(tmp_path) as again:
        assert again.outbox.set_aside is None, "the next start looked at all of it, and it was whole"
    assert settings_of(tmp_path).device


def test_the_command_says_it_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Outbox, "queue", dead)
    monkeypatch.setattr(agent_module, "TICK_MS", 50)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert cli.main(["--config", str(write_config(tmp_path, 1)), "run", "--log-level", "error"]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ttdn-agent:")]
    assert line == (
        f"ttdn-agent: the outbox in {tmp_path / 'state'} cannot be used any more: database disk image is malformed"
    )
