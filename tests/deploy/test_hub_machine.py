"""The hub's machine from a Debian just installed, by the guide's own commands; a kiosk enrols and its plays arrive."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from hub.registry.points import COLUMNS
from tests.debian import Debian, make_debian
from tests.deploy.hub_guide import GUIDE, blocks
from tests.deploy.machine import Machine
from tests.deploy.wheel_folder import make_wheels
from tests.mpv import MpvProcess, make_clip
from tests.patience import until

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]
INSTALL = "sh /mnt/ttdn-hub/install.sh --lang en"
NAMES = "--name ttdn.example.vn --mqtt-name mqtt.ttdn.example.vn"
DEBIANS = "postgresql mosquitto nginx libnginx-mod-stream python3-venv"
SERVICES = ("ttdn-broker", "ttdn-hub-maintain", "ttdn-hub-ingest", "ttdn-hub-api", "ttdn-proxy")
POINT = ",".join(column.example for column in COLUMNS) + "\n"
AGENT = "[probes.system]\n[probes.mpv]\nhash_media = false\n"
PASSWORD = "mot hai ba bon nam"
# Does what the guide's sudo does where there is none: everything there is root's already.
SUDO = '#!/bin/sh\nexec "$@"\n'
STRIDE = 4
"""The installer ends at every fourth call: to try all takes a quarter of an hour."""
DURABLE = ("mv", "cp", "ln", "chown", "chmod", "mkdir", "runuser", "python3", "apt-get", "sync")
# Stands before the real program in PATH and kills all of the installer at once, at the number in the file `left`.
KILLER = """#!/bin/sh
left=$(($(cat /mnt/left) - 1))
echo "$left" >/mnt/left
[ "$left" -ne 0 ] || kill -9 0
for real in /usr/sbin /usr/bin /sbin /bin; do
    [ ! -x "$real/${0##*/}" ] || exec "$real/${0##*/}" "$@"
done
"""


@pytest.fixture(scope="module", params=[("bookworm", "3.11"), ("trixie", "3.13")], ids=lambda param: param[0])
def fetched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Debian:
    """Everything lies ready, and nothing is installed: from here on no network is needed."""
    assert os.geteuid() == 0, "making a Debian tree needs root: sudo ./test --full"
    suite, python = request.param
    debian = make_debian(tmp_path_factory.mktemp("hub") / "bare", suite)
    debian.install("python3")
    fetch = f"apt-get install -y --download-only --no-install-recommends {DEBIANS}"
    done = debian.run("sh", "-c", fetch, env={"DEBIAN_FRONTEND": "noninteractive"})
    assert done.returncode == 0, done.stderr
    make_wheels(debian.root / "mnt" / "ttdn-hub", os.uname().machine, python, "--hub")
    make_wheels(debian.root / "mnt" / "ttdn-agent", os.uname().machine, python)
    hosts = debian.root / "etc/hosts"
    hosts.write_text(f"{hosts.read_text()}\n127.0.0.1 ttdn.example.vn mqtt.ttdn.example.vn\n")
    sudo = debian.root / "usr/local/bin/sudo"
    sudo.write_text(SUDO)
    sudo.chmod(0o755)
    return debian


@pytest.fixture
def root(fetched: Debian, tmp_path: Path) -> Path:
    return fetched.copy(tmp_path / "tree").root


def start_all(machine: Machine) -> None:
    if "online" not in machine.sh("pg_lsclusters --no-header"):
        machine.sh("pg_ctlcluster --skip-systemctl-redirect $(pg_lsclusters --no-header | cut -d' ' -f1) main start")
    for name in SERVICES:
        machine.start(name)


def devices(machine: Machine) -> dict[str, str]:
    found = json.loads(machine.said("ttdn-hub", "device", "list", "--json"))["devices"]
    return {row["name"]: row["state"] for row in found}


def stored(machine: Machine) -> int:
    """Plays."""
    return int(machine.sh("cd / && runuser -u postgres -- psql -qAtd ttdn -c 'SELECT count(*) FROM hub.play'"))


@contextmanager
def player(machine: Machine, folder: Path) -> Iterator[None]:
    """A real mpv of this machine, at the socket where the kiosk's agent looks for one."""
    folder.mkdir(exist_ok=True)
    clip = make_clip(folder / "gioi-thieu.mkv", 2)
    with TemporaryDirectory() as short:  # a socket's path may not be long
        screen = Path(short) / "screen"
        screen.symlink_to(machine.root / "run/ttdn-screen")
        mpv = MpvProcess(screen).start("--loop-playlist=inf", str(clip))
        try:
            Path(mpv.socket_path).chmod(0o660)
            yield
        finally:
            mpv.kill()


