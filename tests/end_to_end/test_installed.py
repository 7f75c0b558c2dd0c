"""Installed and enrolled, fully: Debian booted by its own systemd, from a folder of wheels to a play in the hub.

The one place where the units run under a real systemd, with every restriction that they name, on each release's own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
import pytest

from edge_agent.clock import wall_ms
from edge_agent.identity import renewal
from edge_agent.tls import Moment
from hub.releases.keys import make_key
from hub.releases.pack import Wanted, pack
from simulator.ports import HOST, free_port
from tests.booted import Booted
from tests.debian import Debian, make_debian
from tests.deploy.wheel_folder import DEPLOY, make_wheels
from tests.edge_agent.update.making import wheels_folder
from tests.edge_agent.update.real import agent_wheel
from tests.end_to_end.enrolling_hub import ORIGIN, ServingHub, add_device, enrolling_hub, show
from tests.end_to_end.seen import Seen
from tests.patience import until

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]
_AGENT, _FIRST_BOOT, _TRY = "ttdn-agent.service", "ttdn-agent-first-boot.service", "ttdn-try.service"
_BROKER: Final = "mqtt.test"
_PYTHON: Final = "/opt/ttdn-agent/current/bin/python"
# What the agent's libraries do at one time or another, and what nobody in its place may do.
_USES: Final = """\
import ctypes, mmap, os, resource, socket, subprocess, sys
import cryptography.x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
import websockets.sync.client, websockets.speedups
ec.generate_private_key(ec.SECP256R1()).sign(b"x", ec.ECDSA(SHA256()))
print("adjtimex", "denied" if ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(256)) < 0 else "answered")
ctypes.CDLL(None).getpid()
subprocess.run([sys.executable, "-c", "import ssl, sqlite3"], check=True)
socket.getaddrinfo("localhost", 443)
print("data", resource.getrlimit(resource.RLIMIT_DATA)[0] >> 20)
def refused(what, doing):
    try:
        doing()
    except OSError as error:
        print("refused", what, error.errno)
