"""`ttdn-hub fleet` and `ttdn-hub command`, over a database without a broker."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from contract.command import Picture, Reply
from hub.cli.app import app
from hub.fleet.errors import BadSetting, NotCommanded
from hub.store.fleet_traffic import FleetTraffic
from tests.hub.api.serving import register

DEVICES = ("bg-20-cma-k1", "bg-20-cma-k2")


@pytest.fixture(autouse=True)
def registered(database: str, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    register(connection, *DEVICES)
    monkeypatch.setenv("TTDN_HUB_DATABASE__DSN", database)
    monkeypatch.setenv("COLUMNS", "200")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def said(*words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_province_is_configured_and_shown(connection: psycopg.Connection[Any]) -> None:
    assert "nothing is set" in run("fleet", "config", "--all").output
    found = said(
        "fleet", "config", "--province", "20", "--set", "intervals.look_s=5", "--set", "opening.mon=07:00-17:00"
    )
    assert [(row["device"], row["revision"], row["state"], row["told"]) for row in found["devices"]] == [
        (device, 1, "waiting", {"intervals.look_s": "5", "opening.mon": "07:00-17:00"}) for device in DEVICES
    ]
    one = said("fleet", "config", DEVICES[0], "--set", "opening=")["devices"]
    assert [(row["revision"], row["told"]) for row in one] == [(2, {"intervals.look_s": "5"})]
    assert "intervals.look_s=5" in run("fleet", "config", "--all").output
    who = connection.execute(
        "SELECT DISTINCT split_part(who, ':', 1), deed FROM audit_entry WHERE what LIKE 'device:%%'"
    )
    assert who.fetchall() == [("command", "device_configured")]


def test_opening_hours_come_from_the_registry(connection: psycopg.Connection[Any]) -> None:
    connection.execute("DELETE FROM site_hours WHERE site = 'BG-20-CMA'")
    assert isinstance(run("fleet", "config", DEVICES[0], "--opening-of-site").exception, BadSetting)
    connection.execute("INSERT INTO site_hours VALUES ('BG-20-CMA', 1, 420, 690), ('BG-20-CMA', 1, 810, 1020)")
    connection.execute("INSERT INTO site_hours VALUES ('BG-20-CMA', 7, 0, 0)")
    both = ("fleet", "config", "--all", "--opening-of-site", "--set", "intervals.look_s=900")
    assert isinstance(run(*both).exception, BadSetting)
    assert connection.execute("SELECT count(*) FROM device_config").fetchone() == (0,), "all, or nothing"
    (row,) = said("fleet", "config", DEVICES[0], "--opening-of-site")["devices"]
    assert row["told"] == {"opening.mon": "07:00-11:30, 13:30-17:00"}


IMPOSSIBLE = (
    ("fleet", "config"),
    ("fleet", "config", DEVICES[0], "--all"),
    ("fleet", "config", DEVICES[0], "--set", "intervals.look_s=900"),
    ("fleet", "config", "nobody"),
    ("fleet", "config", "--province", "99"),
    ("command", "send", "nobody", "identify"),
    ("command", "send", DEVICES[0], "make-coffee"),
    ("command", "send", DEVICES[0], "update"),
    ("command", "show", "0" * 16),
)


def test_what_cannot_be_asked(connection: psycopg.Connection[Any]) -> None:
    for words in IMPOSSIBLE:
        assert isinstance(run(*words).exception, (BadSetting, NotCommanded)), words
    for table in ("device_command", "device_config"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_command_is_given_listed_and_its_picture_written_once(
    connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    row = said("command", "send", DEVICES[0], "snapshot", "--for", "600")
    assert (row["device"], row["name"], row["outcome"]) == (DEVICES[0], "snapshot", None)
    picture = Picture("image/jpeg", b"\xff\xd8 a screen")
    reply = Reply(command=row["code"], outcome="done", detail="by mpv", picture=picture)
    FleetTraffic(connection).answered(DEVICES[0], reply, int(datetime.now(UTC).timestamp() * 1000))
    file = tmp_path / "screen.jpg"
    assert "đã làm / done: by mpv" in run("command", "show", row["code"], "--out", str(file)).output
    assert file.read_bytes() == picture.body
    assert isinstance(run("command", "show", row["code"], "--out", str(file)).exception, NotCommanded)
    assert "(ảnh / picture)" in run("command", "list", DEVICES[0]).output
    assert said("command", "list", DEVICES[1]) == {"commands": []}
