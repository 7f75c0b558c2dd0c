"""`ttdn-hub rollout` as an administrator uses it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from hub.releases.keys import make_key
from hub.releases.pack import Wanted, pack
from hub.releases.shelf import Shelf
from tests.edge_agent.update.making import make_wheel, wheels_folder
from tests.hub.api.serving import register
from tests.hub.command import hub

NOW = datetime.now(UTC)


def test_start_status_halt_resume_stop(connection: psycopg.Connection, database: str, tmp_path: Path) -> None:
    devices = ["bg-20-cma-k1"]
    register(connection, *devices)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "ttdn_border", "0.2.0", {"x.py": ""})
    make_key(tmp_path / "k.key", tmp_path / "k.pub")
    pack(wheels_folder(wheels, "0.2.0"), tmp_path / "k.key", tmp_path / "x.ttdn", Wanted(), NOW)
    Shelf(tmp_path / "shelf").add(tmp_path / "x.ttdn", (tmp_path / "k.pub").read_text())
    env = {"TTDN_HUB_RELEASES__FOLDER": str(tmp_path / "shelf")}
    none = hub("rollout", "start", "0.3.0", "--all", database=database, env=env)
    assert (none.returncode, "no package of 0.3.0" in none.stderr) == (2, True)
    assert hub("rollout", "start", "0.2.0", database=database, env=env).returncode == 2
    assert hub("rollout", "start", "0.2.0", "--device", "nobody", database=database, env=env).returncode == 2
    done = hub("rollout", "start", "0.2.0", "--device", devices[0], "--step", "1,100%", database=database, env=env)
    assert done.returncode == 0, done.stderr
    number = str(json.loads(hub("rollout", "status", "--json", database=database).stdout)["rollouts"][0]["id"])
    assert devices[0] in hub("rollout", "status", number, database=database).stdout
    assert hub("rollout", "halt", number, "--reason", "x", database=database).returncode == 0
    assert hub("rollout", "status", number, database=database).returncode == 1
    assert hub("rollout", "resume", number, database=database).returncode == 0
    assert hub("rollout", "stop", number, database=database).returncode == 0
    assert hub("rollout", "stop", number, database=database).returncode == 2
