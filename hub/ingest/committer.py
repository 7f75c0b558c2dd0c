"""Commits a group of messages so that a bad one never costs the others.

What PostgreSQL refuses for its content (SQLSTATE class 22 or 23) is halved down to the batch, then to the event, which
goes to `rejected`. Deadlocks and lost ids are tried again. Anything else is the database's trouble, not the message's:
it is raised, and nothing is thrown away for it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import psycopg

from contract import codec
from contract.batch import Batch
from hub.ledger.reading import Unreadable
from hub.ledger.rules import Account, Delivery, StreamKey, streams_of
from hub.store.identities import StaleIdentity
from hub.store.ledger_store import LedgerStore, TooRagged

_TRIES: Final = 5
_CONTENT: Final = (psycopg.DataError, psycopg.IntegrityError)
_AGAIN: Final = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, StaleIdentity)
log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """What became of a group."""

    accounts: dict[StreamKey, Account] = field(default_factory=dict)
    committed: list[Delivery] = field(default_factory=list)
    ragged: list[Delivery] = field(default_factory=list)
    ragged_events: list[Unreadable] = field(default_factory=list)
    rejected: list[Unreadable] = field(default_factory=list)


def commit(
    store: LedgerStore, deliveries: Sequence[Delivery], unreadable: Sequence[Unreadable], now_ms: int
) -> Outcome:
    """Store everything that can be stored. psycopg.Error if the database cannot be used now."""
    outcome = Outcome()
    _commit(store, list(deliveries), list(unreadable), now_ms, outcome)
    return outcome


def _commit(
    store: LedgerStore, deliveries: list[Delivery], unreadable: list[Unreadable], now_ms: int, outcome: Outcome
) -> None:
    if not deliveries and not unreadable:
        return
    try:
        accounts = _try_commit(store, deliveries, unreadable, now_ms)
    except TooRagged as error:
        _without_ragged(store, deliveries, unreadable, now_ms, outcome, error.key)
    except _CONTENT as error:
        for part, rest in _parts(deliveries, unreadable, error):
            _commit(store, part, rest, now_ms, outcome)
    else:
        for key, account in accounts.items():
            known = outcome.accounts.setdefault(key, Account())
            known.committed.update(account.committed)
            known.lost.update(account.lost)
        outcome.committed += deliveries
        outcome.rejected += unreadable


def _try_commit(
    store: LedgerStore, deliveries: list[Delivery], unreadable: list[Unreadable], now_ms: int
) -> dict[StreamKey, Account]:
    for _ in range(_TRIES - 1):
        try:
            return store.commit(deliveries, unreadable, now_ms)
        except _AGAIN as error:
            log.warning("commit of %d batches is tried again: %s", len(deliveries), error or type(error).__name__)
    return store.commit(deliveries, unreadable, now_ms)


def _without_ragged(
    store: LedgerStore,
    deliveries: list[Delivery],
    unreadable: list[Unreadable],
    now_ms: int,
    outcome: Outcome,
    key: StreamKey,
) -> None:
    """A stream may be touched by a batch of it, and by a loss that another stream of its device declares."""
    ragged = [delivery for delivery in deliveries if key in streams_of([delivery])]
    events = [event for event in unreadable if event.key == key]
    if not ragged and not events:
        raise LookupError(f"{key} is ragged, and nothing of this group touches it")
    outcome.ragged += ragged
    outcome.ragged_events += events
    touched = {id(delivery) for delivery in ragged}
    rest = [delivery for delivery in deliveries if id(delivery) not in touched]
    _commit(store, rest, [event for event in unreadable if event.key != key], now_ms, outcome)


def _parts(
    deliveries: list[Delivery], unreadable: list[Unreadable], error: psycopg.Error
) -> list[tuple[list[Delivery], list[Unreadable]]]:
    """Smaller groups of the same: halves of the batches, then single events, then one event as bytes."""
    if len(deliveries) + len(unreadable) > 1:
        if not deliveries:
            half = len(unreadable) // 2
            return [([], unreadable[:half]), ([], unreadable[half:])]
        half = len(deliveries) // 2
        return [(deliveries[:half], []), (deliveries[half:], []), ([], unreadable)]
    if not deliveries:
        raise error  # the hub's own table of rejected events does not take this one: nothing smaller to try
    device, batch = deliveries[0]
    if len(batch.events) > 1:
        singles = [Batch(stream=batch.stream, nonce=batch.nonce, live=batch.live, events=[e]) for e in batch.events]
        half = len(singles) // 2
        return [([Delivery(device, single) for single in part], []) for part in (singles[:half], singles[half:])]
    event = batch.events[0]
    reason = f"{error.sqlstate}: {error}"[:400]
    body = codec.encode_event(event)
    return [([], [Unreadable(StreamKey(device, batch.stream), batch.nonce, event.seq, body, reason)])]
