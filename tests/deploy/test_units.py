"""systemd's own opinion of the units, and what has to agree between files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.courier import LAST_BATCHES_S
from edge_agent.probes.chromium import ChromiumSettings
from edge_agent.probes.mpv import MpvSettings
from edge_agent.watchdog import Patience
from tests.deploy.wheel_folder import DEPLOY

UNITS = sorted(
    [
        *(DEPLOY / "systemd").glob("*.service"),
        *(DEPLOY / "systemd").glob("*.path"),
        *(DEPLOY / "players").glob("*.service"),
    ]
)
EXPOSURE = {"ttdn-agent.service": 30, "ttdn-agent-first-boot.service": 40, "ttdn-agent-update.service": 30}
"""Ten times what systemd-analyze security may say; the second runs as root, since it mounts sticks."""


@pytest.fixture(scope="module", autouse=True)
def systemd() -> None:
    assert shutil.which("systemd-analyze"), "apt-get install -y --no-install-recommends systemd"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_verified(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    # What it starts has to exist; on this machine it is elsewhere, or not there at all.
    text = (
        unit.read_text()
        .replace("/usr/local/bin/ttdn-agent", sys.executable)
        .replace("/opt/ttdn-agent/good/bin/ttdn-agent", sys.executable)
    )
    copy.write_text(text.replace("/usr/bin/chromium", "/bin/true").replace("/usr/bin/mpv", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", copy],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("name", "threshold"), EXPOSURE.items())
def test_exposure(name: str, threshold: int) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={threshold}", "--no-pager"]
    done = subprocess.run([*command, DEPLOY / "systemd" / name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr


def entries(name: str) -> dict[str, str]:
    lines = (DEPLOY / "systemd" / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def test_times_of_the_unit_and_of_the_agent_agree() -> None:
    unit = entries("ttdn-agent.service")
    assert int(unit["WatchdogSec"]) > Patience().commit_s, "a commit that is late is told before the end"
    assert int(unit["TimeoutStopSec"]) > 2 * LAST_BATCHES_S
    assert unit["Type"] == "notify"


def test_the_first_boot_may_take_the_code_out_of_its_file() -> None:
    unit = entries("ttdn-agent-first-boot.service")
    assert unit["ProtectSystem"] == "strict", "full makes /boot read-only, whatever else is said of that path"
    assert {"-/boot", "-/media", "-/mnt", "-/run"} <= set(unit["ReadWritePaths"].split())


@pytest.mark.parametrize("name", EXPOSURE)
def test_every_unit_may_ask_whether_the_clock_is_kept_right_and_none_may_set_it(name: str) -> None:
    lines = (DEPLOY / "systemd" / name).read_text().splitlines()
    filters = [line.removeprefix("SystemCallFilter=") for line in lines if line.startswith("SystemCallFilter=")]
    assert allowed(filters) & {"adjtimex", "clock_adjtime", "clock_adjtime64", "clock_settime", "settimeofday"} == {
        "adjtimex",
        "clock_adjtime",
        "clock_adjtime64",
    }
    assert "ProtectClock=yes" not in lines, "it forbids the reading, too"
    assert "CAP_SYS_TIME" not in entries(name)["CapabilityBoundingSet"]


def allowed(filters: list[str]) -> set[str]:
    """What is left by SystemCallFilter= lines, one after the other, as systemd.exec(5) has it; the first allows."""
    calls: set[str] = set()
    for line in filters:
        names = expanded(line.lstrip("~").split())
        calls = calls - names if line.startswith("~") else calls | names
    return calls


def expanded(names: list[str]) -> set[str]:
    """The calls of groups such as @clock, and of the groups that these name."""
    calls = {name for name in names if not name.startswith("@")}
    groups = [name for name in names if name.startswith("@")]
    if groups:
        told = subprocess.run(
            ["systemd-analyze", "syscall-filter", *groups], capture_output=True, text=True, check=True
        )
        lines = [line.strip() for line in told.stdout.splitlines() if line.startswith("    ")]
        calls |= expanded([line for line in lines if not line.startswith("#")])
    return calls


def test_no_log_file_anywhere() -> None:
    assert all("file:" not in unit.read_text() and "append:" not in unit.read_text() for unit in UNITS)


def test_players_meet_their_probes() -> None:
    mpv, chromium = (DEPLOY / "players" / f"{name}-kiosk.service" for name in ("mpv", "chromium"))
    assert f"--input-ipc-server={MpvSettings().socket_path}" in mpv.read_text()
    assert f"--user-data-dir={ChromiumSettings().user_data_dir}" in chromium.read_text()
    assert all("UMask=0007" in unit.read_text() and "ttdn-screen" in unit.read_text() for unit in (mpv, chromium))


def test_systemd_takes_the_users_and_folders(tmp_path: Path) -> None:
    for kind in ("sysusers", "tmpfiles"):
        folder = tmp_path / "etc" / f"{kind}.d"
        folder.mkdir(parents=True)
        shutil.copyfile(DEPLOY / "systemd" / f"ttdn-agent.{kind}", folder / "ttdn-agent.conf")
    done = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", "--dry-run", "ttdn-agent.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Creating user 'ttdn-agent'" in done.stderr
