"""The outbox as threads see it: durable when `append` returns, few commits, and nobody left waiting."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.errors import ContractError
from contract.ranges import RangeSet
from contract.status import Queue
from edge_agent.outbox.errors import NotStored, OutboxFull
from edge_agent.outbox.outbox import FILE_NAME, Outbox
from tests.edge_agent.outbox.making import ROOM, covered, fault, faults, fill, outbox, rows

DEADLINE_S = 60


def in_threads(count: int, target: Callable[[int], object]) -> list[threading.Thread]:
    threads = [threading.Thread(target=target, args=(at,)) for at in range(count)]
    for thread in threads:
        thread.start()
    return threads


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(DEADLINE_S)
        assert not thread.is_alive(), "somebody was left waiting"


def test_append_returns_after_the_commit(tmp_path: Path) -> None:
    with outbox(tmp_path) as opened:
        for at in range(20):
            opened.append([fault(str(at)), fault()])
            assert len(rows(tmp_path)) == 2 * at + 2, "another connection does not see it"


def test_what_comes_within_the_interval_shares_a_commit(tmp_path: Path) -> None:
    commits: list[float] = []
    with outbox(tmp_path, commit_interval_s=0.5, on_commit=lambda: commits.append(time.monotonic())) as opened:
        positions: list[int] = []

        def work(_: int) -> None:
            for _ in range(3):
                positions.extend(position.seq for position in opened.append(faults(2)))

        began = time.monotonic()
        join(in_threads(12, work))
        took_s = time.monotonic() - began
    assert sorted(positions) == list(range(1, 73))
    assert len(commits) <= took_s / 0.5 + 2
    # A commit's time is taken as it ends; they begin at least an interval apart, however slow the disk.
    assert len(commits) >= 3


def test_the_first_event_after_a_rest_does_not_wait(tmp_path: Path) -> None:
    with outbox(tmp_path, commit_interval_s=120) as opened:
        began = time.monotonic()
        opened.append([fault()])
        assert time.monotonic() - began < DEADLINE_S


def test_the_next_one_waits_for_the_interval(tmp_path: Path) -> None:
    with outbox(tmp_path, commit_interval_s=0.4) as opened:
        began = time.monotonic()
        for _ in range(3):
            opened.append([fault()])
        assert time.monotonic() - began >= 0.8


def test_one_that_is_malformed_spoils_no_other(tmp_path: Path) -> None:
    with outbox(tmp_path, commit_interval_s=0.3) as opened:
        opened.append([fault()])
        outcome: dict[int, object] = {}

        def work(at: int) -> None:
            try:
                outcome[at] = opened.append([fault("\ud800" if at == 3 else f"well {at}")])
            except ContractError as error:
                outcome[at] = error

        join(in_threads(6, work))
    assert isinstance(outcome[3], ContractError)
    assert sorted(at for at, result in outcome.items() if isinstance(result, list)) == [0, 1, 2, 4, 5]
    assert sorted(seq for _, seq, _ in rows(tmp_path)) == [1, 2, 3, 4, 5, 6]


def test_numbers_go_on_in_a_new_stream_after_reopening(tmp_path: Path) -> None:
    streams = []
    for _ in range(3):
        with outbox(tmp_path) as opened:
            streams.append(opened.append([fault()])[0])
    assert len({position.stream for position in streams}) == 3
    assert {position.seq for position in streams} == {1}


def test_closing_commits_what_waits_and_saves_what_is_covered(tmp_path: Path) -> None:
    opened = Outbox(tmp_path, max_bytes=ROOM, commit_interval_s=1.0)
    stream = opened.append([fault()])[0].stream
    threads = in_threads(3, lambda _: opened.append([fault()]))
    deadline = time.monotonic() + DEADLINE_S
    while len(opened._waiting) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    opened.cover(covered(stream, (1, 1)), hello=False, hub_time_ms=1)
    opened.close()
    opened.close()
    join(threads)
    with pytest.raises(NotStored, match="stopping"):
        opened.append([fault()])
    assert len(rows(tmp_path)) == 4
    with outbox(tmp_path) as again:
        assert again.uncovered(stream).spans() == [(2, 4)]


def test_a_full_outbox_refuses_loudly_and_tells_once_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with outbox(tmp_path, max_bytes=100_000) as opened:
        stream, taken = opened.live_stream, fill(opened.append, 400, count=10)
        with pytest.raises(OutboxFull):
            opened.append(faults(10, 400))
        assert opened.queue(1_000) == Queue(events=taken, oldest_s=0, full=True, refused=20)
        assert opened.take_refusals() == 0, "while it is full there is nobody to tell"
        assert len(rows(tmp_path)) == taken
        assert len([record for record in caplog.records if "the outbox is full" in record.message]) == 1
        opened.cover(covered(stream, (1, taken)), hello=False, hub_time_ms=1)
        opened.append([fault()])
        assert opened.queue(1_000).full is False
        assert opened.take_refusals() == 20
        assert opened.take_refusals() == 0
        opened.put_back_refusals(20)
        assert opened.take_refusals() == 20


@pytest.mark.parametrize("error", [MemoryError("none left"), ValueError("a bug")])
def test_a_writer_that_dies_leaves_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with outbox(tmp_path, commit_interval_s=0.2) as opened:
        opened.append([fault()])

        def die(_: object) -> None:
            raise error

        monkeypatch.setattr(opened._store, "append", die)
        failures: list[str] = []

        def work(_: int) -> None:
            with pytest.raises(NotStored) as raised:
                opened.append([fault()])
            failures.append(str(raised.value))

        join(in_threads(4, work))
        assert len(failures) == 4
        assert opened.failure is error


def test_a_disk_that_is_full_and_then_is_not(tmp_path: Path) -> None:
    with outbox(tmp_path) as opened:
        opened.append(faults(5))
        with opened._lock:
            pages = opened._connection.execute("PRAGMA page_count").fetchone()[0]
            opened._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OutboxFull, match="disk that holds the outbox is full"):
            opened.append(faults(50, 400))
        assert opened.queue(0).full
        with opened._lock:
            opened._connection.execute("PRAGMA max_page_count = 100000")
        position = opened.append([fault()])[0]
        assert position.seq == 1, "a number of the write that failed is never used again"
        assert opened.take_refusals() == 50
    assert len(rows(tmp_path)) == 6


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    yield connection
    connection.close()


def test_a_write_that_fails_is_reported_to_all_who_shared_it(tmp_path: Path, busy: sqlite3.Connection) -> None:
    with outbox(tmp_path, commit_interval_s=0.2) as opened:
        opened.append([fault()])
        with opened._lock:
            opened._connection.execute("PRAGMA busy_timeout = 0")
        busy.execute("BEGIN IMMEDIATE")
        failures: list[str] = []

        def work(_: int) -> None:
            with pytest.raises(NotStored) as raised:
                opened.append([fault()])
            failures.append(str(raised.value))

        join(in_threads(3, work))
        busy.execute("ROLLBACK")
        assert len(failures) == 3
        assert "database is locked" in failures[0]
        opened.append([fault()])
    assert len(rows(tmp_path)) == 2


def test_declared_losses_and_settling_go_through(tmp_path: Path) -> None:
    with outbox(tmp_path) as opened:
        stream = opened.append(faults(3))[0].stream
        assert opened.live_stream == stream
        opened.declare_lost(stream, RangeSet.of([2]), "refused", time_ms=1, at_ms=1)
        opened.cover(covered(stream, (1, 1)), hello=True, hub_time_ms=1)
        opened.settle(1)
        assert opened.uncovered(stream).spans() == [(3, 4)]
        assert [stored.seq for stored in opened.read(stream, [(1, 9)], ROOM, 99)] == [1, 3, 4]
        assert [(held.low, held.high) for held in opened.streams()] == [(1, 4)]