def enrol(machine: Machine, code: str) -> None:
    machine.sh("sh /mnt/ttdn-agent/install.sh --lang en")
    (machine.root / "etc/ttdn-agent/agent.toml").write_text(AGENT)
    said = machine.said("ttdn-agent", "enrol", "https://ttdn.example.vn", code)
    assert "bg-20-cma-k1" in said


def test_the_guide_from_a_fresh_debian_to_a_kiosk_and_back_from_a_backup(root: Path, tmp_path: Path) -> None:
    """Every command of the guide, in its order; what comes between them is what it says that people do."""
    steps = blocks(GUIDE)
    with Machine(root) as machine:
        for line in steps["Cài"][1:]:
            machine.sh(line)
        start_all(machine)
        assert "has read this list" in machine.sh(steps["Kiểm tra"][0])

        place, *first = steps["Ki-ốt đầu tiên"][:7]
        for line in first:
            if "import points" in line:
                with (root / "var/tmp/diem.csv").open("a", encoding="utf-8") as filled:
                    filled.write(POINT)
            if "user add" in line:
                machine.typed(line, ": ", [PASSWORD, PASSWORD])
            else:
                said = machine.sh(f"{place} && {line}")
        code = re.search(r"https://ttdn\.example\.vn (\S+)", said)
        assert code, said
        enrol(machine, code[1])
        with player(machine, tmp_path / "media"):
            machine.start("ttdn-agent")
            until(lambda: stored(machine) > 0)
        for line in steps["Ki-ốt đầu tiên"][7:]:
            machine.sh(line)
        assert devices(machine) == {"bg-20-cma-k1": "enrolled"}
        holds_apart(machine)
        for line in steps["Sao lưu, phục hồi"][:3]:
            machine.sh(line)
        before = stored(machine)

    # A power cut; then a machine without anything but the backup.
    with Machine(root) as machine:
        machine.sh("pg_ctlcluster --skip-systemctl-redirect $(pg_lsclusters --no-header | cut -d' ' -f1) main start")
        machine.sh("cp /opt/ttdn-hub/uninstall.sh /root/ && sh /root/uninstall.sh --purge")
        assert not (root / "var/lib/ttdn-hub").exists()
        assert "ttdn-hub" not in (root / "etc/passwd").read_text()
        for line in steps["Sao lưu, phục hồi"][3:]:
            machine.sh(line)
        start_all(machine)
        assert stored(machine) == before
        with player(machine, tmp_path / "media"):
            machine.start("ttdn-agent")
            until(lambda: stored(machine) > before)
        assert devices(machine) == {"bg-20-cma-k1": "enrolled"}, "by the certificate that it had"
        machine.sh("ttdn-hub audit")
        for line in steps["Gỡ"]:
            machine.sh(line)
        assert (root / "var/lib/ttdn-hub/pki/authority/ca.key").exists(), "data stay"


def holds_apart(machine: Machine) -> None:
    """Who may see what, as the users alone hold it, without systemd's part."""
    for user, file in (
        ("ttdn-ingest", "/var/lib/ttdn-hub/pki/authority/ca.key"),
        ("mosquitto", "/var/lib/ttdn-hub/pki/authority/ca.key"),
        ("ttdn-proxy", "/var/lib/ttdn-hub/broker/passwords"),
        ("mosquitto", "/etc/ttdn-hub/mqtt-password"),
        ("ttdn-agent", "/etc/ttdn-hub/hub.toml"),
    ):
        assert machine.run("runuser", "-u", user, "--", "cat", file).returncode == 1, f"{user} reads {file}"
    assert machine.run("runuser", "-u", "ttdn-agent", "--", "psql", "-d", "ttdn", "-c", "SELECT 1").returncode != 0
    used = {Path(f"/proc/{machine.pid(name)}").stat().st_uid for name in SERVICES}
    assert 0 not in used, "nothing of it is root"
    listening = machine.sh("cat /proc/net/tcp /proc/net/tcp6")
    ports = {int(port, 16) for port in re.findall(r" 0+:([0-9A-F]{4}) 0+:0000 0A", listening)}
    assert ports == {443, 8883}, "all else is on the loopback address"


