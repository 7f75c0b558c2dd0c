"""The demo kiosk's own site, touched in a real browser, and what the database says of its visitors."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Final

import pytest

from simulator.site_server import SiteServer
from tests.chromium import ChromiumProcess
from tests.end_to_end.border import Kiosk
from tests.end_to_end.conftest import Border, MakeKiosk
from tests.end_to_end.seen import Act
from tests.patience import until
from tests.visitor import Visitor

SETTINGS: Final = """
[bridge]
enabled = true
port = {port}
origins = ["{origin}"]
[probes.chromium]
user_data_dir = "{profile}"
interval_s = 0.3
"""


@pytest.fixture
def site() -> Iterator[SiteServer]:
    with SiteServer() as site:
        yield site


@pytest.fixture
def kiosk(make_kiosk: MakeKiosk, site: SiteServer, browser: ChromiumProcess, free_port: int) -> Iterator[Kiosk]:
    settings = SETTINGS.format(port=free_port, origin=site.origin, profile=browser.profile)
    with make_kiosk(settings) as kiosk:
        yield kiosk


def test_two_visitors(border: Border, kiosk: Kiosk, browser: ChromiumProcess, site: SiteServer, free_port: int) -> None:
    seen = border.seen(kiosk)
    address = f"{site.origin}/index.html?agent=http://127.0.0.1:{free_port}/ttdn.js"
    began = time.monotonic()
    with browser.start(address).steer() as hand:
        visitor = Visitor(hand)
        until(lambda: visitor.evaluate("document.readyState === 'complete' && !!window.ttdn"), "the agent's script")
        for selector in ("#attract", "[data-language=zh]", "[data-open=thu-tuc]", "[data-qr]", "#qr button", "#home"):
            visitor.touches(selector)
        for selector in ("[data-open=gop-y]", "[data-rate='4']", "#finish"):
            visitor.touches(selector)
        for selector in ("#attract", "[data-language=lo]", "[data-open=van-hoa]"):
            visitor.touches(selector)
        time.sleep(1)
        visitor.touches("#finish")
        until(lambda: [act.action for act in seen.acts()].count("session_end") == 2, "both visits are stored")
        assert visitor.evaluate("ttdn.dropped") == 0
    took_ms = (time.monotonic() - began) * 1000
    first, second = _visits(seen.acts())
    assert [act[1:4] for act in first] == [
        ("session_start", None, None),
        ("language", None, "zh"),
        ("page_view", "home", "zh"),
        ("qr_shown", "vietnam.vn", "zh"),
        ("page_view", "thu-tuc", "zh"),
        ("page_view", "home", "zh"),
        ("feedback", None, "zh"),
        ("page_view", "gop-y", "zh"),
        ("session_end", None, "zh"),
    ]
    assert [act.rating for act in first if act.action == "feedback"] == [4]
    assert [act[1:4] for act in second if act.action in ("language", "page_view")] == [
        ("language", None, "lo"),
        ("page_view", "home", "lo"),
        ("page_view", "van-hoa", "lo"),
    ]
    for visit in (first, second):
        dwell_ms = sum(act.duration_ms or 0 for act in visit if act.action == "page_view")
        assert 0 < dwell_ms <= (visit[-1].duration_ms or 0) < took_ms
    assert next(act.duration_ms or 0 for act in second if act.target == "van-hoa") > 900
    shown = seen.wait_for(f"{site.origin}/index.html", lambda row: row.rendering, "renders")
    assert "agent" not in shown.ref  # Of a URL's query nothing is kept.


def test_only_the_kiosk_s_own_pages_may_speak(
    border: Border, kiosk: Kiosk, browser: ChromiumProcess, site: SiteServer, free_port: int
) -> None:
    seen = border.seen(kiosk)
    foreign = site.origin.replace("127.0.0.1", "localhost")
    with browser.start(f"{foreign}/index.html?agent=http://127.0.0.1:{free_port}/ttdn.js").steer() as hand:
        visitor = Visitor(hand)
        until(lambda: visitor.evaluate("document.readyState === 'complete'"), "the page")
        visitor.touches("#attract")
        visitor.touches("[data-open=gop-y]")
        refused = re.compile("origin")
        until(lambda: any(map(refused.search, _counts(kiosk))), "the refusal is counted")
    kiosk.stop()
    until(lambda: seen.life()[-1:] == ["stop"], "the stop")
    assert seen.acts() == []


def _counts(kiosk: Kiosk) -> dict[str, int]:
    status = kiosk.last_status()
    return status.bridge if status is not None else {}


def _visits(acts: list[Act]) -> tuple[list[Act], list[Act]]:
    """By session, in the order in which they began."""
    visits: dict[int, list[Act]] = {}
    for act in acts:
        visits.setdefault(act.session, []).append(act)
    first, second = visits.values()
    return first, second
