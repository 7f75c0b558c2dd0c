"""A month's data: counted through restarts and unknown times, kept at little cost, and what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_agent.remote import budget
from edge_agent.remote.budget import Step, Used
from edge_agent.remote.meter import KEEP_BYTES, KEEP_MS, Meter
from edge_agent.uplink import Pace

NOVEMBER = 2026 * 12 + 10


def ms(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


def test_a_month_begins_at_local_midnight() -> None:
    assert budget.month_of(ms(2026, 11, 30, 16, 59)) == NOVEMBER
    assert budget.month_of(ms(2026, 11, 30, 17, 0)) == NOVEMBER + 1
    assert budget.month_of(ms(2026, 12, 31, 17, 0)) == NOVEMBER + 2


@pytest.mark.parametrize(
    ("used", "month", "after"),
    [
        (Used(NOVEMBER, 10), NOVEMBER, Used(NOVEMBER, 13)),
        (Used(NOVEMBER, 10), NOVEMBER + 1, Used(NOVEMBER + 1, 3)),
        (Used(NOVEMBER, 10), NOVEMBER - 1, Used(NOVEMBER, 13)),
        (Used(NOVEMBER, 10), None, Used(NOVEMBER, 13)),
        (Used(0, 10), None, Used(0, 13)),
        (Used(0, 10), NOVEMBER, Used(NOVEMBER, 13)),
    ],
)
def test_bytes_count_to_the_month_that_is_known(used: Used, month: int | None, after: Used) -> None:
    assert budget.after(used, 3, month) == after


@pytest.mark.parametrize(
    ("used", "month_bytes", "step"),
    [(10**12, None, "plenty"), (79, 100, "plenty"), (80, 100, "saving"), (99, 100, "saving"), (100, 100, "spent")],
)
def test_steps(used: int, month_bytes: int | None, step: Step) -> None:
    assert budget.step(used, month_bytes) == step


def test_saving_never_speaks_more_often_than_was_configured() -> None:
    usual, slow = Pace(), Pace(60_000, 3_600_000, 0)
    assert budget.slowed(usual, "plenty") is usual
    assert budget.slowed(usual, "saving") == Pace(60_000, 1_800_000, 60_000)
    assert budget.slowed(slow, "saving") == Pace(60_000, 3_600_000, 60_000)
    assert budget.slowed(usual, "spent").linger_ms == 600_000


def test_the_count_outlives_the_agent_and_is_seldom_written(tmp_path: Path) -> None:
    now = ms(2026, 11, 24)
    meter = Meter(tmp_path)
    meter.count(1_000, now, 0)
    written = (tmp_path / "traffic.json").read_bytes()
    for second in range(1, 60):
        meter.count(1_000 + second, now, second * 1000)
    assert (tmp_path / "traffic.json").read_bytes() == written
    meter.count(900, now, 60_000)  # a connection that ends is read once more, and may tell less
    assert meter.used == Used(NOVEMBER, 1_059)
    meter.count(1_060, now, KEEP_MS)
    assert Meter(tmp_path).used == Used(NOVEMBER, 1_060)
    meter.count(1_060 + KEEP_BYTES, now, KEEP_MS + 1)
    assert Meter(tmp_path).used == Used(NOVEMBER, 1_060 + KEEP_BYTES)
    meter.count(1_100 + KEEP_BYTES, now, KEEP_MS + 2)
    meter.keep(KEEP_MS + 3)
    again = Meter(tmp_path)
    again.count(7, None, 0)
    assert again.used == Used(NOVEMBER, 1_107 + KEEP_BYTES)


def test_a_count_that_cannot_be_read_begins_anew_and_a_card_that_is_full_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "traffic.json").write_bytes(b"\xff")
    meter = Meter(tmp_path)
    assert meter.used == Used()
    (tmp_path / "traffic.json.new").mkdir()
    meter.count(5, ms(2026, 11, 24), 0)
    assert meter.used == Used(NOVEMBER, 5)
    assert "cannot be noted" in caplog.text
