"""Each bench runs, as small as it can be, and prints its keys. Nothing here says how fast anything has to be."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests.bench import query
from tests.bench.sweep import flatness

_PROJECT: Final = Path(__file__).resolve().parents[2]
_KEYS: Final = {
    "ingest": (
        "hub_events_per_s",
        "copy_events_per_s",
        "copy_from_events_per_s",
        "naive_events_per_s",
        "ratio_copy",
        "ratio_copy_from_events",
        "ratio_naive",
        "delay_ms_p99",
        "freshness_ms_p99",
        "sweep",
        "flatness",
        "soak",
        "cpu_us_per_event",
    ),
    "storage": ("bytes_per_event_raw", "bytes_per_event_compressed", "bytes_per_event_counts"),
    "query": ("events", "p95_ms_default", "p95_ms_year", "slowest"),
    "agent": (
        "rss_mb",
        "cpu_percent_idle",
        "start_s",
        "wire_bytes_per_event",
        "wire_bytes_per_day",
        "disk_bytes_per_event_single",
        "disk_bytes_per_event_50",
    ),
}


_BESIDES: Final = {"ingest": ("--sweep", "--soak"), "query": ("--events", "5000")}


@pytest.mark.parametrize("bench", _KEYS)
def test_a_bench_prints_its_figures(bench: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("b")  # short: a player's socket has its path in 107 bytes
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.bench",
            bench,
            "--quick",
            "--json",
            "--folder",
            str(folder),
            *_BESIDES.get(bench, ()),
        ],
        cwd=_PROJECT,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    result: dict[str, Any] = json.loads(done.stdout)
    assert set(_KEYS[bench]) <= set(result)
    assert all(result[key] is not None for key in _KEYS[bench])
    assert result["machine"]["broker"].startswith("mosquitto ")
    assert not list(folder.iterdir()), "a bench leaves nothing behind"


def test_every_view_of_readers_is_asked(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        "SELECT table_name FROM information_schema.views WHERE table_schema = 'report'"
    ).fetchall()
    assert len(rows) > 30
    asked = set(re.findall(r"report\.(\w+)", " ".join(query.questions().values())))
    assert asked == {name for (name,) in rows}


def test_what_a_bench_is_stands_in_its_help() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "ingest", "--help"],
        cwd=_PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "ratio_copy" in done.stdout


@pytest.mark.parametrize(("costs", "expected"), [((10.0, 12.5, 11.0), 0.25), ((4.0,), 0.0), ((0.0, 8.0), None)])
def test_flatness_compares_the_dearest_with_the_cheapest(costs: tuple[float, ...], expected: float | None) -> None:
    assert flatness(costs) == expected
