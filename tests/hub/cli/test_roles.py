"""`ttdn-hub roles` as an operator sees it, by a hub that is a superuser and by one that is not."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from contract.events import KINDS, Kind
from hub.store import chores, roles
from hub.store.connection import connect
from hub.store.maintain import maintain
from hub.store.migrate import migrate
from tests.hub.command import hub
from tests.hub.registry.making import put_site
from tests.hub.report.border import NOW, fill

OWNER = "ttdn_owner"
LOGINS = {"report_all", "report_20", "report_22"}


def logins(connection: psycopg.Connection) -> set[str]:
    rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'report@_%' ESCAPE '@'")
    return {row[0] for row in rows}


def as_role(database: str, role: str, password: str) -> str:
    parts = urlsplit(database)
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{parts.hostname}:{parts.port}"))


def passwords(file: Path) -> dict[str, str]:
    return dict(line.split(":")[3:] for line in file.read_text().splitlines())


@pytest.fixture(autouse=True)
def no_login_is_left(database: str) -> Iterator[None]:
    """They are of the whole server."""
    yield
    with connect(database, "test", autocommit=True) as connection:
        for role in logins(connection):
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


@pytest.fixture
def provinces(connection: psycopg.Connection) -> None:
    put_site(connection, "S-1", "20")
    put_site(connection, "S-2", "22")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "passwords"


def test_apply_list_apply_again_and_drop(
    provinces: None, database: str, connection: psycopg.Connection, file: Path
) -> None:
    done = hub("roles", "list", database=database)
    assert done.returncode == 1
    assert "missing: report_20" in done.stderr
    done = hub("roles", "apply", "--password-file", str(file), database=database)
    assert (done.returncode, done.stdout) == (0, "")
    assert "3 tài khoản đọc" in done.stderr
    assert logins(connection) == LOGINS
    assert file.stat().st_mode & 0o777 == 0o600
    first = passwords(file)
    assert first.keys() == LOGINS
    assert not any(password in done.stderr for password in first.values())
    for role, password in first.items():
        with psycopg.connect(as_role(database, role, password), autocommit=True) as reader:
            assert reader.execute("SELECT site FROM site ORDER BY 1").fetchall() == (
                [("S-1",), ("S-2",)] if role == "report_all" else [("S-1",)] if role == "report_20" else [("S-2",)]
            )
    listed = json.loads(hub("roles", "list", "--json", database=database).stdout)
    assert listed["ok"] is True
    assert [(one["role"], one["provinces"], one["exact"]) for one in listed["logins"]] == [
        ("report_all", None, False),
        ("report_20", ["20"], True),
        ("report_22", ["22"], True),
    ]
    put_site(connection, "S-3", "04")
    told = json.loads(hub("roles", "apply", "--json", "--password-file", str(file), database=database).stdout)
    assert (told["ok"], told["made"]) == (True, ["report_04"])
    assert {role: password for role, password in passwords(file).items() if role in first} == first
    done = hub("roles", "drop", "report_04", "report_20", "--password-file", str(file), database=database)
    assert done.returncode == 0
    assert logins(connection) == {"report_all", "report_22"}
    assert passwords(file).keys() == {"report_all", "report_22"}
    done = hub("roles", "drop", "postgres", "--password-file", str(file), database=database)
    assert (done.returncode, "no login of a reader" in done.stderr) == (2, True)
    assert connection.execute("SELECT DISTINCT deed FROM audit_entry ORDER BY 1").fetchall() == [
        ("reader_dropped",),
        ("reader_set",),
    ]


def test_passwords_can_be_chosen_but_not_shown(provinces: None, database: str, file: Path) -> None:
    name = urlsplit(database).path[1:]
    file.write_text(f"*:*:{name}:report_20:short\n")
    file.chmod(0o600)
    done = hub("roles", "apply", "--password-file", str(file), database=database)
    assert done.returncode == 2
    assert "short" not in done.stderr.replace("too short", "")
    file.write_text(f"*:*:{name}:report_20:long-enough-for-us\n")
    assert hub("roles", "apply", "--password-file", str(file), database=database).returncode == 0
    with psycopg.connect(as_role(database, "report_20", "long-enough-for-us")) as reader:
        assert reader.execute("SELECT report.my_provinces()").fetchone() == (["20"],)
    done = hub("roles", "apply", "--password-file", str(file.parent / "no" / "file"), database=database)
    assert (done.returncode, "--password-file" in done.stderr) == (2, True)


def test_what_a_login_changes_of_itself_is_put_back(
    provinces: None, database: str, connection: psycopg.Connection, file: Path
) -> None:
    """PostgreSQL lets every login do that."""
    apply = ("roles", "apply", "--password-file", str(file))
    assert hub(*apply, database=database).returncode == 0
    dsn = as_role(database, "report_20", passwords(file)["report_20"])
    with psycopg.connect(dsn, autocommit=True) as reader:
        reader.execute("SET default_transaction_read_only = off")
        name = reader.info.dbname
        reader.execute("ALTER ROLE CURRENT_USER SET work_mem = '1GB'")
        reader.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET search_path = hub".encode())
        reader.execute("ALTER ROLE CURRENT_USER PASSWORD 'known to me'")
        for denied in ("SET temp_file_limit = -1", "RESET temp_file_limit", "RESET ALL"):
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
                reader.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {name} {denied}".encode())
    done = hub("roles", "list", database=database)
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        ["has changed its own settings: report_20; run: ttdn-hub roles apply"],
    )
    assert hub(*apply, database=database).returncode == 0
    assert hub("roles", "list", database=database).returncode == 0
    with psycopg.connect(dsn) as reader:
        assert reader.execute("SHOW search_path").fetchone() == ("report, pg_temp",)
        assert reader.execute("SHOW temp_file_limit").fetchone() == ("1GB",)


@pytest.mark.parametrize(
    ("opened", "shut"),
    [
        ("GRANT SELECT ON hub.play TO report_20", "DROP OWNED BY report_20"),
        ("GRANT USAGE ON SCHEMA hub TO report_20", "DROP OWNED BY report_20"),
        ("GRANT SELECT ON hub.play TO PUBLIC", "REVOKE ALL ON hub.play FROM PUBLIC"),
        ("GRANT SELECT (placement) ON hub.visit TO PUBLIC", "REVOKE ALL ON hub.visit FROM PUBLIC"),
        ("GRANT USAGE ON SCHEMA hub TO PUBLIC", "REVOKE ALL ON SCHEMA hub FROM PUBLIC"),
        ("GRANT pg_read_all_data TO report_20", "REVOKE pg_read_all_data FROM report_20"),
        ("ALTER ROLE report_all SUPERUSER", "ALTER ROLE report_all NOSUPERUSER"),
        ("ALTER ROLE report_20 BYPASSRLS", "ALTER ROLE report_20 NOSUPERUSER"),
        (
            "GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO PUBLIC",
            "REVOKE EXECUTE ON ROUTINE pg_advisory_lock(bigi",
        ),
        ("GRANT SELECT ON pg_class TO PUBLIC", "REVOKE SELECT ON pg_catalog.pg_class FROM PUBLIC"),
        ("GRANT SELECT ON report.visit TO report_all", None),
        ("REVOKE SELECT ON report.play FROM report_20", None),
        ("CREATE SCHEMA more; GRANT USAGE ON SCHEMA more TO PUBLIC", "REVOKE ALL ON SCHEMA more FROM PUBLIC"),
    ],
)
def test_what_somebody_opens_is_seen_and_shut(
    provinces: None, database: str, connection: psycopg.Connection, file: Path, opened: str, shut: str | None
) -> None:
    def may() -> list[bool]:
        rows = connection.execute(
            "SELECT has_table_privilege('report_all', 'report.visit', 'SELECT'),"
            " has_table_privilege('report_20', 'report.play', 'SELECT')"
        )
        return list(rows.fetchall()[0])

    assert hub("roles", "apply", "--password-file", str(file), database=database).returncode == 0
    connection.execute(opened.encode())
    if shut is not None:
        done = hub("roles", "list", database=database)
        assert done.returncode == 1
        assert f"open: {shut}" in done.stderr
    assert hub("roles", "apply", "--password-file", str(file), database=database).returncode == 0
    assert hub("roles", "list", database=database).returncode == 0
    assert may() == [False, True]


def test_views_that_a_migration_adds_are_granted_by_it(
    provinces: None, database: str, connection: psycopg.Connection, file: Path
) -> None:
    assert hub("roles", "apply", "--password-file", str(file), database=database).returncode == 0
    connection.execute("CREATE VIEW report.more WITH (security_barrier) AS SELECT report.my_provinces() AS p")
    connection.execute("CREATE VIEW report.few WITH (security_barrier) AS SELECT report.my_visitors() AS p")
    migrate(database)
    rows = connection.execute(
        "SELECT rolname, has_table_privilege(oid, 'report.more', 'SELECT'),"
        " has_table_privilege(oid, 'report.few', 'SELECT') FROM pg_roles WHERE rolname = ANY (%s) ORDER BY 1",
        (sorted(LOGINS),),
    ).fetchall()
    assert rows == [("report_20", True, True), ("report_22", True, True), ("report_all", True, False)]


def test_a_login_with_belongings_elsewhere_is_not_dropped(
    provinces: None, database: str, connection: psycopg.Connection, file: Path, empty_database: str
) -> None:
    assert hub("roles", "apply", "--password-file", str(file), database=database).returncode == 0
    with psycopg.connect(empty_database, autocommit=True) as elsewhere:
        elsewhere.execute("CREATE TABLE x (); GRANT SELECT ON x TO report_20")
        done = hub("roles", "drop", "report_20", "--password-file", str(file), database=database)
        assert done.returncode == 4
        assert re.search(r"in database test_\d+; run there: DROP OWNED BY report_20", done.stderr)
        elsewhere.execute("DROP OWNED BY report_20")
    assert hub("roles", "drop", "report_20", "--password-file", str(file), database=database).returncode == 0


class TestByAHubThatIsNoSuperuser:
    """A role with CREATEROLE that owns its database, as an administrator gives it to the hub."""

    @pytest.fixture
    def owned(self, empty_database: str) -> Iterator[str]:
        with psycopg.connect(empty_database, autocommit=True) as connection:
            name = connection.info.dbname
            connection.execute(
                f"CREATE ROLE {OWNER} LOGIN PASSWORD 'x'; ALTER DATABASE {name} OWNER TO {OWNER}".encode()
            )
            dsn = as_role(empty_database, OWNER, "x")
            migrate(dsn)
            yield dsn
            connection.execute(f"ALTER DATABASE {name} OWNER TO {connection.info.user}".encode())
            for role in [*sorted(logins(connection)), OWNER]:
                connection.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}".encode())

    def test_it_says_what_an_administrator_has_to_run(self, owned: str, empty_database: str, file: Path) -> None:
        with connect(owned, "test", autocommit=True) as connection:
            fill(connection)
        apply = ("roles", "apply", "--password-file", str(file))
        with psycopg.connect(empty_database, autocommit=True) as administrator:
            done = hub(*apply, database=owned)
            assert (done.returncode, done.stdout) == (1, f"BEGIN;\nALTER ROLE {OWNER} CREATEROLE;\nCOMMIT;\n")
            assert not file.exists()
            administrator.execute(done.stdout.encode())
            done = hub(*apply, database=owned)
            assert done.returncode == 1
            assert "has to run the following" in done.stderr
            assert "REVOKE EXECUTE ON ROUTINE" in done.stdout
            assert not any(password in done.stdout + done.stderr for password in passwords(file).values())
            administrator.execute(done.stdout.encode())
        assert hub(*apply, database=owned).returncode == 0
        assert hub("roles", "list", database=owned).returncode == 0
        self._hub_works(owned)
        self._readers_read(owned, file)
        assert hub("roles", "drop", "report_20", "--password-file", str(file), database=owned).returncode == 0

    def _hub_works(self, owned: str) -> None:
        """What everybody could do is not taken from the hub."""
        kept: dict[Kind, int] = dict.fromkeys(KINDS, 800)
        with connect(owned, "test", autocommit=True) as connection:
            assert chores.alone(connection)
            maintain(connection, kept, 60, NOW, lambda _text: None)
            connection.execute("CREATE TEMP TABLE x (); SELECT reltuples, pg_relation_size(oid) FROM pg_class")
            assert migrate(owned) == []

    def _readers_read(self, owned: str, file: Path) -> None:
        with (
            psycopg.connect(as_role(owned, "report_20", passwords(file)["report_20"]), autocommit=True) as reader,
            connect(owned, "test", autocommit=True) as connection,
        ):
            assert reader.execute("SELECT DISTINCT content_ref FROM play").fetchall() == [("p20.mp4",)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute("SELECT pg_advisory_lock(1)")
            reader.execute("BEGIN")
            assert roles.end_overlong(connection, 0) == ["report_20"]
            with pytest.raises(psycopg.errors.AdminShutdown):
                reader.execute("SELECT 1")

    def test_a_login_that_an_administrator_has_made_is_his_to_drop(
        self, owned: str, empty_database: str, file: Path
    ) -> None:
        with connect(owned, "test", autocommit=True) as connection:
            put_site(connection, "S-1", "20")
        apply = ("roles", "apply", "--password-file", str(file))
        assert hub(*apply, database=empty_database).returncode == 0
        done = hub("roles", "drop", "report_20", "--password-file", str(file), database=owned)
        assert (done.returncode, "report_20" in passwords(file)) == (4, True)
        with psycopg.connect(empty_database, autocommit=True) as administrator:
            administrator.execute(done.stderr[done.stderr.index("DROP OWNED") :].encode())
        assert "missing: report_20" in hub("roles", "list", database=owned).stderr

    def test_a_login_of_somebody_else_is_not_taken_over(self, owned: str, empty_database: str, file: Path) -> None:
        with connect(owned, "test", autocommit=True) as connection:
            put_site(connection, "S-1", "20")
        with psycopg.connect(empty_database, autocommit=True) as administrator:
            administrator.execute(f"CREATE ROLE report_20 LOGIN; ALTER ROLE {OWNER} CREATEROLE".encode())
            done = hub("roles", "apply", "--password-file", str(file), database=owned)
            wanted = f"BEGIN;\nGRANT report_20 TO {OWNER} WITH ADMIN OPTION;\nCOMMIT;\n"
            assert (done.returncode, done.stdout) == (1, wanted)
