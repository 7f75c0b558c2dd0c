from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.events import Interaction
from edge_agent.bridge import Bridge
from edge_agent.bridge_rules import BridgeSettings
from edge_agent.clock import boottime_ms
from edge_agent.draft import Draft
from edge_agent.observation import Content, Showing
from edge_agent.reception import Reception
from simulator.site_server import SITE_FOLDER, SiteServer
from tests.chromium import ChromiumProcess, Hand
from tests.patience import until
from tests.visitor import Visitor

SCRIPT = Path(__file__).parents[2] / "edge_agent" / "web" / "ttdn.js"


class Agent:
    """A bridge and what came out of it."""

    def __init__(self, *origins: str, port: int = 0) -> None:
        self.drafts: list[Draft] = []
        self.showings: list[Showing] = []
        settings = BridgeSettings(port=port, origins=origins, burst_messages=1000)
        reception = Reception(settings, accept=self.drafts.extend, show=self.showings.append, now_ms=boottime_ms)
        self.bridge = Bridge(settings, reception)
        self.bridge.start()

    @property
    def events(self) -> list[Interaction]:
        return [draft.event for draft in self.drafts if isinstance(draft.event, Interaction)]

    @property
    def acts(self) -> list[tuple[str, str | None, str | None]]:
        """(action, target, language)"""
        return [(event.action, event.target, event.language) for event in self.events]


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    browser = ChromiumProcess(tmp_path_factory.mktemp("profile")).start("about:blank")
    try:
        with browser.steer() as hand:
            yield hand
    finally:
        browser.kill()


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer() as site:
        yield site


@pytest.fixture
def visitor(hand: Hand) -> Iterator[Visitor]:
    visitor = Visitor(hand)
    yield visitor
    visitor.goes_to("about:blank")


@pytest.fixture
def agent(site: SiteServer) -> Iterator[Agent]:
    agent = Agent(site.origin)
    yield agent
    agent.bridge.close()


def _open(visitor: Visitor, site: SiteServer, agent: Agent, more: str = "") -> None:
    visitor.goes_to(f"{site.origin}/index.html?agent={agent.bridge.url}/ttdn.js{more}")
    until(lambda: visitor.evaluate("document.readyState === 'complete' && !!window.ttdn"))


