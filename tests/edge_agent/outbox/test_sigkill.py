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
from tests.edge_agent.outbox.making import ROOM, fault, numbers, outbox, rows

ROUNDS = 4
APPENDS = 60


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


def _run_and_kill(folder: Path) -> list[str]:
    """Whole lines of a child that was killed after `APPENDS` acceptances, wherever it was then."""
    program = "import sys; from tests.edge_agent.outbox.test_sigkill import child; child(sys.argv[1])"
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    )
    assert process.stdout is not None
    with process.stdout as output:
        lines: list[str] = []
        while sum("accepted" in line for line in lines) < APPENDS:
            line = output.readline()
            assert line, "the child ended by itself"
            lines.append(line)
        os.kill(process.pid, signal.SIGKILL)
        lines += output.readlines()
    process.wait(60)
    return [line for line in lines if line.endswith("\n")]
