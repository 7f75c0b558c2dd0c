"""An outbox that a later version wrote waits beside the one in use, and comes back with one that reads it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from edge_agent.outbox import way_back
from edge_agent.outbox.database import SCHEMA_VERSION, open_database
from edge_agent.outbox.errors import OutboxError
from edge_agent.outbox.newer import set_aside_as_newer
from edge_agent.outbox.outbox import FILE_NAME
from edge_agent.outbox.store import Position
from tests.edge_agent.outbox.making import ROOM, covered, fault, faults, outbox


def as_if_of(file: Path, schema: int) -> None:
    """The file says that it is of another schema."""
    connection = sqlite3.connect(file)
    connection.execute(f"PRAGMA user_version = {schema}")
    connection.close()


def held(folder: Path) -> set[Position]:
    """Everything in the outbox."""
    connection, _ = open_database(folder / FILE_NAME)
    rows = connection.execute("SELECT s.name, e.seq FROM event e JOIN stream s ON s.id = e.stream").fetchall()
    connection.close()
    return {Position(*row) for row in rows}


@pytest.fixture
def newer(tmp_path: Path) -> set[Position]:
    """What an outbox holds that a later version wrote last."""
    with outbox(tmp_path) as opened:
        there = set(opened.append(faults(3)))
        (stream,) = {one.stream for one in there}
        opened.cover(covered(stream, (1, 2)), hello=True, hub_time_ms=5)
    as_if_of(tmp_path / FILE_NAME, SCHEMA_VERSION + 1)
    return there


def test_an_older_version_goes_on_by_itself_and_a_later_one_takes_everything_in(
    tmp_path: Path, newer: set[Position]
) -> None:
    with outbox(tmp_path) as opened:
        assert [opened.newer_set_aside] == set_aside_as_newer(tmp_path / FILE_NAME)
        meanwhile = set(opened.append([fault()]))
    with outbox(tmp_path) as opened:
        assert opened.newer_set_aside is None, "it is told once"
        assert len(set_aside_as_newer(tmp_path / FILE_NAME)) == 1
    assert held(tmp_path) == meanwhile
    (aside,) = set_aside_as_newer(tmp_path / FILE_NAME)

    as_if_of(aside, SCHEMA_VERSION)
    shutil.copy(aside, tmp_path / "copy")
    with outbox(tmp_path) as opened:
        (stream,) = {one.stream for one in newer}
        assert opened.uncovered(stream).spans() == [(3, 3)]
    assert held(tmp_path) == meanwhile | newer
    assert set_aside_as_newer(tmp_path / FILE_NAME) == []

    shutil.copy(tmp_path / "copy", aside)  # the power went before it was removed
    with outbox(tmp_path):
        pass
    assert held(tmp_path) == meanwhile | newer
    assert list(tmp_path.glob("*newer*")) == []


def test_what_has_no_room_yet_waits(tmp_path: Path, newer: set[Position]) -> None:
    with outbox(tmp_path):
        (aside,) = set_aside_as_newer(tmp_path / FILE_NAME)
    as_if_of(aside, SCHEMA_VERSION)
    with outbox(tmp_path, max_bytes=aside.stat().st_size):
        assert aside.exists()
    with outbox(tmp_path, max_bytes=ROOM):
        assert not aside.exists()
    assert held(tmp_path) == newer


def test_a_damaged_one_is_kept_and_not_taken_in(tmp_path: Path, newer: set[Position]) -> None:
    with outbox(tmp_path) as opened:
        opened.append(faults(300, 300))
    (aside,) = set_aside_as_newer(tmp_path / FILE_NAME)
    shutil.copy(tmp_path / FILE_NAME, aside)
    data = bytearray(aside.read_bytes())
    middle = len(data) // 2 // 1024 * 1024
    data[middle : middle + 4096] = b"\xaa" * 4096
    aside.write_bytes(data)
    before = held(tmp_path)
    with outbox(tmp_path) as opened:
        assert opened.set_aside is None
    assert held(tmp_path) == before
    assert not aside.exists()
    assert [one.read_bytes() for one in tmp_path.glob("*.damaged-*")] == [bytes(data)]


def test_leading_back_says_that_it_found_damage(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"rubbish" * 999)
    with pytest.raises(OutboxError, match=r"was damaged and is kept as outbox\.db\.damaged-"):
        way_back.take_back(tmp_path, 1)
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()
