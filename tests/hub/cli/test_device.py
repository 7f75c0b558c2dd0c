"""`ttdn-hub pki` and `ttdn-hub device` as an administrator sees them."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from contract.enrol_code import authority_fingerprint, parse_enrol_code
from hub.pki.codes import hash_of
from hub.pki.folder import PkiFolder
from hub.store.registry import import_sites
from tests.hub.command import hub
from tests.hub.people.making import DEMO
from tests.hub.pki.making import MQTT_NAME, NAME, made_folder, pki_settings


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    password = tmp_path / "mqtt-password"
    password.write_text("secret of the hub\n")
    given = {
        "PKI__FOLDER": tmp_path / "pki",
        "PKI__BROKER_FOLDER": tmp_path / "broker",
        "PKI__PROXY_FOLDER": tmp_path / "proxy",
        "PKI__NAME": NAME,
        "PKI__MQTT_NAME": MQTT_NAME,
        "MQTT__PASSWORD_FILE": password,
    }
    return {f"TTDN_HUB_{name}": str(value) for name, value in given.items()}


@pytest.fixture
def folder(tmp_path: Path, env: dict[str, str]) -> PkiFolder:
    return made_folder(tmp_path, datetime.now(UTC))


def test_the_authority_is_made_once_and_tells_of_itself(tmp_path: Path, database: str, env: dict[str, str]) -> None:
    absent = hub("pki", "status", database=database, env=env)
    assert (absent.returncode, "ttdn-hub pki init" in absent.stderr) == (2, True)
    made = hub("pki", "init", database=database, env=env)
    assert (made.returncode, made.stderr) == (0, "")
    before = (tmp_path / "pki" / "authority" / "ca.pem").read_bytes()
    assert hub("pki", "init", database=database, env=env).returncode == 0
    assert (tmp_path / "pki" / "authority" / "ca.pem").read_bytes() == before
    told = json.loads(hub("pki", "status", "--json", database=database, env=env).stdout)
    assert told["good"] is True
    assert [one["hosts"] for one in told["servers"]] == [[MQTT_NAME], [NAME]]
    assert told["revocation_list"]["certificates"] == 0
    modes = {file: file.stat().st_mode & 0o777 for file in (tmp_path / "pki").rglob("*") if file.is_file()}
    assert set(modes.values()) == {0o600}, modes
    assert (tmp_path / "pki").stat().st_mode & 0o777 == 0o700


def test_broker_and_proxy_get_their_files(
    tmp_path: Path, database: str, env: dict[str, str], folder: PkiFolder
) -> None:
    assert hub("pki", "broker-config", database=database, env=env).returncode == 0
    assert "nothing changed" in hub("pki", "broker-config", database=database, env=env).stderr
    assert hub("pki", "proxy-config", database=database, env=env).returncode == 0
    assert {file.name for file in (tmp_path / "broker").iterdir()} == {
        "mosquitto.conf", "acl", "passwords", "ca.pem", "crl.pem", "server.pem",
    }  # fmt: skip
    assert {file.name for file in (tmp_path / "proxy").iterdir()} == {"nginx.conf", "https.pem"}
    assert "secret of the hub" not in (tmp_path / "broker" / "passwords").read_text()
    assert folder.path.exists()


def test_a_device_is_added_and_its_code_handed_out(
    tmp_path: Path, database: str, connection: psycopg.Connection, env: dict[str, str], folder: PkiFolder
) -> None:
    import_sites(connection, DEMO.read_bytes())
    files = ("--png", str(tmp_path / "ma.png"), "--toml", str(tmp_path / "ttdn.toml"), "--apn", "v-internet")
    done = hub("device", "add", "BG-20-CMA", "--title", "Sảnh, lối vào", *files, database=database, env=env)
    assert done.returncode == 0, done.stderr
    name, text = done.stdout.splitlines()[:2]
    assert name == "bg-20-cma-k1"
    code = parse_enrol_code(text)
    assert code.authority == authority_fingerprint(folder.authority().der)
    boot = tomllib.loads((tmp_path / "ttdn.toml").read_text())
    assert boot == {"url": f"https://{NAME}", "code": text, "apn": "v-internet"}
    assert (tmp_path / "ttdn.toml").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "ma.png").read_bytes().startswith(b"\x89PNG")
    kept = connection.execute("SELECT sha256 FROM enrol_code").fetchall()
    assert kept == [(hash_of(code.secret),)]
    stick = tmp_path / "again.toml"
    again = json.loads(hub("device", "code", name, "--json", "--toml", str(stick), database=database, env=env).stdout)
    assert again["link"] == f"https://{NAME}/enrol#{again['code']}"
    assert again["code"] != text
    assert tomllib.loads(stick.read_text()) == {"url": f"https://{NAME}", "code": again["code"], "again": True}
    second = json.loads(hub("device", "add", "BG-20-CMA", "--kind", "led", "--json", database=database, env=env).stdout)
    assert second["device"] == "bg-20-cma-l1"
    listed = json.loads(hub("device", "list", "--json", database=database, env=env).stdout)["devices"]
    assert [(one["name"], one["state"], one["site"]) for one in listed] == [
        ("bg-20-cma-k1", "code", "BG-20-CMA"),
        ("bg-20-cma-l1", "code", "BG-20-CMA"),
    ]
    shown = hub("device", "show", name, database=database, env=env)
    assert "Sảnh, lối vào" in shown.stdout
    revoked = hub("device", "revoke", name, "--reason", "mất thiết bị", database=database, env=env)
    assert revoked.returncode == 0, revoked.stderr
    told = json.loads(hub("device", "show", name, "--json", database=database, env=env).stdout)
    assert (told["state"], told["barred_reason"]) == ("revoked", "mất thiết bị")


def test_nothing_is_registered_when_the_code_cannot_be_handed_out(
    tmp_path: Path, database: str, connection: psycopg.Connection, env: dict[str, str], folder: PkiFolder
) -> None:
    import_sites(connection, DEMO.read_bytes())
    (tmp_path / "ttdn.toml").write_text("somebody's")
    refusals = {
        ("add", "BG-20-CMA", "--toml", str(tmp_path / "ttdn.toml")): "is there already",
        ("add", "BG-99-XXX"): "no such site",
        ("add", "BG-20-CMA", "--kind", "robot"): "expected one of: kiosk",
        ("code", "bg-20-cma-k1"): "no such device",
        ("code", "hub"): "reserved",
        ("add", "BG-20-CMA", "--apn", "two words"): "not an access point",
        ("show", "bg-20-cma-k1"): "no such device",
        ("revoke", "bg-20-cma-k1", "--reason", "x"): "no such device",
        ("revoke", "bg-20-cma-k1", "--reason", " "): "letters are needed",
    }
    for arguments, told in refusals.items():
        done = hub("device", *arguments, database=database, env=env)
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr
    assert connection.execute("SELECT count(*) FROM device").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM enrol_code").fetchone() == (0,)
    assert pki_settings(tmp_path).folder == folder.path
