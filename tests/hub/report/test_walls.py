"""As each login: tables, chunks, sequences, functions and whatever there is besides the schema `report` are denied."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from tests.fix_timescale import Engine
from tests.hub.report.conftest import Connection, LogIn

ROLES = ("report_20", "report_all")
OUTSIDE = "nspname NOT IN ('report', 'pg_catalog', 'information_schema') AND nspname !~ '^pg_temp'"
NO_SCHEMA = "permission denied for schema"


SHUT = (
    "SELECT pg_advisory_lock(hashtext('ttdn-hub chores'))",
    "SELECT pg_try_advisory_lock(hashtext('ttdn-hub maintain'))",
    "SELECT pg_try_advisory_xact_lock_shared(1953784942)",
    "SELECT * FROM pg_locks",
    "SELECT pg_relation_size(oid) FROM pg_class WHERE relname = 'visit'",
    "SELECT pg_total_relation_size('report.play'::regclass)",
    "SELECT pg_database_size(current_database())",
    "SELECT reltuples FROM pg_class WHERE relname = 'visit'",
    "SELECT relpages FROM pg_class WHERE relname = 'visit'",
    "SELECT c FROM pg_class c WHERE relname = 'visit'",
    "SELECT pg_stat_get_live_tuples(oid) FROM pg_class WHERE relname = 'visit'",
    "SELECT n_live_tup FROM pg_stat_user_tables",
    "SELECT * FROM pg_stat_activity",
    "SELECT tup_inserted FROM pg_stat_database",
    "SELECT * FROM pg_stat_progress_copy",
    "SELECT * FROM pg_statistic",
    "SELECT * FROM pg_statistic_ext_data",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_terminate_backend(1)",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_get(1)",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_logical_emit_message(false, 'x', 'y')",
    "COPY (SELECT 1) TO '/tmp/stolen'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "CREATE TEMP TABLE x (y integer)",
    "CREATE FUNCTION pg_temp.x() RETURNS integer LANGUAGE sql RETURN 1",
    "CREATE TABLE report.x (y integer)",
    "CREATE FUNCTION report.x() RETURNS integer LANGUAGE sql RETURN 1",
    "CREATE OPERATOR report.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
    "CREATE TABLE public.x (y integer)",
    "CREATE SCHEMA mine",
    "CREATE EXTENSION dblink",
    "CREATE ROLE x",
    "ALTER VIEW report.play RESET (security_barrier)",
    "ALTER FUNCTION report.my_placements() SECURITY INVOKER",
    "INSERT INTO report.visitors_published (site) VALUES ('x')",
    "UPDATE report.visitors_published SET sessions = 5",
    "DELETE FROM report.visitors_published",
    "SELECT * FROM report.visitors_published FOR UPDATE",
    "SELECT * FROM report.play FOR SHARE",
    "LOCK TABLE report.play IN SHARE MODE",
    "LOCK TABLE report.play IN ACCESS EXCLUSIVE MODE",
    "UPDATE hub.reader SET provinces = NULL",
    "SET temp_file_limit = -1",
    "SET session_replication_role = replica",
)
"""Statements."""
NO_PRIVILEGE: dict[str, type[psycopg.Error] | tuple[type[psycopg.Error], ...]] = {
    "SELECT lo_get(1)": psycopg.errors.UndefinedObject,
    "CREATE EXTENSION dblink": (InsufficientPrivilege, psycopg.errors.FeatureNotSupported),
    "SELECT * FROM report.play FOR SHARE": (InsufficientPrivilege, psycopg.errors.FeatureNotSupported),
}
"""Those that fail for another reason."""


def refused(connection: Connection, statement: str, error: type[psycopg.Error] = InsufficientPrivilege) -> str:
    with pytest.raises(error) as caught:
        connection.execute(statement.encode())
    return str(caught.value)


@pytest.mark.parametrize("role", ROLES)
def test_no_relation_outside_can_be_read(hub: Connection, log_in: LogIn, role: str, engine: Engine) -> None:
    reader = log_in(role)
    relations = hub.execute(
        "SELECT quote_ident(nspname) || '.' || quote_ident(relname), c.oid, relkind = 'S' FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = relnamespace"
        f" WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 't') AND {OUTSIDE}"
    ).fetchall()
    names = {name for name, _, _ in relations}
    assert {"hub.play", "hub.visit", "hub.reader", "hub.person", "hub.device_id_seq"} <= names
    assert any(name.startswith("_timescaledb_internal._hyper_") for name in names) == (engine == "timescaledb")
    for name, oid, is_sequence in relations:
        told = refused(reader, f"SELECT * FROM {name}")
        assert "permission denied" in told, name
        assert refused(reader, f"COPY {name} TO STDOUT") or is_sequence
        ((may,),) = hub.execute("SELECT has_any_column_privilege(%s, %s::oid, 'SELECT')", (role, oid)).fetchall()
        assert not may or NO_SCHEMA in told, name


def test_no_function_outside_can_be_called(hub: Connection, log_in: LogIn) -> None:
    reader = log_in("report_20")
    names = hub.execute(
        "SELECT DISTINCT quote_ident(nspname) || '.' || quote_ident(proname) FROM pg_proc p JOIN pg_namespace n"
        f" ON n.oid = pronamespace WHERE {OUTSIDE} AND nspname !~ '^_timescaledb_(functions|internal)'"
    ).fetchall()
    assert ("hub.grade",) in names
    for (name,) in names:
        assert NO_SCHEMA in refused(reader, f"SELECT {name}()"), name
    # What PostgreSQL lets everybody call is enough to count foreign rows, to stop the hub, or to fill its disk.
    open_to_all = hub.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc p"
        " WHERE has_function_privilege('report_20', p.oid, 'EXECUTE') AND p.prorettype <> 'trigger'::regtype"
        " AND (proname ~ 'advisory|_size$|^pg_stat_get|^lo_(creat|from)|row_count|hypertable|chunk|_job$')"
        " AND has_schema_privilege('report_20', pronamespace, 'USAGE') AND proname !~ '^pg_column_'"
    ).fetchall()
    assert open_to_all == []


@pytest.mark.parametrize("role", ROLES)
def test_what_is_open_to_everybody_else_is_shut(log_in: LogIn, role: str) -> None:
    reader = log_in(role)
    reader.execute("SET default_transaction_read_only = off")
    for statement in SHUT:
        error = NO_PRIVILEGE.get(statement, InsufficientPrivilege)
        with pytest.raises(error), reader.transaction():
            pytest.fail(f"{statement}: {reader.execute(statement.encode()).statusmessage}")


def test_no_extension_reaches_out(hub: Connection) -> None:
    there = {row[0] for row in hub.execute("SELECT extname FROM pg_extension")}
    assert there <= {"plpgsql", "timescaledb"}


def test_statistics_show_no_foreign_value(hub: Connection, log_in: LogIn) -> None:
    hub.execute("ANALYZE")
    for role in ROLES:
        reader = log_in(role)
        rows = reader.execute("SELECT schemaname, tablename FROM pg_stats WHERE schemaname !~ 'pg_catalog|information'")
        assert rows.fetchall() == []
        rows = reader.execute("SELECT attname FROM pg_stats WHERE tablename = 'pg_class' AND attname LIKE 'rel%'")
        assert not {"reltuples", "relpages", "relallvisible"} & {row[0] for row in rows}
        assert reader.execute("SELECT * FROM pg_stats_ext").fetchall() == []
        known = reader.execute("SELECT last_value FROM pg_sequences").fetchall()
        assert known
        assert all(value is None for (value,) in known)


def test_readers_have_nothing_but_their_views(hub: Connection) -> None:
    rows = hub.execute(
        "SELECT table_schema, privilege_type, is_grantable FROM information_schema.role_table_grants"
        " WHERE grantee LIKE 'report@_%' ESCAPE '@' GROUP BY 1, 2, 3"
    ).fetchall()
    assert rows == [("report", "SELECT", "NO")]
    rows = hub.execute(
        "SELECT DISTINCT rolsuper, rolinherit, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolconnlimit"
        " FROM pg_roles WHERE rolname LIKE 'report@_%' ESCAPE '@'"
    ).fetchall()
    assert rows == [(False, True, False, False, False, False, 20)]
