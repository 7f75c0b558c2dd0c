"""compose.yaml and its Dockerfile, as far as can be had without an engine: schema, references, our own commands."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from contract.version import VERSION
from hub.config import load_settings
from tests.deploy.machine import Unit
from tests.hub.command import hub

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "hub"
FILE = DEPLOY / "compose.yaml"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """With its anchors and merges put in."""
    loaded = yaml.safe_load(FILE.read_text())
    assert isinstance(loaded, dict)
    return loaded


def parsed(compose: dict[str, Any]) -> PyCompose:
    return PyCompose.from_json(json.dumps(compose))


def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Services that run `ttdn-hub`."""
    image = compose["x-hub"]["image"]
    return {
        name: service
        for name, service in compose["services"].items()
        if service["image"] == image and service.get("entrypoint", ["ttdn-hub"]) == ["ttdn-hub"]
    }


def test_it_is_what_the_specification_knows(compose: dict[str, Any]) -> None:
    parsed(compose).validate()
    compose["services"]["api"]["comand"] = ["api"]
    with pytest.raises(ValueError, match="comand"):
        parsed(compose)
    del compose["services"]["api"]["comand"]
    compose["services"]["database"]["secrets"].append("nobodys")
    with pytest.raises(ValueError, match="nobodys"):
        parsed(compose).validate()
    compose["services"]["database"]["secrets"].pop()


def test_all_that_is_named_exists(compose: dict[str, Any], tmp_path: Path) -> None:
    services = compose["services"]
    done = subprocess.run(["sh", str(DEPLOY / "compose/make-secrets.sh"), str(tmp_path / "secrets")], check=True)
    assert done.returncode == 0
    for secret in compose["secrets"].values():
        assert (tmp_path / "secrets" / Path(secret["file"]).name).read_text().strip()
    for name, service in services.items():
        for other, when in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}"
            if when["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for the health of {other}, which has none"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).exists(), f"{name} mounts {source}"
        _, _, shared = service.get("network_mode", "").partition("service:")
        assert not shared or shared in services
    assert {Path(line.split()[1]) for line in DOCKERFILE.splitlines() if line.startswith("COPY .")} == {Path()}


def test_secrets_are_made_once_and_agree(tmp_path: Path) -> None:
    script = ["sh", str(DEPLOY / "compose/make-secrets.sh"), str(tmp_path / "secrets")]
    subprocess.run(script, check=True, capture_output=True)
    made = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    (tmp_path / "secrets/mqtt_password").unlink()
    subprocess.run(script, check=True, capture_output=True)
    again = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    assert {name for name in made if made[name] != again[name]} == {"mqtt_password"}
    assert f"password={again['hub_password'].strip()}\n" in again["hub_dsn"]
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_nobody_is_root_and_nothing_can_be_written_to(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert re.search(r":\d+\.\d+", service["image"]), f"{name}: {service['image']} is no pinned version"
        assert "/" not in service["image"] or "." not in service["image"].split("/")[0], "no registry is named"
        assert not any("PASSWORD" in key and not key.endswith("_FILE") for key in service.get("environment", {})), name
        one_shot = service.get("restart") == "on-failure"
        assert one_shot or "healthcheck" in service, name
    for line in DOCKERFILE.splitlines():
        assert not line.startswith("FROM") or re.search(r":\w+-\d{8}-slim\b", line), line
    assert DOCKERFILE.index("USER 10001") > DOCKERFILE.index("useradd")
    assert compose["x-hub"]["image"].endswith(f":{VERSION}")


def test_only_who_needs_the_authority_sees_it(compose: dict[str, Any]) -> None:
    mounts = {
        name: {mount for mount in service.get("volumes", []) if mount.startswith("pki:")}
        for name, service in compose["services"].items()
    }
    assert mounts["api"] == {"pki:/var/lib/ttdn-hub/pki:ro"}
    with_it = {name for name, found in mounts.items() if found}
    assert with_it == {"authority", "broker-files", "proxy-files", "maintain", "api"}


def test_every_command_of_ours_is_one(compose: dict[str, Any]) -> None:
    services = ours(compose)
    assert len(services) == 7
    # Those of the units are asked there: tests/deploy/test_hub_units.py.
    roles = [Unit(file).one("ExecStart").split()[1:] for file in (DEPLOY / "systemd").glob("ttdn-hub-*.service")]
    commands = [service["command"] for service in services.values()]
    checks = [service["healthcheck"]["test"] for service in services.values() if "healthcheck" in service]
    commands += [check[2:] for check in checks if check[1] == "ttdn-hub"]
    for command in commands:
        assert command in roles or hub(*command, "--help").returncode == 0


def test_the_settings_are_settings(compose: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"TTDN_NAME": "ttdn.example.vn", "TTDN_MQTT_NAME": "mqtt.ttdn.example.vn"}
    for key, value in compose["x-hub"]["environment"].items():
        monkeypatch.setenv(key, re.sub(r"\$\{(\w+)[^}]*\}", lambda found: given[found[1]], value))
    file = tmp_path / "hub.toml"
    file.write_text("")
    settings = load_settings(file)
    assert settings.api.names == ("ttdn.example.vn",)
    assert settings.pki.mqtt_name == "mqtt.ttdn.example.vn"
    secrets = {f"/run/secrets/{name}" for name in compose["x-hub"]["secrets"]}
    assert {str(settings.database.dsn_file), str(settings.mqtt.password_file)} == secrets
