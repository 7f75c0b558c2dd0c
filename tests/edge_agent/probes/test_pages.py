"""Which page is on screen, without a browser."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.probes.base import ProbeError
from edge_agent.probes.devtools import Message, Params, TargetInfo, parse_message, parse_port_file
from edge_agent.probes.pages import Page, PageLook, Pages, on_screen


def page(target_id: str, *, url: str = "http://k/", visible: bool = True, status: int = 200) -> Page:
    made = Page(target_id)
    made.session, made.answered, made.wanted_url = f"session-{target_id}", True, url
    made.look = PageLook(url, "visible" if visible else "hidden", "complete", 1.0, status, visible)
    return made


def test_what_is_visible_is_on_screen() -> None:
    front, back, blank = page("a"), page("b", visible=False), page("c", url="about:blank")
    assert on_screen([front, back, blank], None) is front
    assert on_screen([back, blank], None) is back
    assert on_screen([blank], None) is blank
    assert on_screen([], None) is None


def test_of_two_visible_pages_it_stays_the_same() -> None:
    pages = [page("a"), page("b")]
    assert on_screen(pages, "a") is pages[0]
    assert on_screen(pages, "b") is pages[1]


def test_a_page_that_answers_outweighs_one_that_died() -> None:
    dead, alive = page("a"), page("b")
    dead.crashed = True
    assert on_screen([dead, alive], "a") is alive
    assert on_screen([dead], None) is dead


def test_an_old_answer_says_nothing_about_now() -> None:
    hung = page("a")
    hung.begin_look()
    hung.asked = 7
    hung.end_look()
    states = [hung.state]
    hung.answer(
        Message(id=7, result=msgspec.Raw(b'{"result":{"value":["http://k/","visible","complete",1,200,true]}}'))
    )
    assert [*states, hung.state] == ["hung", "unknown"]  # It answers again, but that answered an older look.


@pytest.mark.parametrize(
    ("looked", "state"),
    [
        (page("a"), "drawn"),
        (page("a", visible=False), "hidden"),
        (page("a", url="chrome-error://chromewebdata/"), "failed"),
        (page("a", status=503), "failed"),
        (page("a", url="about:blank"), "blank"),
    ],
)
def test_states(looked: Page, state: str) -> None:
    assert looked.state == state


def test_only_pages_that_visitors_see_are_looked_at() -> None:
    pages = Pages()
    for number, (kind, subtype) in enumerate([("iframe", None), ("page", "prerender"), ("page", None)]):
        info = TargetInfo(f"t{number}", kind, "http://k/", subtype)
        pages.apply(Message(method="Target.attachedToTarget", params=Params(info, None, f"s{number}")))
    assert [page.target_id for page in pages.all()] == ["t2"]
    assert pages.new_sessions() == ["s2"]
    pages.apply(Message(method="Target.targetDestroyed", params=Params(target_id="t2")))
    assert pages.all() == []


def test_an_answer_that_is_none_is_named() -> None:
    with pytest.raises(ProbeError, match="Chromium"):
        page("a").answer(Message(id=1, result=msgspec.Raw(b'{"result":{"value":["http://k/",7]}}')))
    with pytest.raises(ProbeError, match="DevTools"):
        parse_message("<html>")


@pytest.mark.parametrize(
    "text", ["", "4711", "4711\n", "x\n/devtools/browser/1", "0\n/devtools/browser/1", "99999\n/devtools/x", "1\n/y"]
)
def test_a_half_written_port_file(text: str) -> None:
    assert parse_port_file(text) is None


def test_a_port_file() -> None:
    assert parse_port_file("4711\n/devtools/browser/ab-c") == "ws://127.0.0.1:4711/devtools/browser/ab-c"
