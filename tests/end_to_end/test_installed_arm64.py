"""Installed and enrolled on a Raspberry Pi's processor, as far as emulation goes: no systemd, but all else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import psycopg
import pytest

from tests.deploy.wheel_folder import make_wheels
from tests.emulated import Emulated, make_arm64
from tests.end_to_end.enrolling_hub import add_device, enrolling_hub
from tests.end_to_end.seen import Seen
from tests.patience import until

_PYTHON: Final = "/opt/ttdn-agent/current/bin/python"
_IMPORTS: Final = """\
import pkgutil, platform
from importlib import import_module
import edge_agent, msgspec._core, websockets.speedups
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
Ed25519PrivateKey.generate().sign(b"x")
for module in pkgutil.walk_packages(edge_agent.__path__, "edge_agent."):
    if not module.name.endswith("__main__"):
        import_module(module.name)
print("all on", platform.machine())
"""
_MINUTES_EACH: Final = 10 * 60.0
"""Programs that start in a tenth of a second take several there."""


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_from_a_folder_of_wheels_to_an_event_in_the_hub(
    tmp_path: Path, database: str, connection: psycopg.Connection
) -> None:
    assert os.geteuid() == 0, "making a Debian tree needs root: sudo ./test --full"
    kiosk = make_arm64(tmp_path / "tree", "trixie")
    make_wheels(kiosk.root / "mnt" / "ttdn", "aarch64", "3.13")
    assert "Đã cài xong ttdn-agent" in kiosk.said("sh", "/mnt/ttdn/install.sh")
    assert "usage: ttdn-agent" in kiosk.said("ttdn-agent", "--help")
    assert "all on aarch64" in kiosk.said(_PYTHON, "-c", _IMPORTS)
    assert "not enrolled yet, probes: system, screen" in kiosk.said("ttdn-agent", "check-config")
    with enrolling_hub(tmp_path / "hub", database, connection) as hub:
        added = add_device(hub, "BG-20-CMA", tmp_path / "ttdn.toml")
        said = kiosk.said("ttdn-agent", "enrol", added["url"], "-", given=f"{added['code']}\n")
        assert f"Đã đăng ký: thiết bị {added['device']}" in said
        runs_until_heard(kiosk, Seen(connection, added["device"]))
    left = kiosk.said("sh", "/opt/ttdn-agent/uninstall.sh", "--purge", "--lang", "en")
    assert "ttdn-agent was removed." in left
    assert not (kiosk.root / "opt/ttdn-agent").exists()


def runs_until_heard(kiosk: Emulated, seen: Seen) -> None:
    """The agent itself, until the hub has its first events; then its power fails."""
    agent = kiosk.start("setpriv", "--reuid=ttdn-agent", "--regid=ttdn-agent", "--init-groups", "ttdn-agent", "run")
    try:
        until(lambda: seen.life() == ["boot", "start"], "the hub has its first events", _MINUTES_EACH)
    finally:
        print(kiosk.kill(agent))
