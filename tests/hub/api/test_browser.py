"""A real browser logs in and out: what it sends of itself (origin, cookie) is what the hub takes for its own page's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import psycopg

from tests.chromium import ChromiumProcess, Hand
from tests.hub.api.serving import Api
from tests.hub.people.making import PASSWORD, add_person
from tests.patience import until

NOBODYS_SITE = "data:text/html,<form method=post action={address}logout></form>"


class Page:
    """The browser's one page."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._session = hand._session(hand.first)

    def evaluate(self, script: str) -> Any:
        """The value of an expression; None while a page goes and another comes."""
        try:
            answer = self._hand.call("Runtime.evaluate", self._session, expression=script, returnByValue=True)
        except AssertionError:
            return None
        return answer["result"].get("value")

    def wait_for(self, path: str, words: str) -> None:
        here = "location.pathname + location.search + '|' + document.readyState + '|' + document.body.innerText"

        def shown() -> bool:
            found = str(self.evaluate(here))
            return found.startswith(f"{path}|complete|") and words in found

        until(shown, f"{path} shows {words!r}; it shows {self.evaluate(here)!r}", 30)

    def fill(self, password: str) -> None:
        for field, text in (("name", "Nguyen.An"), ("password", password)):
            self.evaluate(f"document.getElementById('{field}').value = {json.dumps(text)}")
        self.evaluate("document.querySelector('form').requestSubmit()")


def test_login_page_logout(api: Api, connection: psycopg.Connection, browser: ChromiumProcess) -> None:
    add_person(connection, now=datetime.now(UTC))
    with browser.start(api.address).steer() as hand:
        page = Page(hand)
        page.wait_for("/login", "Đăng nhập")
        page.fill("not the password")
        page.wait_for("/login", "Tên hoặc mật khẩu không đúng")
        page.fill(PASSWORD)
        page.wait_for("/", "Đăng xuất")
        assert page.evaluate("document.cookie") == "", "no script reads the cookie"
        hand.navigate(NOBODYS_SITE.format(address=api.address))
        until(lambda: page.evaluate("document.querySelectorAll('form').length == 1 && location.protocol == 'data:'"))
        page.evaluate("document.querySelector('form').submit()")
        until(lambda: str(page.evaluate("location.href")).startswith(api.address), "the foreign form was sent", 30)
        hand.navigate(api.address)
        page.wait_for("/", "Đăng xuất")
        page.evaluate("document.querySelector('form.who-form').requestSubmit()")
        page.wait_for("/login?out=1", "Đã đăng xuất")
        hand.navigate(api.address)
        page.wait_for("/login", "Đăng nhập")
    deeds = [deed for (deed,) in connection.execute("SELECT deed FROM audit_entry ORDER BY id")]
    assert deeds == ["person_added", "login_failed", "login", "logout"]


def test_a_phone_shows_the_code_that_stands_behind_the_mark(api: Api, browser: ChromiumProcess) -> None:
    code = "-".join(["0123A"] * 8)
    with browser.start(api.address).steer() as hand:
        page = Page(hand)
        page.wait_for("/login", "Đăng nhập")
        hand.navigate(f"{api.address}enrol#{code}")
        page.wait_for("/enrol", f"sudo ttdn-agent enrol {api.address.rstrip('/')} {code}")
        assert page.evaluate("document.getElementById('code').textContent") == code
        assert page.evaluate("location.hash") == "", "it does not stay in the browser's history"
        hand.navigate(f"{api.address}enrol")
        page.wait_for("/enrol", "hãy quét lại mã QR")
