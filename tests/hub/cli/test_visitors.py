"""`ttdn-hub visitors publish` as an operator and a program see it; the hub does it by itself, too."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import psycopg
from pydantic import SecretStr

from hub.chores.chores import CHORES
from hub.config import DatabaseSettings, HubSettings
from tests.hub.command import hub
from tests.hub.registry.making import put_site


def fill(connection: psycopg.Connection) -> None:
    """A kiosk of five months ago, with 12 sessions in Vietnamese and 30 in a language that is on no list."""
    put_site(connection, "S-1")
    connection.execute("INSERT INTO device (name, kind, first_seen) VALUES ('k-1', 'kiosk', now() - interval '1 year')")
    connection.execute("UPDATE placement SET site = 'S-1', province_code = '20'")
    at = datetime.now(UTC).replace(day=15, minute=0, second=0, microsecond=0) - timedelta(days=150)
    connection.execute("INSERT INTO event_hour SELECT %s, id, 'health', 1 FROM placement", (at,))
    for language, sessions in (("vi", 12), ("th", 30)):
        connection.execute(
            "INSERT INTO visit_hour SELECT %s, id, %s, 0, %s, 0, 0, 0, 0 FROM placement", (at, language, sessions)
        )


def test_dry_run_publish_and_again(database: str, connection: psycopg.Connection) -> None:
    fill(connection)
    done = hub("visitors", "publish", "--dry-run", database=database)
    assert done.returncode == 0
    assert "would be published: 6" in done.stdout
    assert "30 sessions, such as of S-1" in done.stderr
    assert connection.execute("SELECT count(*) FROM published_visitors").fetchone() == (0,)
    told = json.loads(hub("visitors", "publish", "--json", database=database).stdout)
    assert told["published"] is True
    assert {(one["language"], one["sessions"], one["flag"]) for one in told["cells"]} == {
        ("vi", 10, None),
        *((language, None, "c") for language in ("en", "zh", "lo", "km", "und")),
    }
    assert [(one["site"], one["language"], one["sessions"]) for one in told["left_out"]] == [("S-1", "th", 30)]
    done = hub("visitors", "publish", database=database)
    assert (done.returncode, done.stdout) == (0, "đã công bố / published: 0\n")
    assert connection.execute("SELECT count(*) FROM published_visitors").fetchone() == (6,)


def test_settings_say_what_is_small(database: str, connection: psycopg.Connection) -> None:
    fill(connection)
    settings = {"TTDN_HUB_VISITORS__THRESHOLD": "15", "TTDN_HUB_VISITORS__LANGUAGES": '["vi", "th"]'}
    told = json.loads(hub("visitors", "publish", "--json", database=database, env=settings).stdout)
    assert {(one["language"], one["sessions"]) for one in told["cells"]} == {("vi", None), ("th", 30)}
    for name, value in (("THRESHOLD", "12"), ("LANGUAGES", '["vi", "vi"]'), ("LANGUAGES", '["Tiếng Việt"]')):
        done = hub("visitors", "publish", database=database, env={f"TTDN_HUB_VISITORS__{name}": value})
        assert (done.returncode, f"visitors.{name.lower()}" in done.stderr) == (2, True)


def test_it_is_a_chore(database: str, connection: psycopg.Connection) -> None:
    fill(connection)
    (chore,) = (chore for chore in CHORES if chore.name == "publish")
    settings = HubSettings(database=DatabaseSettings(dsn=SecretStr(database)))
    assert chore.do(connection, settings, datetime.now(UTC)) is False
    assert connection.execute("SELECT count(*) FROM published_visitors").fetchone() == (6,)