refused("exec", lambda: mmap.mmap(-1, 4096, prot=7))
refused("etc", lambda: open("/etc/ttdn-agent/x", "w"))
refused("opt", lambda: open("/opt/ttdn-agent/x", "w"))
refused("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
refused("proc", lambda: open("/proc/1/cmdline"))
refused("setuid", lambda: os.setuid(0))
refused("clock", lambda: __import__("time").clock_settime(0, 1e9))
open("/var/lib/ttdn-agent/tried", "w").close()
print("dev", sorted(os.listdir("/dev")))
"""
_REFUSED: Final = ("exec", "etc", "opt", "packet", "proc", "setuid", "clock")


@pytest.fixture(scope="module", params=[("bookworm", "3.11"), ("trixie", "3.13")], ids=lambda param: param[0])
def bare(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Debian:
    """As it comes from its makers, with systemd."""
    assert os.geteuid() == 0, "making a Debian tree needs root: sudo ./test --full"
    suite, python = request.param
    debian = make_debian(tmp_path_factory.mktemp("debian") / "bare", suite)
    debian.install("python3", "systemd", "dbus")
    with (debian.root / "etc/hosts").open("a") as hosts:
        hosts.write(f"{HOST} {_BROKER}\n")
    make_wheels(debian.root / "boot" / "firmware" / "ttdn", os.uname().machine, python)
    return debian


@pytest.fixture
def debian(bare: Debian, tmp_path: Path) -> Debian:
    return bare.copy(tmp_path / "tree")


@pytest.fixture
def hub(tmp_path: Path, database: str, connection: psycopg.Connection) -> Iterator[ServingHub]:
    with enrolling_hub(tmp_path / "hub", database, connection, _BROKER) as serving:
        yield serving


def is_active(kiosk: Booted, status: str) -> bool:
    state, text = kiosk.shown(_AGENT, "ActiveState", "StatusText")
    return state == "active" and status in text


def test_from_a_folder_of_wheels_to_a_play_in_the_hub(
    debian: Debian, hub: ServingHub, connection: psycopg.Connection
) -> None:
    boot, port = debian.root / "boot" / "firmware", free_port()
    with Booted(debian) as kiosk:
        assert "Đã cài xong ttdn-agent" in kiosk.said("sh", "/boot/firmware/ttdn/install.sh")
        until(lambda: is_active(kiosk, "chưa đăng ký (not enrolled)"), "it waits for its enrolment")
        assert kiosk.shown(_AGENT, "NRestarts") == ["0"]
        assert "không có tệp ttdn.toml nào" in kiosk.journal(_FIRST_BOOT)
        assert "Không có gì phải làm" in kiosk.said("sh", "/boot/firmware/ttdn/install.sh")

    with (debian.root / "etc/ttdn-agent/agent.toml").open("a") as config:
        config.write(f"[bridge]\nenabled = true\nport = {port}\norigins = ['{ORIGIN}']\n")
    added = add_device(hub, "BG-20-CMA", boot / "ttdn.toml")
    seen = Seen(connection, added["device"])
    with Booted(debian) as kiosk:  # nobody types anything from here on
        until(lambda: is_active(kiosk, "đã kết nối (connected)"), "the agent has found its hub")
        assert f"thiết bị {added['device']} tại https://localhost" in (boot / "ttdn-ket-qua.txt").read_text("utf-8-sig")
        assert added["code"] not in (boot / "ttdn.toml").read_text()
        show(port, "gioi-thieu.mp4")
        until(lambda: seen.contents() == ["gioi-thieu.mp4"], "the play is a row")
        assert seen.life()[:2] == ["boot", "start"]
        told = kiosk.said("systemctl", "status", "--no-pager", "--full", _AGENT)
        assert "Active: active (running)" in told
        assert 'Status: "đã kết nối (connected), ' in told
        restricted(kiosk)
        watched(kiosk)
        kiosk.said("systemctl", "restart", _AGENT)
        until(lambda: seen.life()[-2:] == ["stop", "start"], "it was restarted in good order")
        until(lambda: is_active(kiosk, "đã kết nối (connected)"), "it is back")
        checks = json.loads(kiosk.run("ttdn-agent", "doctor", "--json").stdout)["checks"]
        failed = {check["id"] for check in checks if check["outcome"] == "fail"}
        assert {one for one in failed if "screen" not in one} == set(), "but for the display that it does not have"
        assert kiosk.said("systemctl", "--failed", "--no-legend", "--no-pager").strip() == ""
        updated(kiosk, seen)
    with Booted(debian) as kiosk:  # a power cut later
        until(lambda: is_active(kiosk, "đã kết nối (connected)"), "it is back after a power cut")
        assert seen.life().count("boot") == 1, "the kernel is the same"
        removed(kiosk)


def restricted(kiosk: Booted) -> None:
    """By what its unit says, and everything that it needs goes all the same: in its place, once."""
    (pid,) = kiosk.shown(_AGENT, "MainPID")
    status = kiosk.said("cat", f"/proc/{pid}/status")
    assert "\nNoNewPrivs:\t1\n" in status
    assert "\nSeccomp:\t2\n" in status
    assert "\nCapEff:\t0000000000000000\n" in status
    assert kiosk.said("stat", "-c", "%U:%G", f"/proc/{pid}") == "ttdn-agent:ttdn-agent\n"
    (kiosk.root / "opt/try.py").write_text(_USES)
    said = tried(kiosk, f"{_PYTHON} /opt/try.py")
    assert "data 512\n" in said
    assert "adjtimex answered" in said, said
    for what in _REFUSED:
        assert f"refused {what} " in said, said
    assert "'sda'" not in said and "'kmsg'" not in said  # noqa: PT018
    before = kiosk.said("readlink", "/var/lib/ttdn-agent/identity/current")
    _, *renewing = renewal.command(Path("/var/lib/ttdn-agent"), Moment(wall_ms(), certain=True))
    tried(kiosk, " ".join([_PYTHON, *renewing]))
    assert kiosk.said("readlink", "/var/lib/ttdn-agent/identity/current") != before, "renewed"


def tried(kiosk: Booted, command: str) -> str:
    """What a command says that runs as the agent's unit would run it."""
    unit = (DEPLOY / "systemd" / _AGENT).read_text()
    own = {"ExecStart=": command, "Type=": "oneshot", "Restart=": "no", "WatchdogSec=": "0"}
    for key, value in own.items():
        unit = "\n".join(f"{key}{value}" if line.startswith(key) else line for line in unit.splitlines())
    (kiosk.root / "etc/systemd/system" / _TRY).write_text(unit)
    kiosk.said("systemctl", "daemon-reload")
    done = kiosk.run("systemctl", "start", _TRY)
    said = kiosk.journal(_TRY)
    assert done.returncode == 0, said
    return said


def watched(kiosk: Booted) -> None:
    """An agent that does nothing any more is ended and started again."""
    drop_in = kiosk.root / "etc/systemd/system" / f"{_AGENT}.d" / "soon.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nWatchdogSec=4\nRestartSec=1\nTimeoutAbortSec=2\n")
    kiosk.said("systemctl", "daemon-reload")
    kiosk.said("systemctl", "restart", _AGENT)
    until(lambda: is_active(kiosk, "đã kết nối (connected)"), "it runs under the shorter watch")
    pid, restarts = kiosk.shown(_AGENT, "MainPID", "NRestarts")
    os.kill(kiosk.host_pid(pid), signal.SIGSTOP)
    until(lambda: kiosk.shown(_AGENT, "NRestarts") != [restarts], "systemd has started it again")
    assert "Watchdog timeout" in kiosk.journal(_AGENT)
    until(lambda: is_active(kiosk, "đã kết nối (connected)"), "the next one works")
    assert kiosk.shown(_AGENT, "MainPID") != [pid]
    shutil.rmtree(drop_in.parent)
    kiosk.said("systemctl", "daemon-reload")


