from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.observation import Content, Showing
from edge_agent.page_messages import Display
from edge_agent.web_player import Look, after_display, after_silence, showing_of

CLIP = "clip.mp4"


def looks(*displays: tuple[int, Display]) -> list[Showing]:
    """What is concluded from (moment in ms, message) after (moment, message)."""
    look: Look | None = None
    showings = []
    for at_ms, display in displays:
        look = after_display(look, display, at_ms)
        showings.append(showing_of(look, "main"))
    return showings


def clip(position_ms: int, *, playing: bool = True, turn: int | None = None, visible: bool | None = True) -> Display:
    return Display(content_ref=CLIP, playing=playing, position_ms=position_ms, turn=turn, visible=visible)


def test_the_word_of_a_page_is_reported_and_its_moving_position_rendering() -> None:
    first, second = looks((0, clip(0)), (5_000, clip(5_000)))
    assert (first.player, first.screen, first.content) == ("web", "main", Content(CLIP))
    assert (first.reported, first.rendering) == (True, None)
    assert (second.reported, second.rendering, second.at_ms) == (True, True, 5_000)
    assert first.turn == second.turn


def test_a_position_that_stands_still_is_not_rendering() -> None:
    assert [s.rendering for s in looks((0, clip(0)), (5_000, clip(5_000)), (10_000, clip(5_000)))] == [
        None,
        True,
        False,
    ]


def test_looks_that_are_close_together_prove_nothing() -> None:
    assert [s.rendering for s in looks((0, clip(0)), (1, clip(0)), (5_000, clip(9)), (5_001, clip(9)))] == [
        None,
        None,
        True,
        True,
    ]


def test_a_paused_or_hidden_clip_is_not_rendering() -> None:
    showings = looks((0, clip(0)), (5_000, clip(5_000, playing=False)), (9_000, clip(5_000)), (14_000, clip(9_000)))
    assert [(s.reported, s.rendering) for s in showings] == [(True, None), (False, False), (True, None), (True, True)]
    assert looks((0, clip(0)), (5_000, clip(5_000, visible=False)))[1].rendering is False


def test_a_picture_is_rendering_while_its_page_is_visible() -> None:
    def picture(visible: bool | None) -> Display:
        return Display(content_ref="a.jpg", playing=True, visible=visible)

    assert looks((0, picture(True)))[0].rendering is True
    assert looks((0, picture(False)))[0].rendering is False
    assert looks((0, picture(None)))[0].rendering is None


@pytest.mark.parametrize(
    ("before", "after", "turns"),
    [
        (clip(25_000), clip(2_000), 1),  # a loop: it began anew within the 5 s
        (clip(25_000), clip(20_000), 0),  # somebody sought back
        (clip(25_000, turn=1), clip(2_000, turn=1), 0),  # a page that counts knows best
        (clip(25_000, turn=1), clip(26_000, turn=2), 1),
    ],
)
def test_turns(before: Display, after: Display, turns: int) -> None:
    first, second = looks((0, before), (5_000, after))
    assert second.turn - first.turn == turns


def test_other_bytes_are_another_content() -> None:
    first, second = looks(
        (0, Display(content_ref=CLIP, sha256="a" * 64, playing=True)),
        (5_000, Display(content_ref=CLIP, sha256="b" * 64, playing=True)),
    )
    assert (first.content, second.content) == (Content(CLIP, "a" * 64), Content(CLIP, "b" * 64))


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("HTTPS://An:secret@Vietnam.vn:443/a/clip.mp4?name=An#x", "https://vietnam.vn/a/clip.mp4"),
        ("hình ảnh/đoạn phim (1).mp4", "hình ảnh/đoạn phim (1).mp4"),
        ("./a//../b.mp4", "b.mp4"),
    ],
)
def test_a_content_has_the_name_it_has_everywhere(said: str, named: str) -> None:
    (showing,) = looks((0, Display(content_ref=said)))
    assert showing.content == Content(named)


def test_a_page_that_shows_nothing_and_one_that_fell_silent() -> None:
    look = after_display(None, clip(0), 0)
    assert after_silence(look, 29_999, 30_000) is None
    silent = after_silence(look, 30_000, 30_000)
    assert silent is not None
    showing = showing_of(silent, "main")
    assert (showing.content, showing.reported, showing.rendering) == (None, None, None)
    assert after_silence(silent, 90_000, 30_000) is None
    assert after_silence(None, 90_000, 30_000) is None


@given(st.lists(st.tuples(st.integers(0, 20_000), st.none() | st.integers(0, 10**6), st.booleans()), max_size=30))
def test_rendering_is_never_claimed_of_what_does_not_play(walk: list[tuple[int, int | None, bool]]) -> None:
    at_ms, look, turn = 0, None, 0
    for passed_ms, position_ms, playing in walk:
        at_ms += passed_ms
        look = after_display(look, Display(content_ref=CLIP, playing=playing, position_ms=position_ms), at_ms)
        showing = showing_of(look, "main")
        assert showing.reported is playing
        assert playing or showing.rendering is False
        assert showing.turn >= turn
        turn = showing.turn
