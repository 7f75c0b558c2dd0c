"""Identify, snapshot and restart of a real Chromium, with the probe looking on."""

from __future__ import annotations

import struct

import pytest

from contract.command import MAX_PICTURE_BYTES
from edge_agent.observation import Showing, Trouble
from edge_agent.probes.chromium import ChromiumProbe, ChromiumSettings
from edge_agent.remote.chromium_hand import ChromiumHand
from edge_agent.remote.hand import HandError
from tests.chromium import ChromiumProcess, Hand, Website
from tests.patience import until

# Its policy allows no style and no script of anybody: what we show must not depend on it.
PAGES = {
    "strict": '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'"><h1>Thủ tục</h1>',
}
_SHEET = "document.documentElement.lastElementChild"


def evaluated(hand: Hand, expression: str) -> object:
    session = hand._session(hand.first)
    result = hand.call("Runtime.evaluate", session, expression=expression, returnByValue=True)["result"]
    return result.get("value")


def jpeg_size(body: bytes) -> tuple[int, int]:
    """Width and height, from the frame header."""
    at = 2
    while body[at + 1] not in (0xC0, 0xC2):
        at += 2 + int(struct.unpack(">H", body[at + 2 : at + 4])[0])
    height, width = struct.unpack(">HH", body[at + 5 : at + 9])
    return width, height


def test_a_browser_shows_its_name_gives_a_picture_and_ends(site: Website, browser: ChromiumProcess) -> None:
    browser.start(site.url("strict"))
    settings = ChromiumSettings(user_data_dir=str(browser.profile), timeout_s=20)
    hand, probe = ChromiumHand(settings), ChromiumProbe(settings)
    until(lambda: any(isinstance(reading, Showing) and reading.rendering for reading in probe.read()))

    hand.identify(["Cửa khẩu Chi Ma </div>", "bg-20-cma-k1"])
    with browser.steer() as steering:
        assert evaluated(steering, f"{_SHEET}.innerText.split('\\n').filter(Boolean).join('|')") == (
            "Cửa khẩu Chi Ma </div>|bg-20-cma-k1"
        )
        seen = (
            f"(r => [r.left, r.top, r.width >= innerWidth, r.height >= innerHeight])({_SHEET}.getBoundingClientRect())"
        )
        assert evaluated(steering, seen) == [0, 0, True, True]
        assert evaluated(steering, f"getComputedStyle({_SHEET}).backgroundColor") == "rgb(0, 40, 77)"
        evaluated(steering, f"{_SHEET}.remove()")

    picture = hand.snapshot()
    assert picture.content_type == "image/jpeg"
    assert len(picture.body) <= MAX_PICTURE_BYTES
    width, height = jpeg_size(picture.body)
    assert 0 < height <= width <= 640

    (look,) = [reading for reading in probe.read() if isinstance(reading, Showing)]
    assert (look.rendering, look.turn) == (True, 1), "the probe has seen one content all the while"

    hand.restart()
    until(lambda: any(isinstance(reading, Trouble) and reading.code == "browser_gone" for reading in probe.read()))
    for do in (hand.snapshot, hand.restart):
        with pytest.raises(HandError, match="chromium: "):
            do()
    probe.close()


def test_without_a_browser_it_says_what_is_missing(browser: ChromiumProcess) -> None:
    hand = ChromiumHand(ChromiumSettings(user_data_dir=str(browser.profile)))
    with pytest.raises(HandError, match="was not started with this profile"):
        hand.identify(["bg-20-cma-k1"])
