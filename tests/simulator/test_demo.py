"""The demo as a person starts it: with everything killed on the way, ended by Ctrl-C, and continued."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import demo, processes
from simulator.child import PROJECT
from simulator.interrupts import Interrupted, Interrupts
from simulator.progress import Console, Look, line

COMMAND = [sys.executable, "-P", "-m", "simulator.demo", "--province", "20"]
SHOWS_A_STRANGER = ("--seed", "2")
"""A story that begins with a content that should not be there."""
KEYS = {
    "sites", "devices", "produced", "stored", "lost", "duplicated", "declared", "delay_ms_p50", "delay_ms_p99",
    "foreign", "contradicted", "online_events", "contents", "warmup_s", "left_in_outboxes", "audit_exit_code", "kills",
}  # fmt: skip


def _descendants(pid: int) -> list[int]:
    found = processes.children(pid)
    return found + [below for child in found for below in _descendants(child)]


class Run:
    """A demo under way. Its lines are read until one holds a text."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *options], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []

    def until(self, text: str) -> None:
        assert self.process.stdout is not None
        for said in self.process.stdout:
            self.lines.append(said)
            if text in said:
                return
        pytest.fail(f"the demo ended and never said {text!r}:\n{''.join(self.lines)}{self._errors()}")

    def end(self) -> int:
        out, error = self.process.communicate(timeout=150)
        self.lines += [out, error]
        return self.process.returncode

    def _errors(self) -> str:
        return self.process.stderr.read() if self.process.stderr else ""


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    """Demos to end, should a test fail."""
    started: list[Run] = []
    yield started
    for run in started:
        if run.process.poll() is None:
            run.process.terminate()
            run.end()


def test_everything_is_killed_and_nothing_is_lost(tmp_path: Path, runs: list[Run]) -> None:
    file = tmp_path / "result.json"
    runs.append(Run("--seconds", "20", "--kill", "--json", str(file), *SHOWS_A_STRANGER))
    assert runs[0].end() == 0, "".join(runs[0].lines)
    figures = json.loads(file.read_text())
    assert figures.keys() >= KEYS
    assert {figures[name] for name in ("lost", "duplicated", "foreign", "contradicted", "audit_exit_code")} == {0}
    assert figures["sites"] == 2
    assert figures["stored"] >= figures["produced"] > figures["devices"]
    contents = figures["contents"]
    assert {contents[name] for name in ("missing", "unexpected", "misjudged")} == {0}
    assert contents["incidents"] > 0
    assert contents["plays"]["approved"] > 0
    assert contents["after_commit_ms_p99"] < 5_000
    assert {kill["target"] for kill in figures["kills"]} == {"broker", "hub", "database", "agents"}
    said = "".join(runs[0].lines)
    assert "\nĐẠT: 2 điểm" in said
    assert "http://127.0.0.1:" in said


def test_ctrl_c_leaves_nothing_running_and_what_was_kept_goes_on(tmp_path: Path, runs: list[Run]) -> None:
    data, file = tmp_path / "kept", tmp_path / "result.json"
    tmp_path.chmod(0o755)
    options = ("--data", str(data), "--json", str(file))
    produced = []
    for _ in range(2):
        run = Run(*options)
        runs.append(run)
        run.until("events/s")
        started = _descendants(run.process.pid)
        assert len(started) > 5
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 0, "".join(run.lines)
        assert not [pid for pid in started if processes.is_running(pid)]
        produced.append(json.loads(file.read_text())["produced"])
    assert 0 < produced[0] < produced[1], "the second verdict is over both runs"

    other = Run(*options, "--seed", "2")
    runs.append(other)
    assert other.end() == demo.UNUSABLE
    assert "holds the border of --seed 1 --province 20" in other.lines[-1]

    old = data / "demo.json"
    old.write_text(json.dumps({"seed": 1, "province": "20", "runs": 2}))
    other = Run(*options)
    runs.append(other)
    assert other.end() == demo.UNUSABLE
    assert "holds the border of another version of the demo; give another folder" in other.lines[-1]


def test_a_signal_while_it_starts_ends_it_at_once(tmp_path: Path, runs: list[Run]) -> None:
    run = Run()
    runs.append(run)
    run.until("starting PostgreSQL")
    run.process.send_signal(signal.SIGTERM)
    assert run.end() == demo.INTERRUPTED
    assert "nothing is left running" in "".join(run.lines)


def test_a_demo_that_is_killed_takes_everything_with_it(tmp_path: Path, runs: list[Run]) -> None:
    tmp_path.chmod(0o755)
    run = Run("--data", str(tmp_path / "kept"))
    runs.append(run)
    run.until("events/s")
    started = _descendants(run.process.pid)
    run.process.kill()
    run.end()
    while any(processes.is_running(pid) for pid in started):
        time.sleep(0.05)


def test_help_teaches_and_wrong_use_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        demo.main(["--help"])
    said = capsys.readouterr()
    assert "--seconds" in said.out
    assert "exit codes:" in said.out
    assert not said.err
    for wrong in (["--kill"], ["--seconds", "0"], ["--seconds", "x"], ["--no-such"]):
        with pytest.raises(SystemExit, match="2"):
            demo.main(wrong)
    capsys.readouterr()
    assert demo.main(["--province", "99"]) == demo.UNUSABLE
    assert "province 99 has no site" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert demo.main(["--data", str(tmp_path / "file" / "below")]) == demo.UNUSABLE
    assert "file/below" in capsys.readouterr().err


def test_the_line_says_what_is_not_known() -> None:
    look = Look(at_s=10.0, online=7, rows=150, p50_ms=31.0, p99_ms=930.0, incidents=4)
    before = Look(at_s=5.0, online=7, rows=100, p50_ms=None, p99_ms=None)
    given = {"running_s": 12.0, "sites": 2, "devices": 7, "waiting": 3}
    assert line(look, before, **given) == (  # type: ignore[arg-type]
        "   12 s | 2 sites | 7/7 devices online | 10.0 events/s | screen to row p50 0.03 s p99 0.93 s"
        " | waiting in outboxes 3 | 4 incidents open"
    )
    assert "-/7 devices online | - events/s | screen to row p50 - p99 -" in line(None, look, **given)  # type: ignore[arg-type]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_of_progress_and_a_file_many() -> None:
    terminal, file = _Terminal(), io.StringIO()
    for out in (terminal, file):
        console = Console(out)
        console.renew("a")
        console.renew("b")
        console.say("c")
    assert terminal.getvalue() == "\r\x1b[Ka\r\x1b[Kb\r\x1b[Kc\n"
    assert file.getvalue() == "a\nb\nc\n"


def test_signals_finish_first_and_end_then() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts() as interrupts:
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)
        interrupts.expect()
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.asked.is_set()
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)
        with interrupts.deaf_at_the_end():
            pass
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
    assert threading.current_thread() is threading.main_thread()
