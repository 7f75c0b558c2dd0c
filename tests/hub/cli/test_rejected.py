"""`ttdn-hub rejected` as an operator sees it."""

from __future__ import annotations

import json

import psycopg

from contract import codec
from hub.ledger.reading import Unreadable
from hub.store.ledger_store import LedgerStore
from tests.hub.command import hub
from tests.hub.making import DEVICE, KEY, NOW_MS, fault


def test_list_and_retry(database: str, connection: psycopg.Connection) -> None:
    hostile = Unreadable(KEY, "", 2, b"[bold]\xff\x1b[31m", "[red]why[/red]")
    readable = Unreadable(KEY, "", 1, codec.encode_event(fault(1)), "older hub")
    LedgerStore(connection).commit([], [readable, hostile], NOW_MS)
    done = hub("rejected", "list", database=database)
    assert (done.returncode, DEVICE in done.stdout, "[red]why[/red]" in done.stdout) == (0, True, True)
    assert "\x1b" not in done.stdout, "a device must not paint the operator's terminal"
    told = json.loads(hub("rejected", "list", "--json", database=database).stdout)
    assert [(item["seq"], item["event"][:6]) for item in told["rejected"]] == [(1, '{"kind'), (2, "[bold]")]
    done = hub("rejected", "retry", database=database)
    assert (done.returncode, done.stdout) == (1, "1 became rows, 1 left\n")
    connection.execute("DELETE FROM rejected")
    assert hub("rejected", "retry", database=database).returncode == 0
