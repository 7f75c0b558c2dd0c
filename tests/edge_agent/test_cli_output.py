"""Where `ttdn-agent` cannot say what it has to say, or may not look: still no traceback, and no wrong answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_agent import cli
from edge_agent.outbox.look import Held, look

COMMAND = [sys.executable, "-m", "edge_agent.cli"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "agent.toml"
    file.write_text(
        f"device = 'k1'\nstate_folder = '{tmp_path}/state'\nruntime_folder = '{tmp_path}/runtime'\n"
        "[mqtt]\nbrokers = [{host = '127.0.0.1'}]\n"
    )
    return file


def run(arguments: list[str | Path | bytes], stdout: Any = subprocess.PIPE) -> tuple[int, str, str]:
    """Exit code, output, errors of one command."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("TTDN_", "PYTHON"))}
    done = subprocess.run(
        [*COMMAND, *arguments], stdout=stdout, stderr=subprocess.PIPE, env=environ, timeout=60, check=False
    )
    return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()


def test_a_reader_that_has_gone_changes_nothing(config: Path) -> None:
    for arguments, code in (["sample-config"], 0), (["--config", config, "status"], 3):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            assert run(arguments, writing) == (code, "", "")  # type: ignore[arg-type]
        finally:
            os.close(writing)


def test_an_output_that_is_full_is_told() -> None:
    with Path("/dev/full").open("wb") as full:
        code, _, errors = run(["sample-config"], full)
    assert (code, errors) == (1, "ttdn-agent: cannot write the answer to standard output: No space left on device\n")


def test_a_name_that_is_no_text_can_be_said(config: Path) -> None:
    odd = os.fsencode(config.parent) + b"/k\xff.toml"
    config.rename(os.fsdecode(odd))
    code, output, errors = run(["--config", odd, "check-config", "--lang", "en"])
    assert (code, errors) == (0, "")
    assert "k\\udcff.toml is well" in output


@pytest.mark.parametrize(("call", "what"), [("read_bytes", "runtime/status.json"), ("exists", "state/outbox.db")])
def test_who_may_not_look_is_not_told_that_it_does_not_run(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], call: str, what: str
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, call, refuse)
    assert cli.main(["--config", str(config), "status"]) == 1
    output, errors = capsys.readouterr()
    why = f"{config.parent / what} cannot be read: Permission denied; ask as the agent's user, or as root"
    if what.startswith("runtime"):
        assert (output, errors) == ("", f"ttdn-agent: {why}\n")
    else:
        assert why in output.splitlines()[-1], "the rest is told before it"


def test_checking_makes_nothing(config: Path) -> None:
    code, output, _ = run(["--config", config, "check-config", "--lang", "en"])
    assert (code, output) == (0, f"{config} is well: device k1, probes: none\n")
    assert [file.name for file in config.parent.iterdir()] == ["agent.toml"]


@pytest.mark.parametrize("arguments", [[], ["fly"], ["status", "--xml"], ["run", "--log-level", "loud"], ["--config"]])
def test_wrong_use_shows_the_right_one(arguments: list[str | Path | bytes]) -> None:
    code, output, errors = run(arguments)
    assert (code, output) == (2, "")
    assert "usage: ttdn-agent" in errors


def test_a_bridge_that_cannot_listen_leaves_no_agent(config: Path) -> None:
    config.write_text(config.read_text() + "[bridge]\nenabled = true\naddress = '192.0.2.1'\n")
    for _ in range(2):  # the second one finds no lock of the first
        code, _, errors = run(["--config", config, "run"])
        assert (code, len(errors.splitlines())) == (2, 1)
        assert "bridge.address is '192.0.2.1'" in errors


def test_an_outbox_that_is_just_being_made_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").touch()
    assert look(tmp_path / "outbox.db") == Held()
