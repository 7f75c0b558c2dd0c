"""Numbers of contents that a worker remembers: however many there are, and whatever becomes of them, it goes on."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from hub.ingest.committer import commit
from hub.store import recount
from hub.store.audit import audit
from hub.store.connection import connect
from hub.store.identities import StaleIdentity
from hub.store.ledger_store import LedgerStore
from tests.hub.making import DEVICE, NOW_MS, delivery, play


@pytest.fixture
def store(database: str) -> Iterator[LedgerStore]:
    with connect(database, "ledger", autocommit=True) as own:
        yield LedgerStore(own)


def shown(connection: psycopg.Connection) -> list[tuple[int, str]]:
    """Number of the event, and its content."""
    rows = connection.execute("SELECT seq, content_ref FROM play JOIN shown_content c ON c.id = content ORDER BY seq")
    return rows.fetchall()


def test_a_device_that_invents_names_stops_nothing(
    store: LedgerStore, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.store.contents._REMEMBERED", 2)
    sent: list[tuple[int, str]] = []
    for group in (["la.mp4"], ["x1", "x2", "x3", "la.mp4"], ["la.mp4"], ["x4", "la.mp4", "x1"], ["la.mp4", "x5"]):
        new = list(enumerate(group, start=len(sent) + 1))
        store.commit([delivery([play(seq, play_id=seq, content_ref=ref) for seq, ref in new], live=True)], [], NOW_MS)
        sent += new
    assert shown(connection) == sent
    again = [(seq, ref) for seq, ref in sent if seq > 3]  # of which a part is known: it is prepared again
    sent.append((len(sent) + 1, "x2"))
    store.commit([delivery([play(s, play_id=s, content_ref=r) for s, r in (*again, sent[-1])], live=True)], [], NOW_MS)
    assert shown(connection) == sent
    assert audit(connection).ok
    assert recount.differences(connection, DEVICE) == []


def test_everything_is_forgotten_when_a_number_is_of_another_content(
    store: LedgerStore, connection: psycopg.Connection
) -> None:
    """As after a database has been restored, and others have got the numbers."""
    store.commit([delivery([play(1, content_ref="la.mp4")])], [], NOW_MS)
    connection.execute("UPDATE shown_content SET content_ref = 'other.mp4'")
    with pytest.raises(StaleIdentity):
        store.commit([delivery([play(2, content_ref="la.mp4")])], [], NOW_MS)
    store.commit([delivery([play(2, content_ref="la.mp4")])], [], NOW_MS)
    assert shown(connection) == [(1, "other.mp4"), (2, "la.mp4")]
    connection.execute("UPDATE shown_content SET content_ref = 'third.mp4' WHERE content_ref = 'la.mp4'")
    outcome = commit(store, [delivery([play(3, content_ref="la.mp4")])], [], NOW_MS)
    assert len(outcome.committed) == 1
    assert shown(connection) == [(1, "other.mp4"), (2, "third.mp4"), (3, "la.mp4")]
