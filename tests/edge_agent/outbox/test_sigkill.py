"""A process is killed in the middle of its appends, on a real disk: what it was told is accepted, is there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from contract import codec
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.sealing import SEAL_ROWS
from tests.edge_agent.outbox.making import ROOM, fault, numbers, outbox, rows
from tests.edge_agent.outbox.test_sealing import provisional

ROUNDS = 4
APPENDS = 60
SEALED_EVENTS = 8 * SEAL_ROWS
BEGAN_MS = {"one": 1_795_000_000_000, "two": 1_795_000_900_000}


def child(folder: str) -> None:
    """Append until killed; on standard output one line of JSON for each intent and each acceptance."""
    opened = Outbox(Path(folder), max_bytes=ROOM, commit_interval_s=0.0)
    at = 0
    while True:
        names = [f"{os.getpid()}-{at + part}" for part in range(1 + at % 3)]
        at += len(names)
        _tell({"intent": names})
        positions = opened.append([fault(name) for name in names])
        _tell({"accepted": dict(zip(names, positions, strict=True))})


def _tell(record: object) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def test_what_was_accepted_survives(tmp_path: Path) -> None:
    intent: set[str] = set()
    accepted: dict[str, tuple[str, int]] = {}
    for _ in range(ROUNDS):
        for line in _run_and_kill(tmp_path):
            record = json.loads(line)
            intent |= set(record.get("intent", ()))
            accepted |= {name: (stream, seq) for name, (stream, seq) in record.get("accepted", {}).items()}
    with outbox(tmp_path) as opened:
        assert opened.set_aside is None
        held = {pending.stream: numbers(opened.uncovered(pending.stream)) for pending in opened.streams()}
        fresh = opened.append([fault("after")])[0]
    stored = {(stream, seq): codec.decode_event(body) for stream, seq, body in rows(tmp_path)}
    told = {position: getattr(event, "reason", "") for position, event in stored.items()}
    assert len(accepted) >= ROUNDS * APPENDS
    assert all(told.get(position) == name for name, position in accepted.items())
    assert set(told.values()) - {"after"} <= intent
    assert len(set(told.values())) == len(told), "stored twice"
    assert all(event.seq == seq for (_, seq), event in stored.items())
    assert {(stream, seq) for stream, found in held.items() for seq in found} == set(stored) - {tuple(fresh)}
    assert len(held) == ROUNDS, "each opening has a stream of its own"


def sealing_child(folder: str, boot: str) -> None:
    """Seal what waits until killed; a line for each portion."""
    opened = Outbox(Path(folder), max_bytes=ROOM, boot=boot)
    while opened.seal(lambda at_ms: BEGAN_MS[boot] + at_ms):
        _tell({"accepted": "portion"})
    _tell({"accepted": "all"})


def test_a_repair_that_is_killed_anywhere_goes_on_as_it_began(tmp_path: Path) -> None:
    """In the same boot, and in the next one, which dates the rest by what it finds sealed."""
    with outbox(tmp_path, boot="one") as opened:
        opened.append([provisional(at_ms) for at_ms in range(SEALED_EVENTS)])
    sealed: dict[tuple[str, int], bytes] = {}
    for boot, portions in (("one", 1), ("one", 2), ("two", 2), ("two", 99)):
        _run_and_kill(tmp_path, portions, "sealing_child", boot)
        now = {(stream, seq): body for stream, seq, body in rows(tmp_path) if b"estimated" not in body}
        assert {position: now[position] for position in sealed} == sealed, "bytes that were final are others"
        sealed = now
    times = [codec.decode_event(body).time for body in sealed.values()]
    assert times == [BEGAN_MS["one"] + at_ms for at_ms in range(SEALED_EVENTS)]


def _run_and_kill(folder: Path, lines_wanted: int = APPENDS, child: str = "child", *arguments: str) -> list[str]:
    """Whole lines of a child that was killed after so many acceptances, wherever it was then."""
    program = f"import sys; from tests.edge_agent.outbox.test_sigkill import {child}; {child}(*sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(folder), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    with process.stdout as output:
        lines: list[str] = []
        while sum("accepted" in line for line in lines) < lines_wanted and '{"accepted": "all"}\n' not in lines:
            line = output.readline()
            assert line, "the child ended by itself"
            lines.append(line)
        os.kill(process.pid, signal.SIGKILL)
        lines += output.readlines()
    process.wait(60)
    return [line for line in lines if line.endswith("\n")]
