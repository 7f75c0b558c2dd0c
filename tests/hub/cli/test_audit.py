"""`ttdn-hub audit` as an operator and a program see it."""

from __future__ import annotations

import json

import psycopg

from hub.store.ledger_store import LedgerStore
from tests.hub.command import hub
from tests.hub.making import DEVICE, NOW_MS, delivery, loss


def test_a_clean_hub_ends_with_0(database: str, connection: psycopg.Connection) -> None:
    LedgerStore(connection).commit([delivery([1, 2, 9, loss(10, (4, 5))])], [], NOW_MS)
    done = hub("audit", database=database)
    assert done.returncode == 0, done.stderr
    assert DEVICE in done.stdout
    assert "4 (3, 6-8)" in done.stdout
    assert "2 (4-5)" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("OK: streams 1, devices 1, committed 4, rows 4")


def test_a_difference_ends_with_1_and_is_named(database: str, connection: psycopg.Connection) -> None:
    LedgerStore(connection).commit([delivery([1, 2, 3])], [], NOW_MS)
    connection.execute("INSERT INTO fault SELECT * FROM fault WHERE seq = 1")
    connection.execute("DELETE FROM fault WHERE seq > 1")
    done = hub("audit", database=database)
    assert done.returncode == 1
    assert "1 STREAMS DIFFER" in done.stdout
    assert "1 stored twice: 1 (1)" in done.stdout
    assert "missing: 2 (2-3)" in done.stdout


def test_json(database: str, connection: psycopg.Connection) -> None:
    LedgerStore(connection).commit([delivery([1, 3]), delivery([1], device="another")], [], NOW_MS)
    done = hub("audit", "--json", "--device", DEVICE, database=database)
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (0, True)
    assert [(s["device"], s["holes"], s["rows"]) for s in told["streams"]] == [(DEVICE, [[2, 2]], {"fault": 2})]
    connection.execute("DELETE FROM fault")
    done = hub("audit", "--json", database=database)
    assert (done.returncode, json.loads(done.stdout)["totals"]["different"]) == (1, 2)


def test_an_unknown_device_is_a_wrong_command(database: str) -> None:
    done = hub("audit", "--device", "nobody", database=database)
    assert (done.returncode, done.stdout) == (2, "")
    assert "'nobody'" in done.stderr


def test_a_database_without_tables_and_one_out_of_reach(empty_database: str) -> None:
    done = hub("audit", database=empty_database)
    assert done.returncode == 3
    assert "ttdn-hub migrate" in done.stderr
    done = hub("audit", database="postgresql://someone:s3cret@127.0.0.1:1/nothing")
    assert done.returncode == 3
    assert "s3cret" not in done.stderr
    assert "Traceback" not in done.stderr
