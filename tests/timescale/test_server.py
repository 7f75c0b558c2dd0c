"""The TimescaleDB of the tests does what PostgreSQL's clients expect of a server, and what TimescaleDB promises."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors

from simulator import processes
from simulator.errors import ServerError
from tests.patience import until
from tests.timescale.server import Timescale

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = """
CREATE TABLE seen (time timestamptz NOT NULL, device integer NOT NULL, seq bigint NOT NULL, note text);
SELECT create_hypertable('seen', by_range('time', INTERVAL '1 day'))
"""


@contextmanager
def open_at(dsn: str, **options: Any) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn, autocommit=True, **options) as opened:
        yield opened


@pytest.fixture
def dsn(timescale: Timescale, empty_timescale_database: str) -> str:
    with open_at(empty_timescale_database) as owner:
        owner.execute(TABLE)
    return empty_timescale_database


@pytest.fixture
def one(dsn: str) -> Iterator[psycopg.Connection]:
    with open_at(dsn) as opened:
        yield opened


@pytest.fixture
def two(dsn: str) -> Iterator[psycopg.Connection]:
    with open_at(dsn) as opened:
        yield opened


def value(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return None if row is None else row[0]


def copy_days(connection: psycopg.Connection, days: int, rows_a_day: int = 24) -> None:
    """Rows evenly over so many days, by binary COPY."""
    step = timedelta(days=1) / rows_a_day
    with connection.cursor().copy("COPY seen (time, device, seq) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["timestamptz", "int4", "int8"])
        for number in range(days * rows_a_day):
            copy.write_row((FIRST + number * step, number % 3, number))


def copy_rows(connection: psycopg.Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    with connection.cursor().copy(statement.encode()) as copy:
        for row in rows:
            copy.write_row(row)


def pipeline(connection: psycopg.Connection, *queries: str) -> list[Any]:
    """The first value of each."""
    with connection.pipeline():
        cursors = [connection.execute(query.encode()) for query in queries]
    return [row[0] for cursor in cursors for row in cursor]


# -- TimescaleDB -------------------------------------------------------------------------------------------------------


def test_binary_copy_into_a_hypertable(one: psycopg.Connection) -> None:
    copy_days(one, 5)
    assert value(one, "SELECT count(*) FROM show_chunks('seen')") == 5
    found = one.execute("SELECT count(*), min(time), sum(seq) FROM seen").fetchone()
    assert found == (120, FIRST, sum(range(120)))


def test_a_large_copy(one: psycopg.Connection) -> None:
    copy_days(one, 2, rows_a_day=50_000)
    assert value(one, "SELECT count(DISTINCT seq) FROM seen") == 100_000


@pytest.mark.parametrize("policy", ["add_compression_policy", "add_columnstore_policy"])
def test_the_job_of_a_policy_compresses_and_no_row_changes(one: psycopg.Connection, policy: str) -> None:
    copy_days(one, 4)
    before = one.execute("SELECT * FROM seen ORDER BY seq").fetchall()
    one.execute(
        "ALTER TABLE seen SET (timescaledb.compress, timescaledb.compress_segmentby = 'device',"
        " timescaledb.compress_orderby = 'seq')"
    )
    verb = "CALL" if policy == "add_columnstore_policy" else "SELECT"
    one.execute(f"{verb} {policy}('seen', INTERVAL '1 day')".encode())
    job = value(one, "SELECT job_id FROM timescaledb_information.jobs WHERE hypertable_name = 'seen'")
    one.execute(f"CALL run_job({job})".encode())
    chunks = one.execute("SELECT is_compressed FROM timescaledb_information.chunks WHERE hypertable_name = 'seen'")
    assert chunks.fetchall() == [(True,)] * 4
    assert one.execute("SELECT * FROM seen ORDER BY seq").fetchall() == before
    one.execute("INSERT INTO seen VALUES (%s, 1, 1000, 'late')", (FIRST,))
    assert value(one, "SELECT count(*) FROM seen WHERE time = '2026-01-01 00:00 UTC'") == 2


def test_drop_chunks(one: psycopg.Connection) -> None:
    copy_days(one, 5)
    dropped = one.execute("SELECT drop_chunks('seen', older_than => %s::timestamptz)", (FIRST + timedelta(days=2),))
    assert len(dropped.fetchall()) == 2
    assert value(one, "SELECT min(seq) FROM seen") == 48


def test_a_continuous_aggregate_with_local_days(one: psycopg.Connection) -> None:
    copy_days(one, 2)
    one.execute(
        "CREATE MATERIALIZED VIEW by_day WITH (timescaledb.continuous) AS"
        " SELECT time_bucket('1 day', time, 'Asia/Ho_Chi_Minh') AS day, count(*) AS rows FROM seen GROUP BY 1"
        " WITH NO DATA"
    )
    one.execute("CALL refresh_continuous_aggregate('by_day', NULL, NULL)")
    assert [row[0] for row in one.execute("SELECT rows FROM by_day ORDER BY day")] == [17, 24, 7]


# -- what a server is expected to do -----------------------------------------------------------------------------------


def test_roles(timescale: Timescale, one: psycopg.Connection) -> None:
    one.execute("CREATE VIEW report AS TABLE seen; CREATE ROLE province LOGIN; GRANT SELECT ON report TO province")
    copy_days(one, 1)
    with open_at(timescale.dsn_for("province")) as reader:
        assert value(reader, "SELECT session_user::text || current_user") == "provinceprovince"
        assert value(reader, "SELECT count(*) FROM report") == 24
        assert value(one, "SELECT current_user::text") == "postgres"
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute("SELECT FROM seen")
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute("SET ROLE postgres")


def test_one_who_owns_nothing_copies(timescale: Timescale, one: psycopg.Connection) -> None:
    one.execute("CREATE ROLE ingest LOGIN; GRANT SELECT, INSERT ON seen TO ingest")
    with open_at(timescale.dsn_for("ingest")) as writer:
        copy_days(writer, 1)
        assert value(writer, "SELECT count(*) FROM seen") == 24


def test_set_role_is_a_connection_s_own(one: psycopg.Connection, two: psycopg.Connection) -> None:
    one.execute("CREATE ROLE reader; SET ROLE reader")
    assert value(two, "SELECT current_user::text") == "postgres"
    assert value(one, "SELECT current_user::text") == "reader"


def test_a_stranger_and_another_database_are_refused(timescale: Timescale, dsn: str) -> None:
    with open_at(timescale.dsn_for("stranger")) as opened:
        with pytest.raises(errors.InvalidParameterValue, match='role "stranger" does not exist'):
            opened.execute("SELECT 1")
        assert opened.broken
    with pytest.raises(psycopg.OperationalError, match='"other" does not exist: there is only "template1"'):
        psycopg.connect(dsn, dbname="other")


def test_settings_of_a_connection_are_its_own(dsn: str) -> None:
    options = "-c search_path=pg_catalog,public -c timezone=Asia/Tokyo -c work_mem=7MB"
    with open_at(dsn, options=options, application_name="ttdn-hub o'ne\\") as one, open_at(dsn) as two:
        assert one.info.timezone.utcoffset(FIRST) == timedelta(hours=9)
        for _ in range(2):
            assert value(one, "SHOW search_path") == "pg_catalog,public"
            assert value(one, "SHOW timezone") == "Asia/Tokyo"
            assert value(one, "SHOW application_name") == "ttdn-hub o'ne\\"
            assert value(one, "SHOW work_mem") == "7MB"
            assert value(two, "SHOW search_path") == '"$user", public'
            assert value(two, "SHOW timezone") == "UTC"
            assert value(two, "SHOW application_name") == ""
            assert value(two, "SHOW work_mem") == "4MB"
        one.execute("SET timezone = 'Europe/Rome'")
        assert value(two, "SHOW timezone") == "UTC"
        assert value(one, "SHOW timezone") == "Europe/Rome"


def test_nothing_of_a_connection_that_went_is_left(dsn: str) -> None:
    with open_at(dsn) as went:
        went.execute("SET timezone = 'Asia/Tokyo'; SET ROLE pg_monitor; CREATE TEMPORARY TABLE mine (i int)")
        went.execute("SELECT pg_advisory_lock(1)")
        went.execute("SELECT 1", prepare=True)
    with open_at(dsn) as next_one:
        assert value(next_one, "SHOW timezone") == "UTC"
        assert value(next_one, "SELECT current_user::text") == "postgres"
        assert value(next_one, "SELECT to_regclass('mine')") is None
        assert value(next_one, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
        assert value(next_one, "SELECT count(*) FROM pg_prepared_statements") == 0


def test_a_setting_that_cannot_be_is_refused(dsn: str) -> None:
    with open_at(dsn, options="-c no_such_setting=1") as opened:
        with pytest.raises(errors.UndefinedObject, match="no_such_setting"):
            opened.execute("SELECT 1")
        assert opened.broken


def test_prepared_statements_of_one_name(one: psycopg.Connection, two: psycopg.Connection) -> None:
    for number in range(3):
        assert one.execute("SELECT %s::int", (number,), prepare=True).fetchone() == (number,)
        assert two.execute("SELECT 'x' || %s", (number,), prepare=True).fetchone() == (f"x{number}",)
    one.execute("CREATE TABLE other (i int)")
    one.execute("DROP TABLE other")  # psycopg then forgets what it has prepared: DEALLOCATE ALL
    for number in range(3):
        assert one.execute("SELECT %s::int", (number,), prepare=True).fetchone() == (number,)
        assert two.execute("SELECT 'x' || %s", (number,), prepare=True).fetchone() == (f"x{number}",)


def test_pipelines(one: psycopg.Connection) -> None:
    assert pipeline(one, "SELECT 1", "SELECT 2", "SELECT 3") == [1, 2, 3]
    insert = "INSERT INTO seen VALUES (now(), 1, 1) RETURNING seq"
    with pytest.raises(errors.DivisionByZero):
        pipeline(one, insert, "SELECT 1 / 0", insert)
    assert value(one, "SELECT count(*) FROM seen") == 0


def test_a_copy_that_fails_or_is_given_up_leaves_nothing(one: psycopg.Connection) -> None:
    one.execute("ALTER TABLE seen ADD CHECK (device < 3)")
    with pytest.raises(errors.CheckViolation):
        copy_rows(one, "COPY seen FROM STDIN", [(FIRST, 1, 1, "a"), (FIRST, 3, 2, "b")])
    with pytest.raises(ZeroDivisionError):
        copy_rows(one, "-- why\nCOPY seen FROM STDIN", ((FIRST, 1, 1 // (1 - number), "a") for number in range(2)))
    with pytest.raises(errors.UndefinedTable):
        copy_rows(one, "COPY nowhere FROM STDIN", [(1,)])
    assert value(one, "SELECT count(*) FROM seen") == 0


def test_copy_to_a_client(one: psycopg.Connection) -> None:
    copy_days(one, 1)
    with one.cursor().copy("COPY (SELECT seq FROM seen ORDER BY seq LIMIT 3) TO STDOUT") as copy:
        assert list(copy.rows()) == [("0",), ("1",), ("2",)]


# -- one backend, many connections -------------------------------------------------------------------------------------


def test_transactions_go_one_after_the_other(dsn: str, one: psycopg.Connection) -> None:
    one.execute("CREATE TABLE counter AS SELECT 0 AS n")

    def count_up() -> None:
        with psycopg.connect(dsn) as connection:
            for _ in range(20):
                number = value(connection, "SELECT n FROM counter")
                connection.execute("UPDATE counter SET n = %s", (number + 1,))
                connection.commit()

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(one, "SELECT n FROM counter") == 80


def test_a_connection_waits_for_a_transaction_that_ends(one: psycopg.Connection, two: psycopg.Connection) -> None:
    found: list[Any] = []
    with one.transaction():
        copy_days(one, 1)
        waiter = threading.Thread(target=lambda: found.append(value(two, "SELECT count(*) FROM seen")))
        waiter.start()
        value(one, "SELECT 1")
        assert not found
    waiter.join()
    assert found == [24]


def test_who_waits_for_an_idle_transaction_is_told_of_it(tmp_path: Path) -> None:
    with Timescale(tmp_path / "timescale", patience_s=0.2) as server:
        dsn = server.dsn
        with open_at(dsn, application_name="ttdn-hub writer") as holder, open_at(dsn) as waiter:
            with holder.transaction():
                holder.execute("CREATE TABLE held ()")
                told = r"one backend.*ttdn-hub writer, whose last statement is .CREATE TABLE held \(\)., keeps it"
                with pytest.raises(errors.LockNotAvailable, match=told) as caught:
                    waiter.execute("SELECT 1")
                assert "End that transaction first" in (caught.value.diag.message_hint or "")
                with pytest.raises(errors.LockNotAvailable):
                    pipeline(waiter, "SELECT 1", "SELECT 2")
            assert value(waiter, "SELECT to_regclass('held')::text") == "held"


def test_a_client_killed_in_its_transaction_does_not_block_others(dsn: str, one: psycopg.Connection) -> None:
    script = (
        "import sys, time, psycopg; connection = psycopg.connect(sys.argv[1])\n"
        "connection.execute('INSERT INTO seen VALUES (now(), 1, 1)'); print('in it', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, dsn], stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"in it\n"
        client.kill()
    assert value(one, "SELECT count(*) FROM seen") == 0


# -- the server as a whole ---------------------------------------------------------------------------------------------


def test_reset_brings_back_everything(timescale: Timescale, dsn: str) -> None:
    timescale.keep("mine")
    with open_at(dsn) as one:
        copy_days(one, 3)
        one.execute("CREATE ROLE left_over; CREATE TABLE left_over (i int GENERATED ALWAYS AS IDENTITY)")
        one.execute("SELECT add_retention_policy('seen', INTERVAL '1 year')")
        one.execute("CHECKPOINT")
        one.execute("DROP EXTENSION timescaledb CASCADE")
        one.execute("BEGIN")
        timescale.reset("mine")
        with pytest.raises(psycopg.OperationalError):
            one.execute("SELECT 1")
    with open_at(dsn) as one:
        assert value(one, "SELECT to_regclass('left_over')") is None
        assert value(one, "SELECT count(*) FROM pg_roles WHERE rolname = 'left_over'") == 0
        assert value(one, "SELECT count(*) FROM timescaledb_information.jobs WHERE hypertable_name = 'seen'") == 0
        assert value(one, "SELECT count(*) FROM seen") == 0
        copy_days(one, 3)
        assert value(one, "SELECT count(*) FROM seen") == 72


def test_reset_after_the_memory_has_grown(timescale: Timescale, dsn: str) -> None:
    timescale.keep("mine")
    for _ in range(2):
        with open_at(dsn) as one:
            assert value(one, "SELECT length(repeat('x', 40000000) || 'y')") == 40_000_001
            copy_days(one, 3, rows_a_day=1_000)
            one.execute("CREATE INDEX ON seen (seq)")
            assert value(one, "SELECT count(*) FROM seen WHERE seq < 1500") == 1_500
        timescale.reset("mine")


def test_reset_to_what_was_never_kept(tmp_path: Path) -> None:
    with Timescale(tmp_path / "timescale") as server:
        with pytest.raises(ServerError, match=r"(?s)ended instead of doing: reset nothing.*cannot obey: reset nothing"):
            server.reset("nothing")
        assert not server.running
        with pytest.raises(ServerError, match=r"is not running; call start\(\) first"):
            Timescale(tmp_path / "other").keep("nothing")


def test_a_broken_backend_ends_the_server_and_says_so(tmp_path: Path) -> None:
    with Timescale(tmp_path / "timescale") as server, open_at(server.dsn) as opened:
        with pytest.raises(psycopg.Error, match="the server of TimescaleDB broke: RuntimeError"):
            opened.execute("SELECT 1; COPY (SELECT 1) TO STDOUT; CREATE TABLE t (); COPY t FROM STDIN")
        until(lambda: not server.running, "the server ended")
        assert "RuntimeError" in server.log.read_text()
        server.start()
        with open_at(server.dsn) as again:
            assert value(again, "SELECT to_regclass('t')") is None


OWNER = """
import sys, time; from pathlib import Path; import psycopg
from tests.timescale.server import Timescale
server = Timescale(Path(sys.argv[1])); server.start()
if sys.argv[2] == "busy":
    busy = psycopg.connect(server.dsn); busy.pgconn.send_query(b"SELECT pg_sleep(600)")
    while True:
        try: psycopg.connect(server.dsn, connect_timeout=2)
        except psycopg.errors.ConnectionTimeout: break
print(server.pid, flush=True); time.sleep(600)
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_the_server_ends_with_the_process_that_started_it(tmp_path: Path, state: str) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path / "timescale"), state]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert processes.is_running(pid)
        os.kill(owner.pid, signal.SIGKILL)
    until(lambda: not processes.is_running(pid), "the server ended")
