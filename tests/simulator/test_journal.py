from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.events import UNNUMBERED, Fault, Play
from edge_agent.clock import Clock
from edge_agent.draft import UNSTAMPED, Draft
from edge_agent.outbox.errors import NotStored
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.store import Entry, Position
from simulator.journal import Accepted, Intent, Journal, JournaledRecorder, JournalError, Link, Opened, content_of, read

DEVICE = "bg-20-cma-k1"
FAULT = Fault(seq=UNNUMBERED, time=1_790_000_000_000, code="video_stuck", reason="đứng hình")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.journal"


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox(tmp_path, max_bytes=10_000_000, commit_interval_s=0)
    yield opened
    opened.close()


def test_what_goes_through_the_recorder_is_told_before_and_after(file: Path, outbox: Outbox) -> None:
    clock = Clock(boottime=lambda: 5_000, wall=lambda: 1_790_000_000_000, synchronised=lambda: True)
    recorder = JournaledRecorder(outbox, clock, Journal(file, DEVICE))
    recorder.online = lambda: True
    draft = Draft(4_000, Fault(seq=UNNUMBERED, time=UNSTAMPED, code="video_stuck"))
    recorder.record([draft, draft])

    opened, *rest = read(file)
    first, second, *accepted = rest
    assert isinstance(opened, Opened)
    assert isinstance(first, Intent)
    assert isinstance(second, Intent)
    assert first.event == {"kind": "fault", "time": 1_789_999_999_000, "code": "video_stuck"}
    assert (first.device, first.boottime_ms) == (DEVICE, 4_000)
    assert first.id != second.id
    assert [(one.id, one.stream, one.seq, one.online) for one in accepted if isinstance(one, Accepted)] == [
        (first.id, outbox.live_stream, 1, True),
        (second.id, outbox.live_stream, 2, True),
    ]


def test_what_append_refuses_stays_an_intent(file: Path, outbox: Outbox) -> None:
    recorder = JournaledRecorder(outbox, Clock(), Journal(file, DEVICE))
    outbox.close()
    with pytest.raises(NotStored):
        recorder.append([Draft(0, FAULT)])
    assert [type(record) for record in read(file)] == [Opened, Intent]


def test_the_content_is_the_events_without_its_number() -> None:
    play = Play(seq=9, time=1, play_id=3, slice=0, content_ref="a.mp4", screen="main", player="mpv")
    expected = {"kind": "play", "time": 1, "play_id": 3, "slice": 0, "content_ref": "a.mp4", "screen": "main"}
    assert content_of(play) == {**expected, "player": "mpv"}


_WRITE_FOR_EVER = """
import sys
from pathlib import Path
from contract.events import Fault
from edge_agent.outbox.store import Entry, Position
from simulator.journal import Journal

journal = Journal(Path(sys.argv[1]), "bg-20-cma-k1")
number = 0
while True:
    number += 1
    (id,) = journal.intend([Entry(Fault(seq=0, time=1, code="test", reason="r" * 500), 1)])
    print(id, flush=True)
    journal.accept([id], [Position("ab" * 16, number)], online=False)
"""


def test_a_killed_process_loses_nothing_that_it_wrote(file: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", _WRITE_FOR_EVER, str(file)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    told = [child.stdout.readline().strip() for _ in range(50)]
    child.send_signal(signal.SIGKILL)
    told += child.stdout.read().split()[:-1]  # the last may be cut off in the pipe
    child.stdout.close()
    child.wait()
    intents = [record.id for record in read(file) if isinstance(record, Intent)]
    assert intents[: len(told)] == told


def _append(file: Path, data: bytes) -> None:
    with file.open("ab") as opened:
        opened.write(data)


def test_a_torn_line_ends_a_process_and_nothing_else(file: Path) -> None:
    journal = Journal(file, DEVICE)
    journal.link(online=False)
    _append(file, b'{"record":"intent","devi')
    assert [type(record) for record in read(file)] == [Opened, Link]
    again = Journal(file, DEVICE)
    again.link(online=True)
    assert [type(record) for record in read(file)] == [Opened, Link, Opened, Link]


def test_damage_in_the_middle_is_refused(file: Path) -> None:
    journal = Journal(file, DEVICE)
    _append(file, b'{"record":"intent","devi\n')
    journal.link(online=True)
    with pytest.raises(JournalError, match="line 3: no record, and more of the same process follows"):
        list(read(file))


def test_a_journal_that_cannot_be_opened_or_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"missing/events\.journal: No such file"):
        Journal(tmp_path / "missing" / "events.journal", DEVICE)
    with pytest.raises(JournalError, match="name a journal that a run has written"):
        list(read(tmp_path / "missing.journal"))


def test_a_full_disk_is_told() -> None:
    if not os.access("/dev/full", os.W_OK):
        pytest.fail("this system has no /dev/full")
    with pytest.raises(JournalError, match="/dev/full: No space left on device"):
        Journal(Path("/dev/full"), DEVICE)


def test_positions_and_ids_belong_together(file: Path) -> None:
    journal = Journal(file, DEVICE)
    ids = journal.intend([Entry(FAULT, 1), Entry(FAULT, 2)])
    with pytest.raises(ValueError, match="shorter"):
        journal.accept(ids, [Position("ab" * 16, 1)], online=False)
    journal.close()
