"""`ttdn-hub user` and `ttdn-hub token` as an administrator sees them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from hub.people.lockout import EVERYWHERE
from hub.people.tokens import TOKEN, presented
from hub.store import people
from hub.store.registry import import_sites
from tests.hub.command import COMMAND, environment, hub
from tests.hub.people.making import CHEAP, DEMO, PASSWORD, add_person


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return file


def log_of(connection: psycopg.Connection) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT deed, what FROM audit_entry WHERE deed NOT LIKE 'registry%' ORDER BY id"
    ).fetchall()


def test_add_list_disable_enable(database: str, connection: psycopg.Connection, password_file: Path) -> None:
    import_sites(connection, DEMO.read_bytes())
    from_file = ("--password-file", str(password_file))
    done = hub("user", "add", "Nguyen.An", "--role", "staff", "--province", "20", *from_file, database=database)
    assert (done.returncode, done.stdout) == (0, "")
    assert "added: nguyen.an, Cán bộ (staff), 20" in done.stderr
    done = hub("user", "add", "root", "--role", "administrator", "--all-provinces", *from_file, database=database)
    assert done.returncode == 0
    added = people.find_person(connection, "nguyen.an")
    assert added is not None
    assert added.password.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert hub("user", "disable", "nguyen.an", database=database).returncode == 0
    listed = hub("user", "list", database=database).stdout
    assert "disabled since" in listed
    told = json.loads(hub("user", "list", "--json", database=database).stdout)["people"]
    assert [(one["name"], one["role"], one["provinces"]) for one in told] == [
        ("nguyen.an", "staff", ["20"]),
        ("root", "administrator", None),
    ]
    assert told[0]["disabled_at"] is not None
    assert "argon2" not in json.dumps(told)
    assert hub("user", "enable", "NGUYEN.AN", database=database).returncode == 0
    assert [deed for deed, _ in log_of(connection)] == [
        "person_added",
        "person_added",
        "person_disabled",
        "person_enabled",
    ]
    by = connection.execute("SELECT DISTINCT who FROM audit_entry WHERE deed LIKE 'person%'").fetchall()
    assert len(by) == 1
    assert by[0][0].startswith("command:")


def test_another_password(database: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    add_person(connection)
    file = tmp_path / "new"
    file.write_text("một hai ba bốn năm\nsecond line\n")
    done = hub("user", "password", "nguyen.an", "--password-file", str(file), database=database)
    assert (done.returncode, "password set" in done.stderr) == (0, True)
    changed = people.find_person(connection, "nguyen.an")
    assert changed is not None
    assert CHEAP.verify(changed.password, "một hai ba bốn năm")


def test_locked_and_unlocked(database: str, connection: psycopg.Connection) -> None:
    add_person(connection)
    person = people.find_person(connection, "nguyen.an")
    for _ in range(EVERYWHERE.tries):
        people.note_failure(connection, person, datetime.now(UTC))
    assert "locked until" in hub("user", "list", database=database).stdout
    told = json.loads(hub("user", "list", "--json", database=database).stdout)["people"]
    assert told[0]["locked_until"] is not None
    assert hub("user", "unlock", "nguyen.an", database=database).returncode == 0
    assert "locked until" not in hub("user", "list", database=database).stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "Nguyễn An", "--role", "staff", "--all-provinces"), "not a login name"),
        (("add", "an", "--role", "boss", "--all-provinces"), "there are: technician, staff, administrator, ministry"),
        (("add", "an", "--role", "staff"), "--all-provinces"),
        (("add", "an", "--role", "staff", "--all-provinces", "--province", "20"), "not both"),
        (("add", "an", "--role", "staff", "--province", "Lạng Sơn"), "two digits"),
        (("add", "known", "--role", "staff", "--all-provinces"), "ttdn-hub user password known"),
        (("add", "an", "--role", "staff", "--all-provinces", "a password"), "unexpected extra argument"),
        (("add", "an", "--role", "staff", "--all-provinces"), "--password-file FILE"),
        (("password", "known"), "--password-file FILE"),
        (("password", "nobody"), "ttdn-hub user list"),
        (("disable", "nobody"), "ttdn-hub user list"),
        (("unlock", "no name"), "ttdn-hub user list"),
    ],
)
def test_what_is_refused(database: str, connection: psycopg.Connection, arguments: tuple[str, ...], told: str) -> None:
    add_person(connection, "known")
    done = hub("user", *arguments, database=database)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert len(log_of(connection)) == 1


@pytest.mark.parametrize(
    ("password", "told"), [("short", "at least 12"), ("Password2026!", "common word"), ("", "at least")]
)
def test_weak_passwords_are_refused_and_not_repeated(database: str, tmp_path: Path, password: str, told: str) -> None:
    file = tmp_path / "password"
    file.write_text(password)
    arguments = ("user", "add", "an", "--role", "staff", "--all-provinces", "--password-file", str(file))
    done = hub(*arguments, database=database)
    assert (done.returncode, told in done.stderr) == (2, True)
    assert not password or password not in done.stderr


def test_a_province_without_sites_is_pointed_out(database: str, password_file: Path) -> None:
    arguments = ("user", "add", "an", "--role", "staff", "--province", "99", "--password-file", str(password_file))
    done = hub(*arguments, database=database)
    assert (done.returncode, "no site is registered in province 99" in done.stderr) == (0, True)


def typed(database: str, *arguments: str, lines: list[str]) -> tuple[int, str]:
    """The command on a terminal where somebody answers each question; exit code, and all that the terminal showed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(database),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    shown, answers = b"", list(lines)
    killer = threading.Timer(60, process.kill)
    killer.start()
    try:
        while True:
            try:
                data = os.read(master, 4_096)
            except OSError:
                break  # the terminal is closed: the command has ended
            shown += data
            if answers and shown.endswith(b": "):  # the space comes once nothing is echoed any more
                os.write(master, f"{answers.pop(0)}\n".encode())
        return process.wait(60), shown.decode()
    finally:
        killer.cancel()
        process.kill()
        process.wait()
        os.close(master)


