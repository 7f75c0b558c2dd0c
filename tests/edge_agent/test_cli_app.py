"""Which modules a command loads: its own, and all of them only for the help."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edge_agent import cli
from edge_agent.cli import doctor
from edge_agent.cli.app import COMMANDS, modules


def test_only_what_is_asked_for_is_loaded() -> None:
    assert modules(["--config", "x", "run"]) == ["run"]
    assert modules(["--config", "run", "status"]) == ["run", "status"]
    assert modules(["--help"]) == modules(["staus"]) == list(dict.fromkeys(COMMANDS.values()))


def test_a_running_agent_has_no_doctor_in_its_memory() -> None:
    asked = (
        "import sys; from edge_agent import cli\n"
        "code = cli.main(['--config', '/nowhere.toml', 'run'])\n"
        "others = [name for name in sys.modules if name.startswith(('edge_agent.doctor', 'edge_agent.words'))]\n"
        "sys.exit(repr(others) if others else code)"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr


def test_every_command_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n    {command} " in shown or f"\n    {command}\n" in shown
        with pytest.raises(SystemExit, match="0"):
            cli.main([command, "--help"])


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(place: object) -> list[object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "examine", interrupted)
    assert cli.main(["--config", "/nowhere.toml", "doctor"]) == 130
