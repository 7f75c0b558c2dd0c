"""A time that is past for sure, and what becomes of one that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.version import RELEASED
from edge_agent.clock_floor import (
    BUILT_MS,
    FILE_NAME,
    STORE_INTERVAL_MS,
    STORED_COUNTS_MS,
    Floor,
    FloorFile,
)

NOW_MS = 1_795_000_000_000
IN_2036_MS = 2_085_000_000_000


def test_the_latest_of_what_is_known_counts_and_time_passes() -> None:
    assert RELEASED.startswith("20")
    assert BUILT_MS % 86_400_000 == 0
    for floor in (Floor(attested_ms=NOW_MS, stored_ms=5), Floor(attested_ms=5, stored_ms=NOW_MS)):
        assert floor.for_stamps(0) == floor.for_certificates(0) == NOW_MS
        assert NOW_MS + 59_000 < floor.for_stamps(60_000) <= NOW_MS + 60_000


def test_a_stored_time_from_the_future_locks_nobody_out_for_long() -> None:
    floor = Floor(attested_ms=NOW_MS, stored_ms=IN_2036_MS)
    assert floor.for_certificates(STORED_COUNTS_MS - 1) >= IN_2036_MS
    assert floor.for_certificates(STORED_COUNTS_MS) < NOW_MS + 2 * STORED_COUNTS_MS


def test_the_stored_time_is_what_was_certain_last_be_it_earlier(tmp_path: Path) -> None:
    stored = FloorFile(tmp_path)
    assert stored.read() == 0
    stored.note(IN_2036_MS, 0)
    stored.note(NOW_MS, STORE_INTERVAL_MS - 1)
    assert FloorFile(tmp_path).read() == IN_2036_MS
    stored.note(NOW_MS, STORE_INTERVAL_MS)
    assert FloorFile(tmp_path).read() == NOW_MS
    stored.note(NOW_MS + 5, STORE_INTERVAL_MS, at_once=True)
    assert FloorFile(tmp_path).read() == NOW_MS + 5
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("text", ["", "1795000000000", "1795000000000 00000000\n", "x 1\n", "-5 9\n", "\udcff"])
def test_a_damaged_file_is_left_out_and_said_so(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE_NAME).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert FloorFile(tmp_path).read() == 0
    assert "left out" in caplog.text


def test_a_card_that_cannot_take_it_is_no_reason_to_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stored = FloorFile(tmp_path / "gone")
    stored.note(NOW_MS, 0)
    assert "cannot be noted" in caplog.text
    assert stored.read() == 0