def updated(kiosk: Booted, seen: Seen) -> None:
    """By a package from a stick: the agent's user puts it down, the path unit wakes root's part, which tries it."""
    folder = kiosk.root / "boot/firmware/ttdn"
    facts = dict(line.split("=", 1) for line in (folder / "FOLDER").read_text().splitlines())
    private, public, newer = (kiosk.root / name for name in ("release.key", "etc/ttdn-agent/release.pub", "newer"))
    make_key(private, public)
    newer.mkdir()
    for wheel in folder.glob("*.whl"):
        if not wheel.name.startswith(("ttdn_border-", "pip-")):
            shutil.copyfile(wheel, newer / wheel.name)
    agent_wheel(newer, "9.0.0")
    wheels_folder(newer, "9.0.0", facts["arch"], facts["python"])
    pack(newer, private, kiosk.root / "mnt/newer.ttdn", Wanted(), datetime.now(UTC))
    assert "Đã cập nhật lên 9.0.0" in kiosk.said("ttdn-agent", "update", "/mnt/newer.ttdn")
    assert kiosk.said("readlink", "/opt/ttdn-agent/current", "/opt/ttdn-agent/good").split() == ["b", "b"]
    until(lambda: "update" in seen.life(), "the hub has heard of it")
    until(lambda: is_active(kiosk, "đã kết nối (connected)"), "the new one works")
    assert json.loads(kiosk.run("ttdn-agent", "status", "--json").stdout)["status"]["version"] == "9.0.0"


def removed(kiosk: Booted) -> None:
    """With all that it was."""
    (pid,) = kiosk.shown(_AGENT, "MainPID")
    assert "Đã gỡ ttdn-agent." in kiosk.said("sh", "/opt/ttdn-agent/uninstall.sh", "--purge")
    (kiosk.root / "etc/systemd/system" / _TRY).unlink()
    kiosk.said("systemctl", "daemon-reload")
    assert kiosk.shown(_AGENT, "LoadState", "ActiveState") == ["not-found", "inactive"]
    assert kiosk.said("systemctl", "list-unit-files", "--no-legend", "ttdn*", code=1).strip() == ""
    kiosk.said("test", "-e", f"/proc/{pid}", code=1)
    assert "ttdn" not in (kiosk.root / "etc/passwd").read_text()