def test_twice_and_again_after_a_change(root: Path) -> None:
    with Machine(root) as machine:
        assert "name and --mqtt-name are needed" in machine.sh(INSTALL, code=2)
        machine.sh(f"{INSTALL} {NAMES}")
        secret = (root / "etc/ttdn-hub/mqtt-password").read_bytes()
        assert "Nothing to do: it is installed." in machine.sh(INSTALL)
        assert "Nothing to do: it is installed." in machine.sh(f"{INSTALL} --check")
        settings = root / "etc/ttdn-hub/hub.toml"
        settings.write_text(settings.read_text().replace('"ttdn.example.vn"', '"other.example.vn"'))
        machine.sh(INSTALL)
        assert "other.example.vn" in machine.sh("ttdn-hub pki status")
        assert "server_name other.example.vn" in (root / "var/lib/ttdn-hub/proxy/nginx.conf").read_text()
        assert (root / "etc/ttdn-hub/mqtt-password").read_bytes() == secret
        settings.write_text(settings.read_text() + "[radar]\n")
        said = machine.sh(INSTALL, code=1)
        assert "radar" in said
        assert "ttdn-hub config check failed" in said


def test_a_run_that_is_killed_anywhere_is_made_good_by_the_next(root: Path) -> None:
    tools = root / "mnt" / "tools"
    tools.mkdir()
    for name in DURABLE:
        (tools / name).write_text(KILLER)
        (tools / name).chmod(0o755)
    path = {"PATH": "/mnt/tools:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
    cuts = 0
    with Machine(root) as machine:
        while True:
            cuts += 1
            (root / "mnt/left").write_text(f"{cuts * STRIDE}\n")
            # A session of its own, so that nobody else is killed with it.
            done = machine.run("setsid", "--wait", "sh", "-c", f"{INSTALL} {NAMES}", env=path)
            if int((root / "mnt/left").read_text()) > 0:
                break
            assert cuts < 100, done.stdout + done.stderr
        assert done.returncode == 0, done.stdout + done.stderr
        assert cuts > 10
        assert "Nothing to do: it is installed." in machine.sh(INSTALL)
        start_all(machine)
        assert "has read this list" in machine.sh("ttdn-hub pki status")
    assert not list((root / "etc").rglob("*.new")), "no half of a file stays"


def test_new_files_are_read_again(root: Path) -> None:
    """What the path unit starts, with a systemctl that does what the unit says."""
    with Machine(root) as machine:
        machine.sh(f"{INSTALL} {NAMES}")
        start_all(machine)
        told = root / "mnt/told"
        shim = root / "usr/local/bin/systemctl"
        shim.write_text('#!/bin/sh\necho "$@" >>/mnt/told\n')
        shim.chmod(0o755)
        machine.sh("mkdir -p /run/ttdn-files && /opt/ttdn-hub/files-changed.sh broker")
        assert told.read_text() == "try-reload-or-restart ttdn-broker.service\n"
        machine.sh("/opt/ttdn-hub/files-changed.sh broker")
        assert told.read_text().count("\n") == 1, "nothing is new"
        machine.sh("cd /var/lib/ttdn-hub/broker && cp -p crl.pem .crl.pem.new && mv .crl.pem.new crl.pem")
        machine.sh("/opt/ttdn-hub/files-changed.sh broker")
        assert told.read_text().count("\n") == 2, "a file that was renamed into place is new, whatever its time"
        shutil.move(shim, root / "root/systemctl")
        subprocess.run(["kill", "-HUP", str(machine.pid("ttdn-broker"))], check=True)
        subprocess.run(["kill", "-HUP", str(machine.pid("ttdn-proxy"))], check=True)
        until(lambda: "Reloading config" in machine.log("ttdn-broker"))
        assert "has read this list" in machine.sh("ttdn-hub pki status")
