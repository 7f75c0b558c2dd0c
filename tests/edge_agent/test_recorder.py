"""The way into the outbox: what cannot be taken is counted, told, and costs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract import codec
from contract.errors import ContractError
from contract.events import UNNUMBERED, Fault
from edge_agent.clock import Clock
from edge_agent.draft import UNSTAMPED, Draft
from edge_agent.outbox.errors import OutboxFull
from edge_agent.outbox.outbox import Outbox
from edge_agent.recorder import Recorder
from tests.edge_agent.outbox.making import covered, fill, outbox, rows


def draft(reason: str = "", at_ms: int = 5) -> Draft:
    return Draft(at_ms, Fault(seq=UNNUMBERED, time=UNSTAMPED, code="test", reason=reason))


def reasons(folder: Path) -> list[str]:
    return [getattr(codec.decode_event(body), "reason", "") for _, _, body in rows(folder)]


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Outbox]:
    with outbox(tmp_path, max_bytes=100_000) as opened:
        yield opened


@pytest.fixture
def recorder(held: Outbox) -> Recorder:
    clock = Clock(boottime=lambda: 1_000, wall=lambda: 1_790_000_000_000, synchronised=lambda: False)
    return Recorder(held, clock)


def test_drafts_are_stamped_as_they_are_appended(recorder: Recorder, tmp_path: Path) -> None:
    (position,) = recorder.append([draft("now", at_ms=400)])
    ((stream, seq, body),) = rows(tmp_path)
    event = codec.decode_event(body)
    assert (stream, seq) == position
    assert (event.time, event.clock, event.seq) == (1_790_000_000_000 - 600, "estimated", 1)
    recorder.record([])
    assert len(rows(tmp_path)) == 1


def test_one_that_cannot_be_an_event_costs_no_other(
    recorder: Recorder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.record([draft("a"), draft("\ud800"), draft("c"), draft("x" * 600)])
    assert reasons(tmp_path) == ["a", "c"]
    assert recorder.dropped == 2
    assert len([record for record in caplog.records if "could not be kept" in record.message]) == 2
    with pytest.raises(ContractError):
        recorder.append([draft("\ud800")])


def test_what_was_refused_is_told_once_there_is_room(held: Outbox, recorder: Recorder, tmp_path: Path) -> None:
    count = fill(held.append, 300)
    assert held.take_refusals() == 0
    recorder.record([draft("lost"), draft("lost")])
    recorder.record([draft("lost")])
    assert recorder.dropped == 3
    assert "lost" not in reasons(tmp_path)
    stream = rows(tmp_path)[0][0]
    held.cover(covered(stream, (1, count)), hello=False, hub_time_ms=1)
    recorder.record([draft("kept")])
    told = [codec.decode_event(body) for _, _, body in rows(tmp_path)]
    assert [(getattr(event, "code", ""), getattr(event, "reason", "")) for event in told] == [
        ("test", "kept"),
        ("outbox_full", "4 events were refused while the outbox was full"),
    ]
    recorder.record([draft("again")])
    assert len(rows(tmp_path)) == 3


def test_what_cannot_be_told_yet_is_told_later(
    held: Outbox, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held.put_back_refusals(7)
    append = recorder.append

    def no_room_for_faults(drafts: list[Draft]) -> object:
        if any(getattr(found.event, "code", "") == "outbox_full" for found in drafts):
            held.put_back_refusals(1)  # as the outbox counts whatever it refuses, this fault too
            raise OutboxFull("full again")
        return append(drafts)

    monkeypatch.setattr(recorder, "append", no_room_for_faults)
    recorder.record([draft("a")])
    monkeypatch.undo()
    recorder.record([draft("b")])
    assert reasons(tmp_path) == ["a", "b", "7 events were refused while the outbox was full"]
