"""What a viewer of Grafana can try, who may send any statement: settings, other roles, leaky functions, blocks."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from pydantic import SecretStr

from hub.chores.chore import Chore
from hub.chores.chores import CHORES
from hub.chores.service import ChoreService
from hub.config import DatabaseSettings, HubSettings
from hub.metrics import HubMetrics
from hub.store import chores, roles
from tests.hub.report.conftest import Connection, LogIn, dsn_of, views
from tests.patience import until

FOREIGN = ("p22", "nobody")
ONLY_POSTGRESQL = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
TELLING = """
CREATE FUNCTION report.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001
AS $$ BEGIN RAISE NOTICE 'told: %', $1; RETURN true; END $$"""


@contextmanager
def listening(connection: Connection) -> Iterator[list[str]]:
    heard: list[str] = []

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        heard.append(str(notice.message_primary))

    connection.add_notice_handler(hear)
    try:
        yield heard
    finally:
        connection.remove_notice_handler(hear)


def contents(connection: Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT DISTINCT content_ref FROM report.play").fetchall()}


def test_nobody_becomes_another(hub: Connection, log_in: LogIn) -> None:
    for statement in (
        "SET ROLE report_22",
        "SET ROLE report_all",
        "SET ROLE pg_read_all_data",
        "SET ROLE {owner}",
        "SELECT set_config('role', 'report_22', false)",
        "ALTER ROLE report_20 SUPERUSER",
        "ALTER ROLE report_22 PASSWORD 'x'",
        "GRANT report_22 TO report_20",
    ):
        reader = log_in("report_20")
        reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(InsufficientPrivilege):
            pytest.fail(f"{statement}: {reader.execute(statement.format(owner=hub.info.user).encode()).statusmessage}")
        assert contents(reader) == {"p20.mp4"}, statement


@ONLY_POSTGRESQL  # the other is logged in as a superuser that has become somebody else
def test_nobody_logs_in_as_another_afterwards(hub: Connection, log_in: LogIn) -> None:
    for statement in (
        "SET SESSION AUTHORIZATION report_22",
        "SET SESSION AUTHORIZATION {owner}",
        "SELECT set_config('session_authorization', 'report_22', false)",
    ):
        reader = log_in("report_20")
        with pytest.raises(InsufficientPrivilege):
            pytest.fail(f"{statement}: {reader.execute(statement.format(owner=hub.info.user).encode()).statusmessage}")


def test_no_setting_shows_more(log_in: LogIn) -> None:
    for statement in (
        "RESET ALL",
        "RESET ROLE",
        "RESET SESSION AUTHORIZATION",
        "DISCARD ALL",
        "SET ROLE NONE",
        "SET search_path = pg_temp, hub, public",
        "SET row_security = off",
        "SET default_transaction_read_only = off",
        "SET TimeZone = 'America/New_York'",
        "SET plan_cache_mode = force_generic_plan",
        "SET enable_indexscan = off",
        "SET jit = on",
        "SELECT set_config('hub.provinces', '{20,22}', false)",
    ):
        reader = log_in("report_20")
        reader.execute(statement.encode())
        assert contents(reader) == {"p20.mp4"}, statement
        assert reader.execute("SELECT report.my_provinces()").fetchone() == (["20"],), statement


def test_no_function_in_a_condition_sees_a_foreign_row(hub: Connection, log_in: LogIn) -> None:
    hub.execute(TELLING)
    reader = log_in("report_20")
    columns = hub.execute(
        "SELECT c.relname, quote_ident(attname) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
        " WHERE relnamespace = 'report'::regnamespace AND attnum > 0"
    ).fetchall()
    with listening(reader) as heard:
        for view, column in columns:
            reader.execute(f"SELECT count(*) FROM report.{view} v WHERE report.tell(v.{column}::text)".encode())
        for view in views(hub):
            reader.execute(f"SELECT FROM report.{view} v WHERE report.tell(v::text) LIMIT 1".encode())
    assert any("p20" in text for text in heard)
    assert not [text for text in heard if any(mark in text for mark in FOREIGN)]


def test_without_the_barrier_it_would_see_them(hub: Connection, log_in: LogIn) -> None:
    hub.execute(TELLING)
    hub.execute("ALTER VIEW report.fault SET (security_barrier = off)")
    reader = log_in("report_20")
    reader.execute("SET enable_indexscan = off; SET enable_bitmapscan = off")
    with listening(reader) as heard:
        reader.execute("SELECT count(*) FROM fault WHERE report.tell(reason)")
    assert any("p22" in text for text in heard)


def test_no_error_names_a_foreign_value(log_in: LogIn) -> None:
    reader = log_in("report_20")
    for statement in (
        "SELECT content_ref::integer FROM play",
        "SELECT 1 FROM play WHERE content_ref::integer = 1",
        "SELECT 1 FROM fault WHERE reason::integer = 1",
        "SELECT 1 FROM placement WHERE site::integer = 1",
        "SELECT 1 FROM visitors_published WHERE site::integer = 1",
        "SELECT 1 FROM device WHERE device::integer = 1",
    ):
        with pytest.raises(psycopg.errors.InvalidTextRepresentation) as caught:
            reader.execute(statement.encode())
        assert not any(mark in str(caught.value) for mark in FOREIGN)


def test_a_plan_names_no_foreign_value(hub: Connection, log_in: LogIn) -> None:
    """How many rows a plan passed over cannot be hidden (docs/readers.md); which they are, it does not say."""
    reader = log_in("report_20")
    foreign = hub.execute("SELECT id FROM hub.placement WHERE province_code = '22'").fetchall()
    assert foreign
    for view in views(hub):
        plan = reader.execute(f"EXPLAIN (ANALYZE, VERBOSE, TIMING OFF) SELECT * FROM report.{view}".encode()).fetchall()
        text = "\n".join(row[0] for row in plan)
        assert not any(mark in text for mark in FOREIGN), view
        assert "my_" in text or "is_reader()" in text, f"{view} does not ask who reads:\n{text}"


def test_a_prepared_statement_asks_each_time_who_reads(hub: Connection, log_in: LogIn) -> None:
    reader = log_in("report_20")
    reader.execute("PREPARE mine AS SELECT DISTINCT content_ref FROM report.play")
    for _ in range(7):
        assert reader.execute("EXECUTE mine").fetchall() == [("p20.mp4",)]
    hub.execute("UPDATE reader SET provinces = '{22}' WHERE role = 'report_20'")
    assert reader.execute("EXECUTE mine").fetchall() == [("p22.mp4",)]
    hub.execute("DELETE FROM reader WHERE role = 'report_20'")
    assert reader.execute("EXECUTE mine").fetchall() == []


def test_a_copy_holds_own_rows_only(log_in: LogIn) -> None:
    reader = log_in("report_20")
    with reader.cursor().copy("COPY (SELECT content_ref, site FROM report.play) TO STDOUT") as copy:
        text = b"".join(bytes(block) for block in copy).decode()
    assert "p20.mp4" in text
    assert not any(mark in text for mark in FOREIGN)


def test_a_block_has_the_rights_of_its_caller(log_in: LogIn) -> None:
    reader = log_in("report_20")
    block = "DO $$ DECLARE one record; BEGIN FOR one IN {} LOOP RAISE NOTICE '%', one; END LOOP; END $$"
    with listening(reader) as heard:
        reader.execute(block.format("SELECT content_ref FROM report.play").encode())
    assert heard
    assert not any(mark in text for text in heard for mark in FOREIGN)
    with pytest.raises(InsufficientPrivilege):
        reader.execute(block.format("SELECT * FROM hub.play").encode())
    with pytest.raises(InsufficientPrivilege):
        reader.execute(b"DO $$ BEGIN SET LOCAL ROLE report_22; END $$")
    with pytest.raises(InsufficientPrivilege):
        reader.execute(b"SELECT query_to_xml('SELECT * FROM hub.play', true, true, '')")


def test_a_cursor_survives_no_longer_than_the_right(hub: Connection, log_in: LogIn) -> None:
    """A snapshot of before cannot be asked again with more rights."""
    reader = log_in("report_20")
    assert reader.execute("SELECT count(*) FROM report.play, report.fault").fetchone() != (0,)
    hub.execute("REVOKE ALL ON report.fault FROM report_20")
    with pytest.raises(InsufficientPrivilege):
        reader.execute("SELECT count(*) FROM report.play, report.fault")


def test_notifications_reach_nobody_of_the_hub(hub: Connection, log_in: LogIn) -> None:
    reader = log_in("report_20")
    reader.execute("LISTEN x")
    reader.execute("NOTIFY x, 'y'")
    assert chores.alone(hub)


@ONLY_POSTGRESQL
def test_chores_cannot_be_kept_from_working(hub: Connection, log_in: LogIn, database: str) -> None:
    reader = log_in("report_20")
    with pytest.raises(InsufficientPrivilege):
        reader.execute("SELECT pg_advisory_lock(hashtext('ttdn-hub chores'))")
    assert chores.alone(hub)


@ONLY_POSTGRESQL
def test_what_a_login_begins_with(log_in: LogIn, database: str) -> None:
    with psycopg.connect(dsn_of(database, "report_all"), autocommit=True) as reader:
        begins = {
            name: (reader.execute(f"SHOW {name}".encode()).fetchone() or ("",))[0]
            for name in (
                "default_transaction_read_only",
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "transaction_timeout",
                "search_path",
                "temp_file_limit",
                "timezone",
            )
        }
        assert begins == {
            "default_transaction_read_only": "on",
            "statement_timeout": "30s",
            "lock_timeout": "5s",
            "idle_in_transaction_session_timeout": "30s",
            "transaction_timeout": "1min",
            "search_path": "report, pg_temp",
            "temp_file_limit": "1GB",
            "timezone": "Asia/Ho_Chi_Minh",
        }
        assert reader.execute("SELECT count(*) FROM play").fetchone() != (0,)


@ONLY_POSTGRESQL
def test_timeouts_end_what_lasts_too_long(hub: Connection, database: str, log_in: LogIn) -> None:
    place = f"ALTER ROLE report_20 IN DATABASE {hub.info.dbname} SET"
    hub.execute(f"{place} statement_timeout = '50ms'".encode())
    hub.execute(f"{place} idle_in_transaction_session_timeout = '100ms'".encode())
    reader = log_in("report_20")
    with pytest.raises(psycopg.errors.QueryCanceled):
        reader.execute("SELECT pg_sleep(60)")
    reader.execute("BEGIN")
    until(lambda: told_something(reader), "the idle transaction is ended")
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
        reader.execute("SELECT 1")


@ONLY_POSTGRESQL
def test_who_lifts_the_timeouts_is_ended_by_the_hub(hub: Connection, log_in: LogIn) -> None:
    sleeper, idler, quick = log_in("report_20"), log_in("report_all"), log_in("report_22")
    for reader in (sleeper, idler):
        for name in ("statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"):
            reader.execute(f"SET {name} = 0".encode())
    idler.execute("BEGIN")
    idler.execute("SELECT count(*) FROM play")
    ended: list[BaseException] = []

    def sleep() -> None:
        try:
            sleeper.execute("SELECT pg_sleep(600)")
        except psycopg.Error as error:
            ended.append(error)

    thread = threading.Thread(target=sleep, daemon=True)
    thread.start()
    assert roles.end_overlong(hub, 3600) == []
    found: set[str] = set()

    def both() -> bool:
        found.update(roles.end_overlong(hub, 0))
        return found == {"report_20", "report_all"}

    until(both, "both are ended")
    thread.join()
    assert [type(error) for error in ended] == [psycopg.errors.AdminShutdown]
    until(lambda: told_something(idler), "the end is heard of")
    with pytest.raises(psycopg.errors.AdminShutdown):
        idler.execute("SELECT 1")
    assert quick.execute("SELECT 1").fetchone() == (1,)


@ONLY_POSTGRESQL
def test_a_reader_who_holds_on_does_not_stop_the_chores(
    hub: Connection, log_in: LogIn, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the end of a chunk waits for those who read it, while the ingest waits for it."""
    monkeypatch.setattr("hub.chores.service.LOCK_S", 0.2)
    monkeypatch.setattr("hub.chores.service.CONNECT_EVERY_S", 0.1)
    assert CHORES[0].name == "readers"
    reader = log_in("report_20")
    for name in ("statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"):
        reader.execute(f"SET {name} = 0".encode())
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM play")
    tried, dropped = threading.Event(), threading.Event()

    def end_readers(connection: Connection, _settings: HubSettings, _now: datetime) -> bool:
        if tried.is_set():
            roles.end_overlong(connection, 0)
        return False

    def drop(connection: Connection, _settings: HubSettings, _now: datetime) -> bool:
        tried.set()
        with connection.transaction():
            connection.execute("LOCK TABLE play IN ACCESS EXCLUSIVE MODE")
        dropped.set()
        return False

    every = timedelta(0)
    settings = HubSettings(database=DatabaseSettings(dsn=SecretStr(database)))
    service = ChoreService(settings, HubMetrics(), (Chore("readers", every, end_readers), Chore("drop", every, drop)))
    service.start()
    try:
        assert dropped.wait(60)
    finally:
        service.stop()
    assert service.failure() is None
    with pytest.raises(psycopg.errors.AdminShutdown):
        reader.execute("SELECT 1")


def told_something(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has said something unasked, such as that it is over."""
    return bool(select.select([connection.fileno()], [], [], 0)[0])
