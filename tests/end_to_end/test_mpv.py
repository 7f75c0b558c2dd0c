"""Clips in a real mpv, and what the database says was shown of them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.border import Kiosk
from tests.end_to_end.conftest import Border, MakeKiosk
from tests.end_to_end.seen import check_plays, shown_ms
from tests.mpv import MpvProcess, make_clip
from tests.patience import until

PROBE = """
[probes.mpv]
socket_path = "{socket}"
media_folder = "{media}"
interval_s = 0.3
timeout_s = 1.5
"""
CLIP_S = 4


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_clip(folder / "clip 1.mkv", CLIP_S)
    make_clip(folder / "clip 2.mkv", 300)
    (folder / "corrupt.mkv").write_bytes(b"\x1aE\xdf\xa3 this is no video" * 100)
    return folder


@pytest.fixture
def kiosk(make_kiosk: MakeKiosk, player: MpvProcess, media: Path) -> Iterator[Kiosk]:
    with make_kiosk(PROBE.format(socket=player.socket_path, media=media)) as kiosk:
        yield kiosk


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_clips_of_a_playlist(border: Border, kiosk: Kiosk, player: MpvProcess, media: Path) -> None:
    seen = border.seen(kiosk)
    player.start(str(media / "clip 1.mkv"), str(media / "clip 2.mkv"))
    seen.wait_for("clip 2.mkv", lambda row: row.rendering and row.sha256, "renders and is hashed")
    assert seen.contents() == ["clip 1.mkv", "clip 2.mkv"]
    check_plays(seen.slices())
    first, second = seen.slices("clip 1.mkv"), seen.slices("clip 2.mkv")
    assert first[-1].status == "success"
    assert [part[-1].sha256 for part in (first, second)] == [digest(media / f"clip {n}.mkv") for n in (1, 2)]
    assert {(row.player, row.reported) for row in first + second} == {("mpv", True)}
    assert (CLIP_S - 2) * 1000 < shown_ms(first, rendering=True) <= sum(row.duration_ms for row in first)


def test_a_pause_and_a_file_that_cannot_be_played(
    border: Border, kiosk: Kiosk, player: MpvProcess, media: Path
) -> None:
    seen = border.seen(kiosk)
    player.start(str(media / "clip 2.mkv"))
    seen.wait_for("clip 2.mkv", lambda row: row.rendering, "renders")
    player.command("set_property", "pause", True)
    seen.wait_for("clip 2.mkv", lambda row: row.rendering is False, "is paused")
    paused = time.monotonic()
    time.sleep(1.5)
    paused_ms = (time.monotonic() - paused) * 1000
    player.command("set_property", "pause", False)
    until(lambda: seen.slices()[-1].rendering, "it goes on")
    player.command("loadfile", str(media / "corrupt.mkv"))
    fault = seen.wait_for_fault("media_failed")
    assert fault.reason.startswith("corrupt.mkv: ")
    until(lambda: seen.slices("clip 2.mkv")[-1].status == "success", "the clip gave way")
    check_plays(seen.slices())
    assert shown_ms(seen.slices("clip 2.mkv"), rendering=False) > paused_ms - 1_000
    assert len({row.play_id for row in seen.slices("clip 2.mkv")}) == 1
    # Never on screen; if it was seen at all, then as what failed, which may be told after the fault.
    until(lambda: {row.status for row in seen.slices("corrupt.mkv")[-1:]} <= {"content_failure"}, "it failed")
    assert shown_ms(seen.slices("corrupt.mkv"), rendering=True) == 0


def test_a_player_that_freezes_and_one_that_dies(border: Border, kiosk: Kiosk, player: MpvProcess, media: Path) -> None:
    seen = border.seen(kiosk)
    player.start(str(media / "clip 2.mkv"))
    seen.wait_for("clip 2.mkv", lambda row: row.rendering, "renders")
    player.freeze()
    seen.wait_for("clip 2.mkv", lambda row: row.reported is None and row.rendering is False, "is frozen")
    seen.wait_for_fault("player_frozen")
    player.kill()
    seen.wait_for("clip 2.mkv", lambda row: row.status == "hardware_failure", "died")
    seen.wait_for_fault("player_gone")
    player.start(str(media / "clip 1.mkv"))
    seen.wait_for("clip 1.mkv", lambda row: row.rendering, "renders")
    check_plays(seen.slices())
