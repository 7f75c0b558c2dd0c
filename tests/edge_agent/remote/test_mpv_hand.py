"""Identify, snapshot and restart of a real mpv."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.command import MAX_PICTURE_BYTES
from edge_agent.probes.mpv import MpvSettings
from edge_agent.probes.mpv_ipc import MpvIpc, PlayerGoneError
from edge_agent.remote.hand import HandError
from edge_agent.remote.mpv_hand import MpvHand
from tests.mpv import MpvProcess, make_clip
from tests.patience import until


def asked(player: MpvProcess, name: str) -> object:
    ipc = MpvIpc(player.socket_path, timeout_s=20)
    try:
        (request,) = ipc.send([("get_property", name)])
        while True:
            for line in ipc.receive(20):
                if line.request_id == request:
                    return line.data
    finally:
        ipc.close()


def gone(player: MpvProcess) -> bool:
    try:
        MpvIpc(player.socket_path, timeout_s=5).close()
    except PlayerGoneError:
        return True
    return False


def test_a_player_shows_its_name_gives_a_picture_and_ends(tmp_path: Path, player: MpvProcess) -> None:
    player.start("--loop=inf", "--screenshot-jpeg-quality=77", str(make_clip(tmp_path / "clip.mkv", 2)))
    hand = MpvHand(MpvSettings(socket_path=player.socket_path))
    until(lambda: asked(player, "time-pos"))
    hand.identify(["Cửa khẩu Chi Ma", "bg-20-cma-k1"])  # what is on the OSD, mpv tells nobody

    picture = hand.snapshot()
    assert picture.content_type == "image/jpeg"
    assert picture.body[:3] == b"\xff\xd8\xff"
    assert len(picture.body) <= MAX_PICTURE_BYTES
    assert asked(player, "screenshot-jpeg-quality") == 77
    assert asked(player, "pause") is False
    assert list(tmp_path.glob("snapshot-*")) == []

    hand.restart()
    until(lambda: gone(player))
    with pytest.raises(HandError, match="mpv: no mpv listens"):
        hand.identify(["bg-20-cma-k1"])


def test_an_idle_player_gives_no_picture_and_says_so(player: MpvProcess) -> None:
    player.start()
    with pytest.raises(HandError, match="mpv refuses screenshot-to-file"):
        MpvHand(MpvSettings(socket_path=player.socket_path)).snapshot()
