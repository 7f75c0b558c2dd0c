"""install.sh on a Debian just installed, without a network: whole, twice, cut off anywhere, and off again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.debian import Debian, make_debian
from tests.deploy.wheel_folder import make_wheels

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]
INSTALL, UNINSTALL = "/mnt/ttdn/install.sh", "/opt/ttdn-agent/uninstall.sh"
CONFIG = 'device = "bg-20-cma-k1"\n[mqtt]\nbrokers = [{host = "hub.example.vn"}]\n[probes.system]\n'
DURABLE = ("mv", "cp", "ln", "rm", "sync", "chmod", "mkdir", "python3")
# Stands before the real program in PATH and kills who calls it, at the number in the file `left`.
KILLER = """#!/bin/sh
left=$(($(cat /mnt/left) - 1))
echo "$left" >/mnt/left
[ "$left" -ne 0 ] || { kill -9 "$PPID"; exit 1; }
exec "/usr/bin/${0##*/}" "$@"
"""


@pytest.fixture(scope="module", params=[("bookworm", "3.11"), ("trixie", "3.13")], ids=lambda param: param[0])
def bare(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Debian:
    """With python3 alone, and the folder of wheels on a stick."""
    assert os.geteuid() == 0, "making a Debian tree needs root: sudo ./test --full"
    suite, python = request.param
    debian = make_debian(tmp_path_factory.mktemp("debian") / "bare", suite)
    debian.install("python3")
    make_wheels(debian.root / "mnt" / "ttdn", os.uname().machine, python)
    return debian


@pytest.fixture
def debian(bare: Debian, tmp_path: Path) -> Debian:
    return bare.copy(tmp_path / "tree")


def said(debian: Debian, *command: str, code: int = 0, path: str = "") -> str:
    environ = {"LC_ALL": "C.UTF-8", **({"PATH": path} if path else {})}
    done = debian.run(*command, network=False, env=environ)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def configure(debian: Debian) -> None:
    (debian.root / "etc/ttdn-agent/agent.toml").write_text(CONFIG)


def works(debian: Debian) -> None:
    configure(debian)
    assert "is well: device bg-20-cma-k1" in said(debian, "ttdn-agent", "check-config", "--lang", "en")
    assert "ttdn-screen" in said(debian, "id", "ttdn-agent")
    owned = said(debian, "stat", "-c", "%U:%G %a", "/var/lib/ttdn-agent", "/run/ttdn-screen", "/opt/ttdn-agent/a")
    assert owned.split("\n")[:2] == ["ttdn-agent:ttdn-agent 750", "root:ttdn-screen 2770"]
    assert not list((debian.root / "etc").rglob("*.new")), "no half of a file stays"
    assert not said(debian, "find", "/opt/ttdn-agent", "!", "-user", "root")


def test_installed_twice_and_off_again(debian: Debian) -> None:
    assert "Đã cài xong ttdn-agent" in said(debian, "sh", INSTALL)
    works(debian)
    again = said(debian, "sh", INSTALL)
    assert "Không có gì phải làm: đã cài xong." in again
    assert (debian.root / "etc/ttdn-agent/agent.toml").read_text() == CONFIG, "a technician's file stays as it is"
    assert "Nothing to do" in said(debian, "sh", INSTALL, "--check", "--lang", "en")

    off = said(debian, "sh", UNINSTALL)
    assert "số sự kiện trung tâm chưa nhận: 0" in off
    assert (debian.root / "etc/ttdn-agent/agent.toml").read_text() == CONFIG
    assert not (debian.root / "opt/ttdn-agent").exists()
    said(debian, "sh", INSTALL)
    assert "were not delivered, and are LOST: 0" in said(debian, "sh", UNINSTALL, "--purge", "--lang", "en")
    for gone in ("etc/ttdn-agent", "var/lib/ttdn-agent", "usr/local/bin/ttdn-agent", "etc/sysusers.d/ttdn-agent.conf"):
        assert not (debian.root / gone).exists()
    assert "ttdn" not in (debian.root / "etc/passwd").read_text() + (debian.root / "etc/group").read_text()


def test_a_run_that_is_killed_anywhere_is_made_good_by_the_next(debian: Debian) -> None:
    tools = debian.root / "mnt" / "tools"
    tools.mkdir()
    for name in DURABLE:
        (tools / name).write_text(KILLER)
        (tools / name).chmod(0o755)
    path = "/mnt/tools:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    killed = 0
    for number in range(1, 200):
        (debian.root / "mnt" / "left").write_text(f"{number}\n")
        done = debian.run("sh", INSTALL, network=False, env={"PATH": path, "LC_ALL": "C.UTF-8"})
        if done.returncode == 0:
            break
        killed += 1
    assert killed >= 10
    works(debian)
    assert "Nothing to do" in said(debian, "sh", INSTALL, "--lang", "en")


def test_another_version_goes_into_the_other_environment(debian: Debian) -> None:
    said(debian, "sh", INSTALL)
    folder = debian.root / "mnt" / "ttdn"
    shutil.copyfile(folder / "FOLDER", folder / "NEWER")
    said(
        debian,
        "sh",
        "-c",
        "cd /mnt/ttdn && find . -type f ! -name SHA256SUMS | xargs sha256sum >/s && mv /s SHA256SUMS",
    )
    # Names with ./ in front are names, too.
    said(debian, "sh", "-c", "sed -i 's|  [.]/|  |' /mnt/ttdn/SHA256SUMS")
    said(debian, "sh", INSTALL)
    assert (debian.root / "opt/ttdn-agent/current").readlink() == Path("b")
    assert (debian.root / "opt/ttdn-agent/a/complete").exists(), "the way back"
    works(debian)


def test_while_another_run_holds_the_lock_nothing_happens(debian: Debian) -> None:
    said(debian, "sh", INSTALL)
    text = said(debian, "flock", "/opt/ttdn-agent/lock", "sh", INSTALL, "--lang", "en", code=1)
    assert "another installation or update is under way" in text
