"""A configuration and a command from the command line to a real kiosk and back."""

from __future__ import annotations

import json
from pathlib import Path

from contract.command import MAX_PICTURE_BYTES
from tests.end_to_end.conftest import Border, MakeKiosk
from tests.end_to_end.program import HUB, run
from tests.mpv import MpvProcess, make_clip
from tests.patience import until


def test_a_kiosk_is_configured_and_sends_a_picture(
    border: Border, make_kiosk: MakeKiosk, tmp_path: Path, player: MpvProcess
) -> None:
    player.start("--loop=inf", str(make_clip(tmp_path / "clip.mkv", 2)))
    config = border.hub.config
    with make_kiosk(f"[probes.mpv]\nsocket_path = {json.dumps(player.socket_path)}\n") as kiosk:
        known = "SELECT 1 FROM device WHERE name = %s"
        until(lambda: border.connection.execute(known, (kiosk.device,)).fetchone())
        changes = ("intervals.look_s=0.5", "budget.month_bytes=60000000")
        sets = [part for change in changes for part in ("--set", change)]
        done = run(HUB, "fleet", "config", kiosk.device, *sets, "--config", config)
        assert done.returncode == 0, done.stderr
        assert "budget.month_bytes=60000000" in done.stdout
        state = "SELECT c.reported FROM device_config c JOIN device d ON d.id = c.device WHERE d.name = %s"
        until(lambda: border.connection.execute(state, (kiosk.device,)).fetchone() == (1,))

        picture = tmp_path / "screen.jpg"
        done = run(HUB, "command", "send", kiosk.device, "snapshot", "--out", picture, "--json", "--config", config)
        assert done.returncode == 0, done.stderr
        assert picture.read_bytes()[:3] == b"\xff\xd8\xff"
        assert picture.stat().st_size <= MAX_PICTURE_BYTES
        answer = json.loads(done.stdout)
        assert (answer["name"], answer["outcome"], answer["detail"]) == ("snapshot", "done", "by mpv")
