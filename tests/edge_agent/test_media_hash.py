"""Hashes beside the work."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.media_hash import CHUNK_BYTES, MediaHashes
from tests.patience import until


@pytest.fixture
def hashes() -> Iterator[MediaHashes]:
    made = MediaHashes()
    yield made
    made.close()


def known(hashes: MediaHashes, file: Path) -> str:
    return str(until(lambda: hashes.lookup(str(file)), "the file is hashed"))


def test_a_file_is_hashed_once_somebody_asks(hashes: MediaHashes, tmp_path: Path) -> None:
    file = tmp_path / "a.mkv"
    file.write_bytes(os.urandom(CHUNK_BYTES * 2 + 5))
    assert hashes.lookup(str(file)) is None
    assert known(hashes, file) == hashlib.sha256(file.read_bytes()).hexdigest()
    assert hashes.lookup(str(file)) is not None


def test_a_file_that_changes_is_hashed_anew(hashes: MediaHashes, tmp_path: Path) -> None:
    file = tmp_path / "a.mkv"
    file.write_bytes(b"one")
    before = known(hashes, file)
    (tmp_path / "new").write_bytes(b"two")  # The same size, and perhaps the same tick of the clock.
    (tmp_path / "new").replace(file)
    assert known(hashes, file) == hashlib.sha256(b"two").hexdigest() != before


def test_what_is_no_readable_file_has_no_hash(hashes: MediaHashes, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path), str(tmp_path / "none"), str(tmp_path / "pipe"), "a\x00b", "/proc/self/mem"):
        assert hashes.lookup(path) is None
    (tmp_path / "a").write_bytes(b"x")
    known(hashes, tmp_path / "a")  # The thread has survived them all.


def test_closing_does_not_wait_for_a_long_file(tmp_path: Path) -> None:
    hashes = MediaHashes()
    file = tmp_path / "long.mkv"
    with file.open("wb") as sparse:
        sparse.truncate(50 << 30)
    assert hashes.lookup(str(file)) is None
    hashes.close()
    assert hashes.lookup(str(file)) is None
    assert hashes._thread is not None
    assert not hashes._thread.is_alive()
    hashes.close()
