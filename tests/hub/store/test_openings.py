"""Cards that were put back or copied, told from restarts, two workers, backups and a new outbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from contract.status import Opening
from hub.store.openings import Known, OpeningStore, judge

DEVICE, OUTBOX, OTHER = "bg-20-cma-k1", "0a" * 16, "0b" * 16
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("known", "number", "session", "verdict"),
    [
        (None, 4, "a", "new"),
        (Known(4, NOW, ["a"]), 5, "b", "new"),
        (Known(4, NOW, ["a"]), 9, "b", "new"),  # some runs never reached the hub
        (Known(4, NOW, ["a"]), 4, "a", "nothing"),  # the next hello
        (Known(4, NOW, ["a"]), 4, "b", "put_back"),
        (Known(4, NOW, ["a"]), 2, "b", "put_back"),
        (Known(2, NOW, ["a", "b"]), 2, "b", "nothing"),  # it has been told
        (Known(2, NOW, ["a", "b"]), 4, "a", "nothing"),  # and the other one still runs
        (Known(4, NOW + timedelta(seconds=9), ["a"]), 3, "b", "nothing"),  # it waited for this worker since before
    ],
)
def test_what_an_opening_means(known: Known | None, number: int, session: str, verdict: str) -> None:
    assert judge(known, number, session, NOW + timedelta(seconds=5)) == verdict


class Runs:
    """Runs of agents that say hello, each hello a second later."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.store = OpeningStore(connection)
        self.now_ms = 1_795_000_000_000

    def say(self, number: int, session: str, outbox: str = OUTBOX, late_ms: int = 0) -> bool:
        """Whether it is told of."""
        self.now_ms += 1_000
        opening = Opening(outbox=outbox, number=number)
        return self.store.heard(DEVICE, session, opening, self.now_ms - late_ms) == "put_back"


@pytest.fixture
def runs(connection: psycopg.Connection) -> Runs:
    return Runs(connection)


def test_restarts_are_ordinary(runs: Runs) -> None:
    assert not any(runs.say(number, f"s{number}") for number in (1, 1, 2, 3, 3, 7))


def test_a_card_that_was_put_back_is_told_of_once(runs: Runs) -> None:
    told = [runs.say(number, session) for number, session in [(5, "a"), (6, "b"), (4, "c"), (4, "c")]]
    assert told == [False, False, True, False]
    assert [runs.say(5, "d"), runs.say(6, "e")] == [False, False], "it goes on from there"


def test_a_copy_that_runs_beside_it_is_told_of_once_a_run(runs: Runs) -> None:
    told = [runs.say(number, session) for number, session in [(5, "a"), (5, "b"), (5, "a"), (5, "b"), (6, "c")]]
    assert told == [False, True, False, False, False]


def test_an_outbox_that_was_set_aside_begins_anew(runs: Runs) -> None:
    assert not any(runs.say(*said) for said in [(9, "a", OUTBOX), (1, "b", OTHER), (2, "c", OTHER)])
    assert runs.say(9, "d", OUTBOX), "the damaged one has come back"


def test_a_worker_that_lags_behind_raises_nothing(runs: Runs) -> None:
    assert not runs.say(2, "b")
    assert not runs.say(1, "a", late_ms=5_000)


def test_a_hub_that_went_back_to_a_backup_remembers_less(runs: Runs, connection: psycopg.Connection) -> None:
    runs.say(5, "a")
    connection.execute("UPDATE opening SET number = 2, sessions = '{before}', since = since - interval '1 day'")
    assert not runs.say(5, "a")
    assert not runs.say(6, "b")
