"""A bad event never costs the others: over a real database that is made to refuse one."""

from __future__ import annotations

import psycopg
import pytest

from hub.ingest.committer import commit
from hub.ledger.reading import Unreadable
from hub.ledger.rules import StreamKey
from hub.store.ledger_store import LedgerStore
from tests.hub.ingest.making import DEVICE, OTHER, STREAM, delivery, fault, loss, now_ms


def stored(connection: psycopg.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT seq FROM fault ORDER BY seq")]


@pytest.fixture
def poisoned(connection: psycopg.Connection) -> psycopg.Connection:
    """A database that refuses one code, as it would refuse a value that its hub did not expect."""
    connection.execute("ALTER TABLE fault ADD CHECK (code <> 'poison')")
    return connection


def test_one_event_that_the_database_refuses_goes_to_rejected_alone(poisoned: psycopg.Connection) -> None:
    events = [fault(1), fault(2, "poison"), fault(3)]
    outcome = commit(LedgerStore(poisoned), [delivery([7, 8], OTHER), delivery(events), delivery([4, 5])], [], now_ms())
    assert stored(poisoned) == [1, 3, 4, 5, 7, 8]
    assert [event.seq for event in outcome.rejected] == [2]
    row = poisoned.execute("SELECT seq, reason, event FROM rejected").fetchone()
    assert row is not None
    assert row[0] == 2
    assert row[1].startswith("23514")
    assert b"poison" in row[2]
    account = LedgerStore(poisoned).account(outcome.rejected[0].key)
    assert account.committed.spans() == [(1, 5)], "its number is committed: the agent need not send it for ever"


def test_what_came_again_after_a_rejection_is_not_rejected_twice(poisoned: psycopg.Connection) -> None:
    for _ in range(2):
        commit(LedgerStore(poisoned), [delivery([fault(1, "poison")])], [], now_ms())
    assert poisoned.execute("SELECT count(*) FROM rejected").fetchone() == (1,)


def test_a_loss_next_to_a_bad_event_is_still_declared(poisoned: psycopg.Connection) -> None:
    commit(LedgerStore(poisoned), [delivery([fault(1, "poison"), loss(2, OTHER, (3, 4))])], [], now_ms())
    row = poisoned.execute("SELECT lost::text FROM stream WHERE name = %s::uuid", (OTHER,)).fetchone()
    assert row == ("{[3,5)}",)


def test_an_outage_is_raised_and_nothing_is_thrown_away(connection: psycopg.Connection, database: str) -> None:
    connection.execute("ALTER TABLE fault RENAME TO gone")
    with pytest.raises(psycopg.errors.UndefinedTable):
        commit(LedgerStore(connection), [delivery([1])], [], now_ms())
    assert connection.execute("SELECT count(*) FROM rejected").fetchone() == (0,)
    connection.execute("ALTER TABLE gone RENAME TO fault")
    commit(LedgerStore(connection), [delivery([1])], [], now_ms())
    assert stored(connection) == [1]


def test_a_ragged_stream_is_refused_and_the_others_are_stored(connection: psycopg.Connection) -> None:
    store = LedgerStore(connection)
    for start in range(1, 8_193, 1_000):
        commit(store, [delivery(range(start, min(start + 1_000, 8_193), 2))], [], now_ms())
    outcome = commit(store, [delivery([9_001]), delivery([1], OTHER)], [], now_ms())
    assert [refused.batch.events[0].seq for refused in outcome.ragged] == [9_001]
    assert [done.batch.stream for done in outcome.committed] == [OTHER]
    filled = commit(store, [delivery([2, 4, 6])], [], now_ms())
    assert not filled.ragged, "what fills holes is welcome: that is how such a stream heals"


def test_bytes_with_a_number_are_kept_once(connection: psycopg.Connection) -> None:
    event = Unreadable(StreamKey(DEVICE, STREAM), "", 5, b'{"kind":"new"}', "invalid")
    for _ in range(2):
        commit(LedgerStore(connection), [], [event], now_ms())
    assert connection.execute("SELECT seq, event FROM rejected").fetchall() == [(5, b'{"kind":"new"}')]
