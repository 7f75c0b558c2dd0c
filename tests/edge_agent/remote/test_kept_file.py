"""A file that is replaced whole, whatever ends the process meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.remote.kept_file import KeptFile
from tests.edge_agent.remote.killed import Killed, steps


def test_old_or_new_wherever_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = KeptFile(tmp_path / "in" / "kept.json")
    assert file.read() is None
    file.replace(b"old")
    with steps(monkeypatch) as counted:
        file.replace(b"old")
    assert counted.places >= 14  # open, write, fsync, close, rename; open, fsync, close of the folder
    found = set()
    for place in range(counted.places):
        file.replace(b"old")
        with steps(monkeypatch, place), pytest.raises(Killed):
            file.replace(b"new and longer")
        again = KeptFile(tmp_path / "in" / "kept.json")
        found.add(again.read())
        again.replace(b"next")
        assert again.read() == b"next"
    assert found == {b"old", b"new and longer"}


def test_a_disk_that_takes_nothing_leaves_the_old_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = KeptFile(tmp_path / "kept.json")
    file.replace(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(OSError, match="No space"):
        file.replace(b"new")
    assert file.read() == b"old"
