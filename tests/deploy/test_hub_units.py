"""systemd's own opinion of the hub's units, and what has to agree between them and the rest."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hub.config import PkiSettings
from hub.service import SILENT_S
from tests.deploy.machine import Unit
from tests.hub.command import hub

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "hub"
SERVICES = sorted((DEPLOY / "systemd").glob("*.service"))
UNITS = sorted(file for file in (DEPLOY / "systemd").iterdir() if file.suffix in {".service", ".path", ".timer"})
ROLES = [file for file in SERVICES if file.name.startswith("ttdn-hub-")]


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """All at once: they name each other."""
    folder = tmp_path_factory.mktemp("units")
    names = []
    for unit in UNITS:
        # What it starts has to exist; on this machine it is elsewhere, or not there at all.
        lines = unit.read_text().splitlines()
        text = "\n".join("ExecStart=/bin/true" if line.startswith("ExecStart=") else line for line in lines)
        (folder / unit.name).write_text(f"{text}\n")
        names.append(folder / unit.name.replace("@.", "@broker."))
        if "@." in unit.name:
            (folder / unit.name.replace("@.", "@broker.")).write_text(f"{text}\n")
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *map(str, names)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_verified(verified: subprocess.CompletedProcess[str]) -> None:
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_exposure(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr


@pytest.mark.parametrize("unit", ROLES, ids=lambda unit: unit.name)
def test_roles(unit: Path) -> None:
    role = Unit(unit)
    assert role.one("Type") == "notify"
    assert 0 < int(role.one("WatchdogSec")) <= SILENT_S
    program, *arguments = role.one("ExecStart").split()
    assert program == "/opt/ttdn-hub/current/bin/ttdn-hub"
    assert hub(*arguments, "--help").returncode == 0


def test_the_ingest_has_a_user_of_its_own_and_no_way_to_the_authority() -> None:
    users = {unit.stem: Unit(unit).one("User") for unit in SERVICES if "@" not in unit.name}
    assert users.pop("ttdn-hub-api") == users.pop("ttdn-hub-maintain") == "ttdn-hub"
    assert len(set(users.values())) == len(users) == 3
    assert not {"", "root", "ttdn-hub"} & set(users.values())
    ingest = Unit(DEPLOY / "systemd/ttdn-hub-ingest.service")
    assert ingest.one("InaccessiblePaths") == "-/var/lib/ttdn-hub"
    assert "--no-chores" in ingest.one("ExecStart")


def test_folders_are_those_of_the_settings() -> None:
    folders = {line.split()[1]: line.split()[2:5] for line in entries("tmpfiles")}
    pki = PkiSettings()
    assert folders[str(pki.folder)] == ["0700", "ttdn-hub", "ttdn-hub"]
    assert folders[str(pki.broker_folder)] == [
        "2750",
        "ttdn-hub",
        Unit(DEPLOY / "systemd/ttdn-broker.service").one("Group"),
    ]
    assert folders[str(pki.proxy_folder)] == [
        "2750",
        "ttdn-hub",
        Unit(DEPLOY / "systemd/ttdn-proxy.service").one("Group"),
    ]
    watched = Unit(DEPLOY / "systemd/ttdn-files@.path").one("PathChanged")
    assert {watched.replace("%i", name) for name in ("broker", "proxy")} == {
        str(pki.broker_folder),
        str(pki.proxy_folder),
    }


def test_systemd_takes_the_users(tmp_path: Path) -> None:
    (tmp_path / "etc/sysusers.d").mkdir(parents=True)
    shutil.copyfile(DEPLOY / "systemd/ttdn-hub.sysusers", tmp_path / "etc/sysusers.d/ttdn-hub.conf")
    command = ["systemd-sysusers", f"--root={tmp_path}", "--dry-run", "ttdn-hub.conf"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for user in ("ttdn-hub", "ttdn-ingest", "ttdn-proxy"):
        assert f"Creating user '{user}'" in done.stderr


def entries(kind: str) -> list[str]:
    lines = (DEPLOY / "systemd" / f"ttdn-hub.{kind}").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]