def test_a_visit_to_the_demo_site(visitor: Visitor, site: SiteServer, agent: Agent) -> None:
    _open(visitor, site, agent)
    visitor.touches("#attract")
    visitor.touches("[data-language=zh]")
    visitor.touches("[data-open=thu-tuc]")
    visitor.touches("[data-qr]")
    visitor.touches("#qr button")
    visitor.touches("#home")
    visitor.touches("[data-open=gop-y]")
    visitor.touches("[data-rate='4']")
    visitor.touches("#finish")
    until(lambda: ("session_end", None, "zh") in agent.acts)
    assert agent.acts == [
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
    assert [event.rating for event in agent.events if event.action == "feedback"] == [4]
    assert len({event.session for event in agent.events}) == 1
    dwell_ms = sum(event.duration_ms or 0 for event in agent.events if event.action == "page_view")
    assert 0 < dwell_ms <= (agent.events[-1].duration_ms or 0)
    assert visitor.evaluate("ttdn.dropped") == 0
    assert set(agent.bridge.counts()) == {"messages", "repeated"}


def test_nobody_touching_makes_no_session(visitor: Visitor, site: SiteServer, agent: Agent) -> None:
    _open(visitor, site, agent)
    visitor.evaluate("for (const page of ['a', 'b']) { ttdn.page(page); ttdn.language('en'); ttdn.feedback(5); }")
    visitor.evaluate("document.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true})); ttdn.page('c')")
    until(lambda: agent.bridge.counts().get("messages", 0) >= 7)
    assert agent.drafts == []


def test_the_page_returns_to_its_beginning_when_nobody_is_there(
    visitor: Visitor, site: SiteServer, agent: Agent
) -> None:
    _open(visitor, site, agent, "&idle_s=0.5")
    visitor.touches("#attract")
    until(lambda: [act[0] for act in agent.acts] == ["session_start", "page_view", "session_end"])
    assert visitor.evaluate("document.getElementById('attract').hidden") is False


def test_a_medium_is_told_by_itself(visitor: Visitor, site: SiteServer, agent: Agent) -> None:
    _open(visitor, site, agent, "&page=van-hoa")
    visitor.touches("[data-listen]")
    until(lambda: visitor.evaluate("!document.querySelector('audio').paused"))
    until(lambda: visitor.evaluate("document.querySelector('audio').paused"))  # five seconds later
    until(lambda: ("media_play", "giai-dieu", None) in agent.acts)
    (played,) = [event for event in agent.events if event.action == "media_play"]
    assert 1_000 < (played.duration_ms or 0) < 60_000


def test_the_site_works_without_an_agent_and_finds_one_that_comes_later(visitor: Visitor, site: SiteServer) -> None:
    agent = Agent(site.origin)
    port = agent.bridge.port
    agent.bridge.close()
    visitor.goes_to(f"{site.origin}/index.html?agent={agent.bridge.url}/ttdn.js")
    visitor.touches("#attract")
    visitor.touches("[data-open=dau-tu]")
    until(lambda: visitor.evaluate("document.querySelector('h2')?.textContent") == "Thông tin đầu tư")
    late = Agent(site.origin, port=port)
    try:
        until(lambda: bool(visitor.evaluate("!!window.ttdn")))
        visitor.touches("#home")
        until(lambda: "session_start" in [act[0] for act in late.acts])
    finally:
        late.bridge.close()


def test_messages_wait_for_an_agent_that_restarts(visitor: Visitor, site: SiteServer) -> None:
    agent = Agent(site.origin)
    _open(visitor, site, agent)
    port = agent.bridge.port
    agent.bridge.close()
    visitor.touches("#attract")
    visitor.touches("[data-open=hoa-binh]")
    until(lambda: visitor.evaluate("document.querySelector('h2')?.textContent") == "Biên giới hòa bình, hữu nghị")
    back = Agent(site.origin, port=port)
    try:
        until(lambda: ("page_view", "home", None) in back.acts)
        assert [act[:2] for act in back.acts] == [("session_start", None), ("page_view", "home")]
    finally:
        back.bridge.close()


def test_a_wrong_message_costs_only_itself(visitor: Visitor, site: SiteServer, agent: Agent) -> None:
    _open(visitor, site, agent)
    visitor.clicks(5, 5)
    visitor.evaluate("ttdn.page('a'); ttdn.page('Nguyen Van A'); ttdn.qr('0912345678'); ttdn.search(); ttdn.end()")
    until(lambda: "session_end" in [act[0] for act in agent.acts])
    assert visitor.evaluate("ttdn.dropped") == 2
    assert {"a", "home", None} == {act[1] for act in agent.acts}
    assert "search_used" in [act[0] for act in agent.acts]


def test_a_queue_without_agent_is_bounded(visitor: Visitor, site: SiteServer, agent: Agent) -> None:
    _open(visitor, site, agent)
    visitor.evaluate("window.fetch = () => Promise.reject(new TypeError('away')); ttdn.dropped = 0")
    assert visitor.evaluate("for (let n = 0; n < 100; n++) ttdn.page('a'); ttdn.dropped") >= 36


def test_pages_that_are_loaded_anew_are_one_visit(visitor: Visitor, tmp_path: Path) -> None:
    with SiteServer(folder=tmp_path) as site:
        agent = Agent(site.origin)
        try:
            for name, other in (("one", "two"), ("two", "one")):
                (tmp_path / f"{name}.html").write_text(
                    f'<body data-ttdn-page="{name}"><script src="{agent.bridge.url}/ttdn.js"></script>'
                    f'<a id="{name}" href="{other}.html" style="display: block; height: 20em">go</a>'
                )
            visitor.goes_to(f"{site.origin}/one.html")
            visitor.touches("#one")
            visitor.touches("#two")
            until(lambda: ("page_view", "two", None) in agent.acts)
            assert [act[:2] for act in agent.acts] == [
                ("session_start", None),
                ("page_view", "one"),
                ("page_view", "two"),
            ]
        finally:
            agent.bridge.close()


def test_what_a_page_plays_is_shown(visitor: Visitor, site: SiteServer, agent: Agent) -> None:
    _open(visitor, site, agent)
    visitor.evaluate("ttdn.display('https://vietnam.vn/a.jpg?visitor=1'); ttdn.display(null)")
    until(lambda: len(agent.showings) == 2)
    assert [showing.content for showing in agent.showings] == [Content("https://vietnam.vn/a.jpg"), None]
    assert agent.showings[0].rendering is True


def test_the_script_is_small_and_stores_nothing() -> None:
    script = SCRIPT.read_text()
    assert len(script.encode()) < 4096
    for storing in ("localStorage", "sessionStorage", "cookie", "indexedDB", "caches"):
        assert storing not in script


def test_every_language_has_every_text() -> None:
    table = json.loads((SITE_FOLDER / "strings.js").read_text().removeprefix("window.STRINGS = ").rstrip(";\n"))
    assert set(table) == set(BridgeSettings().languages)
    assert len({_shape(texts) for texts in table.values()}) == 1


def _shape(texts: Any) -> str:
    if isinstance(texts, dict):
        return "{" + ",".join(f"{key}:{_shape(value)}" for key, value in texts.items()) + "}"
    if isinstance(texts, list):
        return "[" + ",".join(map(_shape, texts)) + "]"
    assert texts.strip()
    return "text"
