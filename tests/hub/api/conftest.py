"""A running API over a database of its own, with a clock that tests set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from hub.store.ledger_store import LedgerStore
from tests.hub.api.serving import Api, serving
from tests.hub.people.making import add_person


@pytest.fixture
def api(database: str) -> Iterator[Api]:
    """As a hub runs it: nobody is let in without an account or a token."""
    with serving(database) as running:
        yield running


@pytest.fixture
def store(connection: psycopg.Connection) -> LedgerStore:
    """What the ingest commits with."""
    return LedgerStore(connection)


@pytest.fixture
def person(connection: psycopg.Connection) -> str:
    """Somebody with an account, of one province."""
    add_person(connection, provinces=frozenset({"20"}), now=datetime.now(UTC))
    return "nguyen.an"
