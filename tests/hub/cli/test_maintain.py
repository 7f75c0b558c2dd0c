"""`ttdn-hub maintain` and `ttdn-hub counts` as an operator and a program see them."""

from __future__ import annotations

import json

import msgspec
import psycopg

from hub.store.ledger_store import LedgerStore
from tests.hub.command import hub
from tests.hub.making import DEVICE, NOW_MS, delivery, fault

YEARS_AGO_MS = NOW_MS - 1_500 * 24 * 3_600_000


def test_old_rows_go_and_all_adds_up(database: str, connection: psycopg.Connection) -> None:
    ancient = msgspec.structs.replace(fault(1), time=YEARS_AGO_MS)
    LedgerStore(connection).commit([delivery([ancient, fault(2)])], [], NOW_MS)
    done = hub("maintain", "--json", database=database)
    told = json.loads(done.stdout)
    assert (done.returncode, told["engine"], told["retired"]["fault"], told["retired"]["play"]) == (
        0,
        "PostgreSQL",
        1,
        0,
    )
    assert "fault: 1 rows from before" in done.stderr
    assert hub("audit", database=database).returncode == 0
    done = hub("maintain", database=database)
    assert (done.returncode, done.stdout) == (0, "rows that were let go: none\n")


def test_upkeep_does_not_wait_for_long_where_the_ingest_would_wait_for_it(
    database: str, connection: psycopg.Connection
) -> None:
    with connection.transaction():
        connection.execute("LOCK TABLE health IN ACCESS EXCLUSIVE MODE")
        done = hub("maintain", database=database)
    assert (done.returncode, "for longer than 3 s" in done.stderr) == (4, True), done.stderr
    assert hub("maintain", database=database).returncode == 0


def test_counts_that_differ_are_shown_and_rebuilt(database: str, connection: psycopg.Connection) -> None:
    LedgerStore(connection).commit([delivery([1, 2, 3])], [], NOW_MS)
    assert hub("counts", "verify", database=database).returncode == 0
    connection.execute("UPDATE fault_hour SET faults = 7")
    connection.execute("DELETE FROM event_hour")
    done = hub("counts", "verify", database=database)
    assert done.returncode == 1
    assert "fault_hour counted" in done.stdout
    assert "event_hour recounted" in done.stdout
    done = hub("counts", "verify", "--json", database=database)
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"], list(told["different"])) == (1, False, [DEVICE])
    assert hub("counts", "rebuild", "--device", DEVICE, database=database).returncode == 0
    assert hub("counts", "verify", database=database).returncode == 0


def test_an_unknown_device_is_a_wrong_command(database: str) -> None:
    done = hub("counts", "rebuild", "--device", "nobody", database=database)
    assert done.returncode == 2
    assert "'nobody'" in done.stderr


def test_results_of_the_plan(database: str, connection: psycopg.Connection) -> None:
    LedgerStore(connection).commit([delivery([1])], [], NOW_MS)
    connection.execute(
        "INSERT INTO plan_result"
        " SELECT 'KH-1', id, '2026-11-20', -1, 'unknown', 3, 1, NULL, 60000, 1800000, '{}', now() FROM placement"
    )
    told = hub("plan", "results", "--from", "2026-11-20", "--until", "2026-11-20", "--json", database=database)
    (one,) = json.loads(told.stdout)["results"]
    assert (one["item"], one["device"], one["result"], one["unknown_ms"]) == ("KH-1", DEVICE, "unknown", 1_800_000)
    shown = hub("plan", "results", "--from", "2026-11-20", "--until", "2026-11-20", database=database)
    assert "Chưa đủ dữ liệu để kết luận" in shown.stdout
    assert hub("plan", "results", "--item", "KH-2", database=database).returncode == 0


def test_a_summary_of_the_plan(database: str, connection: psycopg.Connection) -> None:
    LedgerStore(connection).commit([delivery([1])], [], NOW_MS)
    for hour, result in enumerate(("enough", "unknown", "unknown", "not_at_all")):
        connection.execute(
            "INSERT INTO plan_result SELECT 'KH-1', id, '2026-11-20', %s, %s, 3, 1, NULL, 0, 0, '{}', now()"
            " FROM placement",
            (hour, result),
        )
    days = ("--from", "2026-11-20", "--until", "2026-11-20")
    told = json.loads(hub("plan", "summary", *days, "--json", database=database).stdout)
    (one,) = told["items"]
    del one["judged_at"]
    counts = {"windows": 4, "enough": 1, "too_little": 0, "not_at_all": 1, "unknown": 2}
    assert (told["first"], told["last"], one) == ("2026-11-20", "2026-11-20", {"item": "KH-1", **counts})
    shown = hub("plan", "summary", *days, database=database).stdout
    (line,) = (line for line in shown.splitlines() if "KH-1" in line)
    assert [cell.strip() for cell in line.strip("│ ").split("│")] == ["KH-1", "4", "1", "0", "1", "2"]
    week = json.loads(hub("plan", "summary", "--until", "2026-11-19", "--json", database=database).stdout)
    assert week == {"first": "2026-11-13", "last": "2026-11-19", "items": []}
