"""`serve`, `api`, `migrate`, `config` and help, as processes of their own."""

from __future__ import annotations

import re
import signal
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from hub.cli.exits import EPILOG
from tests.hub.command import COMMAND, environment, hub

ADDRESS = re.compile(r"what is on every screen: (http://127\.0\.0\.1:\d+/)")


@contextmanager
def running(*arguments: str, database: str, log: Path, **env: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command and the address that its log names; killed at the end if it still runs."""
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [*COMMAND, *arguments],
            env=environment(database, TTDN_HUB_API__PORT="0", **env),
            stdin=subprocess.DEVNULL,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield process, _address(process, log)
        finally:
            process.kill()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    while process.poll() is None:
        found = ADDRESS.search(log.read_text())
        if found:
            return found[1]
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(f"it ended with {process.returncode}: {log.read_text()}")


def test_migrate_once_and_again(empty_database: str) -> None:
    first = hub("migrate", database=empty_database)
    assert (first.returncode, "applied 0001_spine.sql" in first.stderr) == (0, True)
    again = hub("migrate", database=empty_database)
    assert (again.returncode, "up to date" in again.stderr) == (0, True)


def test_a_database_that_is_not_current_is_refused(empty_database: str) -> None:
    done = hub("serve", database=empty_database)
    assert (done.returncode, "run: ttdn-hub migrate" in done.stderr) == (3, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_api_ends_in_order(database: str, tmp_path: Path, number: signal.Signals) -> None:
    with running("api", database=database, log=tmp_path / "log") as (process, address):
        assert httpx.get(f"{address}healthz", trust_env=False).status_code == 200
        assert httpx.get(f"{address}api/v1/sites", trust_env=False).status_code == 401
        process.send_signal(number)
        assert process.wait(20) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_serve_migrates_waits_for_its_broker_and_ends_in_order(empty_database: str, tmp_path: Path) -> None:
    settings = {"TTDN_HUB_MQTT__BROKERS": '[{"host": "127.0.0.1", "port": 1, "tls": false}]'}
    settings |= {"TTDN_HUB_API__OPEN_ON_LOOPBACK": "true"}
    log = tmp_path / "log"
    with running("serve", "--migrate", database=empty_database, log=log, **settings) as (process, address):
        ready = httpx.get(f"{address}readyz", trust_env=False)
        assert (ready.status_code, "no worker listens" in ready.text) == (503, True)
        assert "ttdn_hub_brokers_connected 0.0" in httpx.get(f"{address}metrics", trust_env=False).text
        arguments = Path(f"/proc/{process.pid}/cmdline").read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
    password = psycopg.conninfo.conninfo_to_dict(empty_database)["password"]
    assert str(password) not in log.read_text() + arguments


def test_config_sample_and_check(tmp_path: Path) -> None:
    sample = hub("config", "sample")
    assert set(tomllib.loads(sample.stdout)) == {
        "database",
        "mqtt",
        "ingest",
        "storage",
        "api",
        "compliance",
        "visitors",
        "notices",
        "pki",
        "releases",
        "log",
    }
    file = tmp_path / "hub.toml"
    file.write_text(sample.stdout)
    assert hub("config", "check", "--config", str(file)).returncode == 0
    file.write_text(sample.stdout.replace("writers = 1", "writers = 'two'"))
    done = hub("config", "check", env={"TTDN_HUB_CONFIG": str(file)})
    assert (done.returncode, done.stdout) == (2, "")
    assert f"ingest.writers ({file})" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", [(), ("serve",), ("audit",), ("rejected", "retry"), ("registry", "import-sites")], ids=" ".join
)
def test_help_teaches_exit_codes(command: tuple[str, ...]) -> None:
    done = hub(*command, "--help")
    assert done.returncode == 0
    told = " ".join(done.stdout.split())
    assert EPILOG[:40] in told