def test_the_terminal_asks_twice_and_shows_nothing(database: str, connection: psycopg.Connection) -> None:
    arguments = ("user", "add", "nguyen.an", "--role", "staff", "--province", "20")
    code, shown = typed(database, *arguments, lines=[PASSWORD, PASSWORD + "x"])
    assert (code, "the two entries differ" in shown) == (2, True)
    code, shown = typed(database, *arguments, lines=[PASSWORD, PASSWORD])
    assert code == 0, shown
    assert "Mật khẩu / password" in shown
    assert PASSWORD not in shown
    added = people.find_person(connection, "nguyen.an")
    assert added is not None
    assert CHEAP.verify(added.password, PASSWORD)


# -- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_is_printed_once(database: str, connection: psycopg.Connection) -> None:
    done = hub(
        "token", "create", "grafana", "--scope", "read", "--scope", "metrics", "--province", "20", "--days", "30",
        database=database,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = done.stdout.removesuffix("\n")
    assert TOKEN.fullmatch(text), "nothing but the token, so that it can go into a file"
    shown = presented(text)
    assert shown is not None
    kept = people.find_token(connection, shown.key)
    assert kept is not None
    assert (kept.name, kept.scopes, kept.provinces) == ("grafana", frozenset({"read", "metrics"}), frozenset({"20"}))
    assert kept.expires_at - kept.created_at == timedelta(days=30)
    secret = text.split("_")[2]
    again = [hub("token", "list", *more, database=database) for more in ((), ("--json",))]
    for listed in again:
        assert shown.key in listed.stdout
        assert secret not in listed.stdout + listed.stderr + done.stderr
    (told,) = json.loads(again[1].stdout)["tokens"]
    assert (told["state"], told["provinces"], told["scopes"]) == ("ok", ["20"], ["metrics", "read"])


def test_json_and_revoke(database: str, connection: psycopg.Connection) -> None:
    arguments = ("token", "create", "prometheus", "--scope", "metrics", "--all-provinces", "--json")
    made = json.loads(hub(*arguments, database=database).stdout)
    assert set(made) == {"token", "key", "name", "expires_at"}
    done = hub("token", "revoke", made["key"], database=database)
    assert (done.returncode, "revoked" in done.stderr) == (0, True)
    assert "revoked" in hub("token", "list", database=database).stdout
    assert [deed for deed, _ in log_of(connection)] == ["token_created", "token_revoked"]
    connection.execute("UPDATE api_token SET revoked_at = NULL, expires_at = now()")
    (told,) = json.loads(hub("token", "list", "--json", database=database).stdout)["tokens"]
    assert told["state"] == "expired"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create", "x", "--all-provinces"), "--scope read"),
        (("create", "x", "--scope", "fly", "--all-provinces"), "there are: read, visitors, published, metrics, manage"),
        (("create", "x", "--scope", "read", "--scope", "respond", "--all-provinces"), "'respond' is for people"),
        (("create", "x", "--scope", "read"), "--all-provinces"),
        (("create", "x", "--scope", "read", "--all-provinces", "--days", "0"), "--days"),
        (("create", " ", "--scope", "read", "--all-provinces"), "1 to 40 letters"),
        (("revoke", "0" * 12), "ttdn-hub token list"),
        (("revoke", f"ttdn_{'0' * 12}_{'1' * 64}"), "not the token itself"),
    ],
)
def test_what_is_refused_of_tokens(
    database: str, connection: psycopg.Connection, arguments: tuple[str, ...], told: str
) -> None:
    done = hub("token", *arguments, database=database)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in " ".join(done.stderr.split())
    assert "1" * 64 not in done.stderr
    assert log_of(connection) == []


def test_without_tables_or_database(empty_database: str) -> None:
    assert hub("user", "list", database=empty_database).returncode == 3
    done = hub("token", "list", database="postgresql://someone:s3cret@127.0.0.1:1/nothing")
    assert (done.returncode, "s3cret" in done.stderr) == (3, False)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("user",), ["add", "password", "unlock"]),
        (("user", "add"), ["nguyen.an --role staff --province 20", "technician: read, metrics", "never an argument"]),
        (("token", "create"), ["--scope read --province 20", "metrics: what the hub counts", "Bearer"]),
        (("token", "revoke"), ["ttdn_KEY_"]),
    ],
)
def test_help_teaches(command: tuple[str, ...], words: list[str]) -> None:
    done = hub(*command, "--help")
    told = " ".join(done.stdout.replace("│", " ").split())
    assert done.returncode == 0
    for word in words:
        assert word in told
