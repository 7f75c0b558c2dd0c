"""On TimescaleDB a reader's query opens only the chunks of its time and only the compressed segments of its places."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from contract.events import KINDS, Kind
from hub.ingest.committer import commit
from hub.store.connection import connect
from hub.store.ledger_store import LedgerStore
from hub.store.maintain import maintain
from tests.hub.making import delivery, play
from tests.hub.report.border import NOW, NOW_MS, PROVINCES, device_of
from tests.hub.report.conftest import Connection, LogIn
from tests.hub.store.test_engine import ONLY_TIMESCALE, run_compression

OLD_DAYS = (70, 80)
NOON = NOW.replace(hour=12, minute=0, second=0, microsecond=0)
SLICES = 199


@pytest.fixture
def compressed(hub: Connection, database: str) -> None:
    """Two old days of both provinces, a chunk each, compressed."""
    kept: dict[Kind, int] = dict.fromkeys(KINDS, 800)
    with connect(database, "test", autocommit=True) as connection:
        store = LedgerStore(connection)
        for days in OLD_DAYS:
            for province in PROVINCES:
                at = round((NOON - timedelta(days=days)).timestamp() * 1000)
                rows = [play(number, time=at + number, duration_ms=1) for number in range(1, SLICES + 1)]
                commit(store, [delivery(rows, device=device_of(province), stream=f"{days}" * 16)], [], NOW_MS)
        maintain(connection, kept, 60, NOW, lambda _text: None)
        run_compression(connection)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def segments(reader: Connection, query: str) -> list[dict[str, Any]]:
    """Scans of compressed chunks in the plan of a query that was run."""
    row = reader.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}".encode()).fetchone()
    assert row is not None
    return [
        node
        for node in nodes(row[0][0]["Plan"])
        if node.get("Relation Name", "").startswith("compress_hyper") and node["Actual Loops"]
    ]


@ONLY_TIMESCALE
@pytest.mark.parametrize(
    ("query", "chunks"),
    [
        ("SELECT sum(duration_ms) FROM play", 2),
        ("SELECT local_day, sum(duration_ms) FROM play GROUP BY 1", 2),
        ("SELECT content_ref, device, site, sum(duration_ms) FROM play GROUP BY 1, 2, 3", 2),
        ("SELECT * FROM play WHERE time BETWEEN '{newer}' AND '{newer}'::timestamptz + interval '1 h'", 1),
        ("SELECT sum(duration_ms) FROM play WHERE time >= '{newer}' AND time < '{newest}' AND grade = 'panel_on'", 1),
        ("SELECT sum(duration_ms) FROM play WHERE time >= now() - interval '75 days'", 1),
    ],
)
def test_only_own_segments_are_opened(compressed: None, log_in: LogIn, query: str, chunks: int) -> None:
    newer = NOON - timedelta(days=OLD_DAYS[0])
    text = query.format(newer=newer.isoformat(), newest=(newer + timedelta(hours=1)).isoformat())
    opened = segments(log_in("report_20"), text)
    assert len(opened) == chunks
    for scan in opened:
        conditions = " ".join(str(scan.get(key, "")) for key in ("Index Cond", "Recheck Cond", "Filter"))
        assert "placement = ANY" in conditions
        assert scan["Actual Rows"] == 1  # a segment of two


@ONLY_TIMESCALE
def test_the_rows_are_right(compressed: None, log_in: LogIn) -> None:
    query = "SELECT sum(duration_ms)::int, min(site), max(site) FROM play WHERE time < now() - interval '60 days'"
    for province in PROVINCES:
        site = f"S-p{province}"
        assert log_in(f"report_{province}").execute(query.encode()).fetchone() == (2 * SLICES, site, site)
    assert log_in("report_all").execute(query.encode()).fetchone() == (4 * SLICES, "S-p20", "S-p22")


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_without_chunks_an_index_leads_to_own_rows(hub: Connection, log_in: LogIn, database: str) -> None:
    reader = log_in("report_20")
    reader.execute("SET enable_seqscan = off")
    row = reader.execute("EXPLAIN (FORMAT JSON) SELECT * FROM play WHERE time > now() - interval '1 day'").fetchone()
    assert row is not None
    (scan,) = (node for node in nodes(row[0][0]["Plan"]) if node.get("Alias") == "e")
    found = next((node for node in nodes(scan) if node.get("Index Name") == "play_placement_time"), None)
    assert found is not None
    assert "placement = ANY" in found["Index Cond"]
    assert "time" in found["Index Cond"]
