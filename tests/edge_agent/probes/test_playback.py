"""Loops, motion and endings, without an mpv."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.probes.base import ProbeError
from edge_agent.probes.mpv_ipc import Line, LineBuffer
from edge_agent.probes.playback import Playback, PlayerLook, is_rendering, lacks_picture, loops_between


def at(at_ms: int, position_s: float | None, **fields: object) -> PlayerLook:
    known = {"path": "a.mkv", "duration_s": 10.0, "paused": False, "core_idle": False, **fields}
    return PlayerLook(at_ms=at_ms, position_s=position_s, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "now", "seeks", "loops"),
    [
        (at(0, 9.5), at(1_000, 0.4), 1, 1),
        (at(0, 9.5), at(1_000, 0.4), 0, 1),  # The event comes after the replies.
        (at(0, 0.1), at(100, 0.2), 1, 0),  # And is not counted again.
        (at(0, 5.0), at(1_000, 0.1), 1, 0),  # Somebody sought.
        (at(0, 9.5), at(1_000, 5.0), 1, 0),
        (at(0, 4.0), at(1_000, 5.0), 0, 0),
        (at(0, 0.1, duration_s=0.3), at(1_000, 0.2, duration_s=0.3), 3, 3),
        (at(0, 0.1, duration_s=0.3), at(1_000, 0.2, duration_s=0.3), 9, 4),
        (at(0, None), at(1_000, 0.1), 1, 0),
        (at(0, 9.5), at(1_000, 0.4, duration_s=None), 1, 0),
    ],
)
def test_a_loop_is_told_from_a_seek(before: PlayerLook, now: PlayerLook, seeks: int, loops: int) -> None:
    assert loops_between(before, now, seeks) == loops


@given(st.integers(1_000, 20_000), st.lists(st.integers(50, 900), min_size=1, max_size=60), st.booleans())
def test_every_round_counts_once(length_ms: int, gaps_ms: list[int], event_first: bool) -> None:
    """Whenever one looks, and whether mpv's event of the loop comes before or after the replies that show it.

    Where it comes after, a look at least within each round is needed to see the position fall.
    """
    playback, now_ms = Playback(stuck_s=1_000), 0
    playback.apply(Line(event="start-file"))

    def look() -> None:
        playback.see(at(now_ms, now_ms % length_ms / 1000, duration_s=length_ms / 1000))

    look()
    for gap_ms in gaps_ms:
        end_ms = now_ms + gap_ms
        while now_ms // length_ms < end_ms // length_ms:
            now_ms = (now_ms // length_ms + 1) * length_ms
            if event_first:
                playback.apply(Line(event="seek"))
            now_ms += 20
            look()
            if not event_first:
                playback.apply(Line(event="seek"))
            playback.apply(Line(event="playback-restart"))
            now_ms += 20
            look()
        now_ms = max(now_ms, end_ms)
        look()
    assert playback.loops == now_ms // length_ms


def test_a_position_that_stands_still_is_stuck_after_a_while() -> None:
    playback = Playback(stuck_s=2)
    looks = [at(0, 1.0), at(1_000, 2.0), at(2_000, 2.0), at(3_000, 2.0), at(3_500, 2.5)]
    assert [playback.see(look) for look in looks] == ["unknown", "moving", "moving", "stuck", "moving"]


def test_a_pause_is_not_being_stuck() -> None:
    playback = Playback(stuck_s=2)
    paused = [at(second * 1_000, 1.0, paused=True, core_idle=True) for second in range(9)]
    assert {playback.see(look) for look in paused[1:]} <= {"still", "unknown"}
    assert playback.see(at(9_000, 1.0)) != "stuck"


def test_a_file_that_never_begins_is_stuck() -> None:
    playback = Playback(stuck_s=2)
    looks = [at(second * 1_000, None, core_idle=True) for second in range(3)]
    assert [playback.see(look) for look in looks] == ["unknown", "unknown", "stuck"]


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        ("eof", "success"),
        ("stop", "success"),
        ("quit", "interrupted"),
        ("error", "content_failure"),
        ("redirect", None),
    ],
)
def test_how_a_file_ended(reason: str, ending: str | None) -> None:
    playback = Playback(stuck_s=2)
    playback.apply(Line(event="start-file", playlist_entry_id=1))
    playback.apply(Line(event="end-file", reason=reason, playlist_entry_id=1))
    assert playback.ending_of(1) == ending


def test_what_renders() -> None:
    assert is_rendering(at(0, 0.0, image=True, output_open=True, paused=True), "still") is True
    assert is_rendering(at(0, 0.0, image=True, output_open=False), "unknown") is False
    assert is_rendering(at(0, 1.0), "unknown") is None
    assert is_rendering(at(0, 1.0, paused=True), "moving") is False
    assert is_rendering(at(0, 1.0), "moving") is True
    assert is_rendering(at(0, 1.0, pictureless=True), "moving") is False


SOUND = {"type": "audio", "selected": True}


@pytest.mark.parametrize(
    ("tracks", "output_open", "lacks"),
    [
        ([SOUND], False, False),
        ([SOUND, {"type": "video", "selected": True, "albumart": True}], False, False),
        ([SOUND, {"type": "video", "selected": False}], False, True),
        ([SOUND, {"type": "video", "selected": False}], True, True),  # A window, forced open: it is black.
        ([SOUND, {"type": "video", "selected": True}], False, True),
        ([SOUND, {"type": "video", "selected": True}], True, False),  # Through --lavfi-complex.
    ],
)
def test_a_video_without_a_picture_is_told_from_sound(tracks: list[object], output_open: bool, lacks: bool) -> None:
    reply = Line(request_id=1, error="success", data=tracks)
    assert lacks_picture(at(0, 1.0, output_open=output_open), reply) is lacks


def test_tracks_that_are_none() -> None:
    assert lacks_picture(at(0, 1.0), Line(request_id=1, error="property unavailable")) is False
    with pytest.raises(ProbeError, match="unexpected type"):
        lacks_picture(at(0, 1.0), Line(request_id=1, error="success", data=[3]))


@given(st.lists(st.binary(min_size=1).filter(lambda line: b"\n" not in line and line.strip()), max_size=8), st.data())
def test_lines_come_out_however_they_are_cut(lines: list[bytes], data: st.DataObject) -> None:
    stream, buffer, out = b"".join(line + b"\n" for line in lines), LineBuffer(), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        out += buffer.feed(stream[:cut])
        stream = stream[cut:]
    assert out == lines
