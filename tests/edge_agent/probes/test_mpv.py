"""Every lie of a player, told by a real mpv."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.faults import CODES
from edge_agent.probes.base import ProbeError
from edge_agent.probes.mpv import MpvProbe, MpvSettings
from tests.edge_agent.probes.watching import View, look, watch
from tests.mpv import MpvProcess, make_clip, make_film, make_image, make_sound, make_stuck_clip


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_clip(folder / "long.mkv", 600)
    make_clip(folder / "short.mkv", 1)
    make_clip(folder / "blip.mkv", 0.4)
    make_stuck_clip(folder / "stuck.mkv", 20)
    make_image(folder / "still.png")
    make_film(folder / "film.mkv", 60)
    make_sound(folder / "tone.wav", 60)
    (folder / "corrupt.mkv").write_bytes(b"no video" * 500)
    return folder


@pytest.fixture
def probe(player: MpvProcess, media: Path) -> Iterator[MpvProbe]:
    made = MpvProbe(MpvSettings(socket_path=player.socket_path, media_folder=str(media), timeout_s=1, stuck_s=2))
    yield made
    made.close()


def renders(view: View, name: str) -> bool:
    return view.ref == name and view.showing.rendering is True


def test_a_clip_plays_from_the_first_look_on(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    player.start(str(media / "long.mkv"))
    seen = watch(probe, lambda view: renders(view, "long.mkv"))
    assert (seen.showing.turn, seen.showing.listed, seen.showing.reported) == (1, True, True)
    assert (seen.showing.ended, seen.troubles) == (None, {})
    assert renders(look(probe), "long.mkv")
    digest = hashlib.sha256((media / "long.mkv").read_bytes()).hexdigest()
    assert watch(probe, lambda view: view.sha256 is not None).sha256 == digest


def test_a_playlist_goes_on(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    player.start(str(media / "short.mkv"), str(media / "long.mkv"))
    watch(probe, lambda view: view.ref == "short.mkv")
    seen = watch(probe, lambda view: view.ref == "long.mkv")
    assert (seen.showing.turn, seen.showing.ended) == (2, "success")
    assert seen.sha256 is not None  # Hashed ahead, while the first clip was on.


@pytest.mark.parametrize("option", ["--loop-playlist=inf", "--loop-file=inf"])
@pytest.mark.parametrize("clip", ["short.mkv", "blip.mkv"])
def test_a_loop_counts_each_round(probe: MpvProbe, player: MpvProcess, media: Path, option: str, clip: str) -> None:
    player.start(option, str(media / clip))
    first = watch(probe, lambda view: renders(view, clip)).showing.turn
    seen = watch(probe, lambda view: view.showing.turn >= first + 2)
    assert (seen.ref, seen.troubles) == (clip, {})


def test_a_paused_clip_does_not_render(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    player.start(str(media / "long.mkv"))
    watch(probe, lambda view: renders(view, "long.mkv"))
    player.command("set_property", "pause", True)
    seen = watch(probe, lambda view: view.showing.rendering is False)
    assert (seen.ref, seen.showing.turn, seen.troubles) == ("long.mkv", 1, {})
    player.command("set_property", "pause", False)
    assert watch(probe, lambda view: renders(view, "long.mkv")).showing.turn == 1


def test_a_seek_is_no_new_turn(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    player.start("--start=300", str(media / "long.mkv"))
    watch(probe, lambda view: renders(view, "long.mkv"))
    player.command("seek", 0, "absolute")
    probe.wait(1)
    assert renders(look(probe), "long.mkv")
    assert look(probe).showing.turn == 1


def test_a_still_image_is_shown_even_if_paused(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    player.start("--image-display-duration=inf", str(media / "still.png"))
    watch(probe, lambda view: renders(view, "still.png"))
    player.command("set_property", "pause", True)
    probe.wait(2)
    seen = look(probe)
    assert (renders(seen, "still.png"), seen.showing.turn, seen.troubles) == (True, 1, {})


def test_a_file_that_cannot_be_played(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    player.start(str(media / "long.mkv"))
    watch(probe, lambda view: renders(view, "long.mkv"))
    player.command("loadfile", str(media / "corrupt.mkv"))
    seen = watch(probe, lambda view: "media_failed" in view.troubles)
    assert seen.troubles["media_failed"].startswith("corrupt.mkv: ")
    assert (watch(probe, lambda view: view.ref is None)).showing.rendering is None
    player.command("loadfile", str(media / "long.mkv"))
    seen = watch(probe, lambda view: renders(view, "long.mkv"))
    assert "media_failed" in seen.troubles  # That file has not been seen to play since.


def test_a_video_that_stands_still_is_stuck(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    player.start(str(media / "stuck.mkv"))
    seen = watch(probe, lambda view: "video_stuck" in view.troubles)
    assert (seen.ref, seen.showing.reported, seen.showing.rendering) == ("stuck.mkv", True, False)
    player.command("loadfile", str(media / "long.mkv"))
    # On a busy machine the end is seen before the next file is.
    assert watch(probe, lambda view: view.showing.ended is not None).showing.ended == "content_failure"
    watch(probe, lambda view: view.ref == "long.mkv")


@pytest.mark.parametrize(
    ("option", "why"), [("--force-window=no", "no video output"), ("--force-window=yes", "its video track")]
)
def test_a_film_without_its_picture_does_not_render(
    probe: MpvProbe, player: MpvProcess, media: Path, option: str, why: str
) -> None:
    player.start("--vid=no", option, str(media / "film.mkv"))
    seen = watch(probe, lambda view: "no_picture" in view.troubles)
    assert (seen.ref, seen.showing.reported, seen.showing.rendering) == ("film.mkv", True, False)
    assert seen.troubles["no_picture"].startswith(f"film.mkv runs without a picture: {why}")
    player.command("set_property", "vid", 1)
    assert watch(probe, lambda view: renders(view, "film.mkv")).troubles == {}


def test_what_has_only_sound_renders_by_its_position(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    player.start(str(media / "tone.wav"))
    watch(probe, lambda view: renders(view, "tone.wav"))
    probe.wait(0.5)
    seen = look(probe)
    assert (renders(seen, "tone.wav"), seen.troubles) == (True, {})


def test_a_finished_playlist_shows_nothing(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    player.start(str(media / "short.mkv"))
    watch(probe, lambda view: view.ref == "short.mkv")
    seen = watch(probe, lambda view: view.ref is None)
    assert (seen.showing.ended, seen.showing.listed, seen.troubles) == ("success", None, {})


def test_a_frozen_player(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    player.start(str(media / "long.mkv"))
    watch(probe, lambda view: renders(view, "long.mkv"))
    player.freeze()
    seen = watch(probe, lambda view: "player_frozen" in view.troubles)
    assert (seen.ref, seen.showing.reported, seen.showing.rendering) == ("long.mkv", None, False)
    assert list(look(probe).troubles) == ["player_frozen"]
    player.resume()
    seen = watch(probe, lambda view: renders(view, "long.mkv"))
    assert (seen.showing.turn, seen.troubles) == (1, {})


def test_a_player_that_is_killed_and_comes_back(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    assert list(look(probe).troubles) == ["player_gone"]  # The agent starts before the player.
    player.start(str(media / "long.mkv"))
    watch(probe, lambda view: renders(view, "long.mkv"))
    player.kill()
    seen = watch(probe, lambda view: "player_gone" in view.troubles)
    assert (seen.ref, seen.showing.ended) == (None, "hardware_failure")
    assert Path(player.socket_path).exists()  # Stale: it refuses.
    assert (look(probe).ref, list(look(probe).troubles)) == (None, ["player_gone"])
    player.start(str(media / "long.mkv"))
    assert watch(probe, lambda view: renders(view, "long.mkv")).showing.turn == 2


def test_a_player_that_was_asked_to_quit(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    player.start(str(media / "long.mkv"))
    watch(probe, lambda view: renders(view, "long.mkv"))
    player.command("quit")
    seen = watch(probe, lambda view: "player_gone" in view.troubles)
    assert (seen.ref, seen.showing.ended) == (None, "interrupted")


def test_an_event_ends_the_wait(probe: MpvProbe, player: MpvProcess, media: Path) -> None:
    player.start(str(media / "long.mkv"))
    watch(probe, lambda view: renders(view, "long.mkv"))
    probe.wait(0.5)  # Let what belongs to the start pass.
    steered = threading.Timer(0.3, player.command, ["set_property", "pause", True])
    steered.start()
    probe.wait(1_000)  # Only an event can end it before the test's own time limit.
    steered.join()
    watch(probe, lambda view: view.showing.rendering is False)


def test_closing_ends_a_wait(probe: MpvProbe, player: MpvProcess) -> None:
    player.start()
    look(probe)
    probe.wait(0.5)
    waiting = threading.Thread(target=probe.wait, args=(1_000,))
    waiting.start()
    probe.close()
    waiting.join(30)
    assert not waiting.is_alive()
    probe.close()


@pytest.mark.parametrize(
    "nonsense", [b"<html>\n", b"[1]\n", b'{"event": 3}\n', b"[" * 100_000 + b"\n", b"x" * 2_000_000]
)
def test_what_is_no_mpv_is_named(tmp_path: Path, nonsense: bytes) -> None:
    path = str(tmp_path / "other.sock")
    with socket.create_server(path, family=socket.AF_UNIX) as server:
        probe = MpvProbe(MpvSettings(socket_path=path, timeout_s=20))

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1)
                try:
                    connection.sendall(nonsense)
                    while connection.recv(1 << 20):
                        pass
                except OSError:
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ProbeError, match="mpv"):
            probe.read()
        probe.close()
        thread.join(20)


def test_every_trouble_is_documented() -> None:
    assert {"player_gone", "player_frozen", "video_stuck", "no_picture", "media_failed"} <= CODES.keys()
