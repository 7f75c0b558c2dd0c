"""A card's first boot by cloud-init alone, on Debian 13, which Raspberry Pi OS (Trixie) is made from."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.booted import Booted
from tests.debian import Debian, make_debian
from tests.deploy.wheel_folder import DEPLOY, make_wheels
from tests.patience import until

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]
_FILES: Final = DEPLOY / "cloud-init"
# What would touch the host: its network and its disk. On Raspberry Pi OS the files lie on the boot partition.
_HERE: Final = """\
datasource_list: [NoCloud]
network: {config: disabled}
growpart: {mode: "off"}
resize_rootfs: false
"""
_KEYFILES: Final = "run/NetworkManager/system-connections/netplan-{}.nmconnection"


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Debian:
    assert os.geteuid() == 0, "making a Debian tree needs root: sudo ./test --full"
    debian = make_debian(tmp_path_factory.mktemp("debian") / "tree", "trixie")
    debian.install("python3", "systemd", "dbus", "cloud-init", "netplan.io", "openssh-client")  # its keys
    for file in _FILES.iterdir():
        shutil.copyfile(file, debian.root / "mnt" / file.name)
    return debian


def test_both_files_are_of_cloud_inits_schema(debian: Debian) -> None:
    for kind, file in (("cloud-config", "user-data"), ("network-config", "network-config")):
        command = ("cloud-init", "schema", "--schema-type", kind, "--config-file", f"/mnt/{file}")
        done = debian.run(*command, env={"LC_ALL": "C.UTF-8"})
        assert (done.returncode, "Valid schema" in done.stdout) == (0, True), done.stdout + done.stderr


def test_netplan_makes_connections_of_it(debian: Debian, tmp_path: Path) -> None:
    place = debian.root / "netplan" / "etc" / "netplan"
    place.mkdir(parents=True)
    shutil.copyfile(_FILES / "network-config", place / "50-cloud-init.yaml")
    (place / "50-cloud-init.yaml").chmod(0o600)
    debian.run("netplan", "generate", "--root-dir", "/netplan")
    modem, cable = ((place.parents[1] / _KEYFILES.format(name)).read_text() for name in ("cdc-wdm0", "all-ethernet"))
    assert "type=gsm\n" in modem
    assert "apn=v-internet\n" in modem
    assert "type=ethernet\n" in cable
    assert "interface-name=e*;" in cable
    assert "method=auto\n" in cable


def test_nobody_touches_it_and_the_agent_runs(debian: Debian) -> None:
    root = debian.root
    make_wheels(root / "boot" / "firmware" / "ttdn", os.uname().machine, "3.13")
    seed = root / "var/lib/cloud/seed/nocloud"
    seed.mkdir(parents=True)
    shutil.copyfile(_FILES / "user-data", seed / "user-data")
    (seed / "meta-data").write_text("instance-id: first\n")
    (root / "etc/cloud/cloud.cfg.d/99-here.cfg").write_text(_HERE)
    with Booted(debian) as kiosk:
        kiosk.run("cloud-init", "status", "--wait")
        status = json.loads(kiosk.run("cloud-init", "status", "--format=json").stdout)
        assert (status["status"], status["errors"], status["recoverable_errors"]) == ("done", [], {}), status
        said = (root / "boot/firmware/ttdn-cai-dat.txt").read_text()
        assert "Đã cài xong ttdn-agent" in said
        until(lambda: kiosk.shown("ttdn-agent.service", "ActiveState") == ["active"], "the agent runs")
        assert "chưa đăng ký" in kiosk.shown("ttdn-agent.service", "StatusText")[0]
        assert kiosk.shown("apt-daily.timer", "LoadState") == ["masked"]
        assert kiosk.said("systemctl", "--failed", "--no-legend", "--no-pager").strip() == ""
        assert kiosk.said("id", "-nG", "kiosk").split() == ["kiosk", "audio", "video", "input", "render"]
