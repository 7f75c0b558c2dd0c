"""What the scripts of deploy/hub say before they change anything, and how they agree with the rest."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.deploy.hub_guide import GUIDE, TWIN, blocks

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "hub"
NAMES = ("--name", "ttdn.example.vn", "--mqtt-name", "mqtt.ttdn.example.vn")


def run(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", DEPLOY / script, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", ["install.sh", "uninstall.sh"])
def test_help_in_both_languages_vietnamese_first(script: str) -> None:
    done = run(script, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Cách dùng: s")
    assert "\nusage: s" in done.stdout
    assert all(len(line) <= 130 for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("script", "arguments", "said"),
    [
        ("install.sh", ["--fast"], "--fast is not understood"),
        ("install.sh", ["--check", "--name"], "--name needs a value"),
        ("install.sh", ["--check", "--lang", "fr"], "--lang fr: there are vi and en"),
        ("install.sh", ["--check"], "the first time --name and --mqtt-name are needed"),
        ("install.sh", ["--check", *NAMES[:2]], "the first time --name and --mqtt-name are needed"),
        ("install.sh", ["--check", "--name", "ttdn", *NAMES[2:]], "--name 'ttdn' is no host name"),
        ("install.sh", ["--check", *NAMES[:2], "--mqtt-name", 'a".vn'], "is no host name"),
        ("install.sh", ["--check", *NAMES[:2], "--mqtt-name", NAMES[1]], "have to differ"),
        ("install.sh", ["--check", *NAMES, "--offline", "/nowhere"], "/nowhere was not made by wheels.sh"),
        ("uninstall.sh", ["--everything"], "--everything is not understood"),
    ],
)
def test_wrong_use_is_told(script: str, arguments: list[str], said: str) -> None:
    done = run(script, *arguments)
    assert done.returncode == 2
    assert "LỖI: " in done.stderr
    assert said in done.stderr


def test_check_tells_every_step_and_changes_nothing() -> None:
    done = run("install.sh", "--check", *NAMES)
    assert (done.returncode, done.stderr) == (0, "")
    assert "    WOULD DO: write /etc/ttdn-hub/hub.toml" in done.stdout
    assert "    WOULD DO: write /etc/systemd/system/ttdn-hub-ingest.service" in done.stdout
    assert "DATABASE: plain PostgreSQL, nothing is compressed" in done.stdout
    assert not Path("/opt/ttdn-hub").exists()
    assert not Path("/etc/ttdn-hub").exists()


def test_a_folder_for_kiosks_is_refused(tmp_path: Path) -> None:
    from tests.deploy.test_scripts import ARCH, system_python
    from tests.deploy.wheel_folder import make_folder

    folder = make_folder(tmp_path / "ttdn", arch=ARCH, python=system_python())
    done = run("install.sh", "--check", *NAMES, "--offline", folder)
    assert done.returncode == 2
    assert "is not for ttdn-hub but for ttdn-agent" in done.stderr


def test_both_guides_have_the_same_commands() -> None:
    assert list(blocks(GUIDE).values()) == list(blocks(TWIN).values())


def test_files_that_are_new_are_told_of_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script of ttdn-files@.service, with a systemctl that only writes down what it is asked."""
    shim = tmp_path / "bin" / "systemctl"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/told\n')
    shim.chmod(0o755)
    folder = tmp_path / "hub" / "broker"
    folder.mkdir(parents=True)
    (tmp_path / "seen").mkdir()
    environ = {
        "PATH": f"{shim.parent}:/usr/bin:/bin",
        "TTDN_FOLDER": str(folder.parent),
        "TTDN_SEEN": f"{tmp_path}/seen",
    }
    command = ["sh", str(DEPLOY / "files-changed.sh"), "broker"]
    told = tmp_path / "told"
    subprocess.run(command, env=environ, check=True, capture_output=True)
    assert told.read_text() == "try-reload-or-restart ttdn-broker.service\n"
    subprocess.run(command, env=environ, check=True, capture_output=True)
    assert told.read_text().count("\n") == 1, "nothing is new"
    old = tmp_path / "crl.pem"
    old.write_text("of an hour ago")
    subprocess.run(["touch", "-d", "1 hour ago", old], check=True)
    old.rename(folder / "crl.pem")
    subprocess.run(command, env=environ, check=True, capture_output=True)
    assert told.read_text().count("\n") == 2, "a file that was renamed into place is new, whatever its time"
