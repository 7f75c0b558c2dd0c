"""The outbox's file: locked, versioned, readable by later agents, and set aside where it is damaged."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from contract import codec
from contract.events import Loss
from contract.status import Opening
from edge_agent.outbox import outbox as outbox_module
from edge_agent.outbox.database import SCHEMA_VERSION, open_database, read_only
from edge_agent.outbox.errors import NotStored, OutboxDamaged, OutboxError, OutboxLocked, OutboxNewer
from edge_agent.outbox.outbox import FILE_NAME, Outbox
from tests.contract.test_golden import EVENTS
from tests.edge_agent.outbox.making import ROOM, fault, faults, in_memory, outbox, rows, sqlite_error, store

V1, V2 = (Path(__file__).parent / f"v{number}.db" for number in (1, 2))
FIRST, SECOND = "11" * 16, "22" * 16


def test_the_file_is_as_durable_and_as_sparing_as_promised(tmp_path: Path) -> None:
    connection, _ = open_database(tmp_path / FILE_NAME)
    found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")}
    found |= {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "user_version")}
    connection.close()
    assert found == {"synchronous": 2, "journal_mode": "wal", "page_size": 1024, "user_version": SCHEMA_VERSION}


def test_a_file_of_version_2_is_read(tmp_path: Path) -> None:
    """As that of version 1, which follows: some events are sealed, some are not, and it was opened twice."""
    shutil.copy(V2, tmp_path / FILE_NAME)
    connection, set_aside = open_database(tmp_path / FILE_NAME)
    held = store(connection)
    assert set_aside is None
    assert [(stream.stream, stream.low, stream.high) for stream in held.streams()] == [(FIRST, 1, 4), (SECOND, 1, 1)]
    assert held.uncovered(FIRST).spans() == [(3, 3)]
    assert held.has_unsealed()
    held.append([fault()])
    assert held.opening == Opening(outbox="a51b0d1e7ee7c0de" * 2, number=3)
    assert held.seal(lambda at_ms: 1_795_000_000_000 + at_ms) == 2
    times = [codec.decode_event(body).time for _, body in held.read(FIRST, [(2, 2), (4, 4)], ROOM, 9)]
    assert times == [1_794_999_990_002, 1_794_999_990_004]
    connection.close()


def test_openings_are_counted_once_they_are_on_disk(tmp_path: Path) -> None:
    numbers: list[int | None] = []
    for appends in (True, False, True):
        with outbox(tmp_path) as opened:
            assert opened.opening is None
            if appends:
                opened.append([fault()])
                opened.append([fault()])
            numbers.append(opened.opening.number if opened.opening is not None else None)
    assert numbers == [1, None, 2]
    with outbox(tmp_path) as opened:
        opened.append([fault()])
        first = opened.opening
    (tmp_path / FILE_NAME).write_bytes(b"rubbish" * 999)
    with outbox(tmp_path) as opened:
        opened.append([fault()])
        assert first is not None
        assert opened.opening is not None
        assert (first.number, opened.opening.number) == (3, 1)
        assert first.outbox != opened.opening.outbox


def test_an_opening_whose_write_failed_counts_once() -> None:
    db = in_memory()
    opened = store(db)
    db.failures, db.then = [sqlite_error(sqlite3.SQLITE_IOERR)], True
    with pytest.raises(NotStored):
        opened.append([fault()])
    opened.append([fault()])
    assert opened.opening is not None
    assert opened.opening.number == 1
    again = store(db)
    again.append([fault()])
    assert again.opening is not None
    assert again.opening.number == 2


def test_a_file_of_version_1_is_read(tmp_path: Path) -> None:
    """A real one, made when version 1 was current. It is never made anew; another version gets a file beside it."""
    shutil.copy(V1, tmp_path / FILE_NAME)
    connection, set_aside = open_database(tmp_path / FILE_NAME)
    held = store(connection)
    assert set_aside is None
    assert [(stream.stream, stream.low, stream.high) for stream in held.streams()] == [(FIRST, 1, 7), (SECOND, 1, 2)]
    assert held.uncovered(FIRST).spans() == [(4, 4), (6, 7)]
    assert held.uncovered(SECOND).spans() == [(1, 2)]
    stored = {seq: codec.decode_event(body) for seq, body in held.read(FIRST, [(1, 7)], ROOM, 99)}
    assert list(stored.values()) == [event for event in EVENTS.values() if event.seq != 3]
    loss = codec.decode_event(held.read(SECOND, [(2, 2)], ROOM, 9)[0].body)
    assert isinstance(loss, Loss)
    assert (loss.stream, loss.ranges, loss.lost_kind) == (FIRST, [(3, 3)], "interaction")
    held.append([fault()])
    connection.close()
    assert len(rows(tmp_path)) == 9


def test_a_file_of_a_newer_agent_is_left_as_it_is(tmp_path: Path) -> None:
    shutil.copy(V1, tmp_path / FILE_NAME)
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(OutboxNewer, match="has schema 3, this agent knows 2; install the newer agent again"):
        open_database(tmp_path / FILE_NAME)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    with outbox(tmp_path) as opened:
        assert opened.newer_set_aside is not None
        assert opened.newer_set_aside.read_bytes() == before
    assert not list(tmp_path.glob("*damaged*"))


def test_only_one_process_uses_an_outbox(tmp_path: Path) -> None:
    with outbox(tmp_path):
        program = (
            "import sys; from pathlib import Path; from edge_agent.outbox.outbox import Outbox\n"
            "from edge_agent.outbox.errors import OutboxLocked\n"
            "try: Outbox(Path(sys.argv[1]), max_bytes=10**7)\n"
            "except OutboxLocked as error: print(error); sys.exit(7)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (7, "")
        assert done.stdout.strip() == f"another agent uses {tmp_path}; stop it, or give this one its own folder"
        with pytest.raises(OutboxLocked):
            Outbox(tmp_path, max_bytes=ROOM)
    with outbox(tmp_path) as later:
        later.append([fault()])


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutboxError, match=r"cannot write to .*/nowhere: No such file or directory; check its owner"):
        Outbox(tmp_path / "nowhere", max_bytes=ROOM)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    for _ in range(2):  # the lock of the first attempt is let go
        with pytest.raises(OutboxError, match=r"cannot open .*outbox\.db: .*; check the disk"):
            Outbox(tmp_path, max_bytes=ROOM)


@pytest.mark.parametrize("garbage", [b"SQLite format 3\0 and then nothing that makes sense" * 90, b"rubbish" * 999])
def test_a_damaged_file_is_set_aside_and_never_deleted(tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(garbage)
    with outbox(tmp_path) as opened:
        assert opened.set_aside is not None
        assert opened.set_aside.read_bytes() == garbage
        opened.append([fault()])
    assert len(rows(tmp_path)) == 1
    with outbox(tmp_path) as again:
        assert again.set_aside is None


def _broken_inside(folder: Path, *, at: float) -> None:
    """A file whose header is well and whose pages are not, as a dying card leaves it."""
    with outbox(folder) as opened:
        opened.append(faults(300, 300))
    connection = sqlite3.connect(folder / FILE_NAME)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    data = bytearray((folder / FILE_NAME).read_bytes())
    start = int(len(data) * at) // 1024 * 1024
    data[start : start + 4096] = b"\xaa" * 4096
    (folder / FILE_NAME).write_bytes(data)


def test_damage_behind_a_sound_header_is_found_when_opening(tmp_path: Path) -> None:
    _broken_inside(tmp_path, at=0.5)
    with outbox(tmp_path) as opened:
        assert opened.set_aside is not None
        assert opened.append([fault()])[0].seq == 1


def test_damage_that_shows_while_reading_is_found_at_the_next_opening(tmp_path: Path) -> None:
    with outbox(tmp_path) as opened:
        opened.append([fault()])
        opened.suspect(OSError("not of the database"))
        assert not list(tmp_path.glob("*.suspect"))
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    for is_broken in (False, True):
        if is_broken:
            shutil.rmtree(tmp_path)
            tmp_path.mkdir()
            _broken_inside(tmp_path, at=0.5)
            (tmp_path / f"{FILE_NAME}.suspect").touch()
        else:
            with outbox(tmp_path) as opened:
                opened.suspect(error)
        with outbox(tmp_path) as opened:
            assert (opened.set_aside is not None) == is_broken
        assert not list(tmp_path.glob("*.suspect"))


def test_damage_that_shows_while_writing_ends_the_outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with outbox(tmp_path) as opened:

        def damaged(_: object) -> None:
            raise OutboxDamaged("the outbox is damaged: malformed; replace the SD card")

        monkeypatch.setattr(opened._store, "append", damaged)
        with pytest.raises(OutboxDamaged):
            opened.append([fault()])
        with pytest.raises(OutboxError, match="cannot be written any more"):
            opened.append([fault()])
        assert isinstance(opened.failure, OutboxDamaged)
    assert (tmp_path / f"{FILE_NAME}.suspect").exists()


def test_a_stranger_can_look_into_it(tmp_path: Path) -> None:
    with outbox(tmp_path) as opened:
        opened.append(faults(3))
        connection = read_only(tmp_path / FILE_NAME)
        assert connection.execute("SELECT count(*) FROM event").fetchone() == (3,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM event")
        connection.close()


def test_a_file_without_its_tables_is_named(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.close()
    with pytest.raises(OutboxError, match="no such table"):
        outbox_module.Outbox(tmp_path, max_bytes=ROOM)
