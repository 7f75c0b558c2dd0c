"""Whatever happens to the catalogue, in whatever order contents are seen: what is resolved is what the rules say."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from hub.catalogue.topics import shipped
from hub.catalogue.versions import in_force
from hub.compliance.verdict import Finding, resolve
from hub.store import catalogue
from hub.store.catalogue import CatalogueRefused, Hand
from hub.store.connection import connect
from hub.store.contents import Contents
from tests.hub.catalogue.making import APPROVED, AT, DRAFT, A, B, contents_file
from tests.patience import until

HAND: Final = Hand("command:an", AT)
CODES: Final = ("ND-1", "ND-2", "ND-3")
REFS: Final = ("a.mp4", "b.mp4", "c.mp4")
DAYS: Final = [date(2025, 1, 1) + timedelta(days=30 * more) for more in range(4)]
LOOKED_AT: Final = [date.min, *(day + timedelta(days=more) for day in DAYS for more in (-1, 0, 1)), date.max]
_SAID: Final = st.fixed_dictionaries(
    {
        "code": st.sampled_from(CODES),
        "refs": st.sets(st.sampled_from(REFS), min_size=1).map(" | ".join),
        "media_sha256": st.sampled_from(("", A, B)),
        "approval": st.sampled_from((APPROVED, APPROVED, DRAFT, {**APPROVED, "approval_no": "99"})),
        "valid_from": st.sampled_from(DAYS[:2]).map(str),
        "valid_until": st.sampled_from(("", *map(str, DAYS[2:]))),
    }
)


class Life(RuleBasedStateMachine):
    """A catalogue that people change while contents are seen; `connection` is to a database with subjects."""

    def __init__(self, connection: psycopg.Connection) -> None:
        super().__init__()
        self.connection = connection
        connection.execute("TRUNCATE shown_content, content, catalogue_change, day_dirty CASCADE")
        self.before: dict[int, dict[date, Finding]] = {}
        self.noted = 0

    @rule(ref=st.sampled_from((*REFS, "d.mp4")), sha256=st.sampled_from((None, A, B, "c" * 64)))
    def see(self, ref: str, sha256: str | None) -> None:
        """The ingest meets a content, perhaps not for the first time."""
        Contents(self.connection).id(ref, sha256)

    @rule(said=st.lists(_SAID, min_size=1, max_size=3, unique_by=lambda one: str(one["code"])), preview=st.booleans())
    def say(self, said: Sequence[dict[str, Any]], *, preview: bool) -> None:
        """A file is imported."""
        gone = catalogue.deleted_codes(self.connection)
        rows = [{**one, **one["approval"]} for one in said if one["code"] not in gone]
        for row in rows:
            del row["approval"]
        if rows:
            catalogue.import_contents(self.connection, contents_file(*rows), HAND, preview=preview)

    @rule(code=st.sampled_from(CODES), day=st.sampled_from(DAYS), number=st.none() | st.integers(1, 3))
    def withdraw(self, code: str, day: date, number: int | None) -> None:
        """An approval ends."""
        with suppress(CatalogueRefused):
            catalogue.withdraw(self.connection, code, day, HAND, number)

    @precondition(lambda self: bool(catalogue.versions(self.connection)))
    @rule(code=st.sampled_from(CODES))
    def turn(self, code: str) -> None:
        """A content is deleted, or restored."""
        if code not in catalogue.versions(self.connection):
            return
        gone = code in catalogue.deleted_codes(self.connection)
        (catalogue.restore if gone else catalogue.delete)(self.connection, code, HAND)

    @invariant()
    def resolved_is_what_the_rules_say(self) -> None:
        """On every day, and every day once; and each change was noted."""
        gone = catalogue.deleted_codes(self.connection)
        versions = [
            replace(version.as_evidence, deleted=code in gone)
            for code, its in catalogue.versions(self.connection).items()
            for version in its
        ]
        held = in_force(versions)
        now = self._resolved()
        seen = self.connection.execute("SELECT id, content_ref, encode(content_sha256, 'hex') FROM shown_content")
        for shown, ref, sha256 in seen.fetchall():
            assert now[shown] == {day: resolve(held, ref, sha256, day) for day in LOOKED_AT}
            if shown in self.before:
                noted = self._changes(shown)
                for day in LOOKED_AT:
                    expected = (self.before[shown][day], now[shown][day])
                    assert noted.get(day, (now[shown][day],) * 2) == expected
        self.before = now
        self.noted = self.connection.execute("SELECT coalesce(max(id), 0) FROM resolution_change").fetchall()[0][0]

    def _resolved(self) -> dict[int, dict[date, Finding]]:
        found: dict[int, dict[date, Finding]] = {}
        end = date.max
        query = "SELECT content, first_day, last_day, verdict::text, code, version FROM resolved ORDER BY 1, 2"
        for shown, first, last, *finding in self.connection.execute(query).fetchall():
            assert (first == date.min) == (shown not in found), "whole from the first day"
            assert shown not in found or first == end + timedelta(days=1), "disjoint, without a gap"
            end = last
            days = {day: Finding(*finding) for day in LOOKED_AT if first <= day <= last}
            found.setdefault(shown, {}).update(days)
        assert end == date.max
        return found

    def _changes(self, shown: int) -> dict[date, tuple[Finding, Finding]]:
        """Of the last step, by day."""
        rows = self.connection.execute(
            "SELECT first_day, last_day, old_verdict::text, old_code, old_version, new_verdict::text, new_code,"
            " new_version FROM resolution_change WHERE content = %s AND id > %s",
            (shown, self.noted),
        ).fetchall()
        found: dict[date, tuple[Finding, Finding]] = {}
        for first, last, *pair in rows:
            for day in LOOKED_AT:
                if first <= day <= last:
                    assert day not in found, "a step changes a day once"
                    found[day] = (Finding(*pair[:3]), Finding(*pair[3:]))
        return found


def test_resolved_is_what_the_rules_say_pointwise(connection: psycopg.Connection) -> None:
    catalogue.import_topics(connection, shipped())
    run: Any = run_state_machine_as_test  # it is declared to take a class only
    run(
        lambda: Life(connection),
        settings=settings(
            max_examples=40, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


# -- two at once ------------------------------------------------------------------------------------------------------


def waits_for_the_catalogue(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchone()
    return row is not None and row[0] > 0


def verdicts(connection: psycopg.Connection) -> list[str]:
    """Of what was seen, on the last day of all."""
    return [row[0] for row in connection.execute("SELECT verdict::text FROM resolved WHERE last_day = '9999-12-31'")]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_content_is_seen_while_the_catalogue_changes(database: str, connection: psycopg.Connection) -> None:
    catalogue.import_topics(connection, shipped())

    def see() -> None:
        with connect(database, "ingest", autocommit=True) as own:
            Contents(own).id("a.mp4", None)

    thread = threading.Thread(target=see)
    with connect(database, "person", autocommit=True) as person:
        with person.transaction():
            catalogue.import_contents(person, contents_file({"refs": "a.mp4"}), HAND)
            thread.start()
            until(lambda: waits_for_the_catalogue(connection))
        thread.join()
    assert verdicts(connection) == ["approved"]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_the_catalogue_changes_while_a_content_is_seen(database: str, connection: psycopg.Connection) -> None:
    catalogue.import_topics(connection, shipped())

    def say() -> None:
        with connect(database, "person", autocommit=True) as person:
            catalogue.import_contents(person, contents_file({"refs": "a.mp4"}), HAND)

    thread = threading.Thread(target=say)
    with connect(database, "ingest", autocommit=True) as ingest:
        with ingest.transaction():
            Contents(ingest).id("a.mp4", None)
            thread.start()
            until(lambda: waits_for_the_catalogue(connection))
        thread.join()
    assert verdicts(connection) == ["approved"]
    assert connection.execute("SELECT count(*) FROM resolution_change").fetchall() == [(2,)]
