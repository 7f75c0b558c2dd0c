"""The login form: a plain page in Vietnamese, sent and answered without a script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from hub.api.access import NotKnown, access_of
from hub.api.entrance import Entrance, Foreign, Insecure
from hub.api.limits import TooMany
from hub.api.origin import is_private
from hub.api.page import form_page, html
from hub.people import strings

_MOST_FIELDS: Final = 10


async def _form(request: Request) -> Mapping[str, str]:
    try:
        return dict(parse_qsl((await request.body()).decode(), max_num_fields=_MOST_FIELDS))
    except ValueError:  # not UTF-8, or too many fields
        return {}


Form = Annotated[Mapping[str, str], Depends(_form)]


def router(entrance: Entrance) -> APIRouter:
    """/login and /logout."""
    api = APIRouter(include_in_schema=False)

    @api.get("/login")
    def ask(request: Request, out: str = "") -> Response:
        said = strings.LOGIN_OUT if out else "" if is_private(request) else strings.LOGIN_INSECURE
        return _page(said, nobody_yet=entrance.is_empty())

    @api.post("/login")
    def answer(request: Request, form: Form) -> Response:
        name, password = form.get("name", ""), form.get("password", "")
        if not name or not password:
            return _page(strings.LOGIN_INCOMPLETE, name=name, status=422)
        entered = RedirectResponse("/", status_code=303)
        try:
            entrance.enter(request, entered, name, password)
        except HTTPException as error:
            return _refused(error, name)
        return entered

    @api.post("/logout")
    def leave(request: Request) -> Response:
        left = RedirectResponse("/login?out=1", status_code=303)
        try:
            access_of(request).demand(request)
        except NotKnown:
            return left
        entrance.leave(request, left)
        return left

    return api


def _refused(error: HTTPException, name: str) -> Response:
    words = strings.MESSAGES.get(error.status_code, strings.MESSAGE_OTHER)
    if isinstance(error, NotKnown):
        words = strings.LOGIN_WRONG
    elif isinstance(error, TooMany):
        words = strings.LOGIN_WAIT.format(wait=strings.wait_words(error.wait_s))
    elif isinstance(error, Insecure):
        words = strings.LOGIN_INSECURE
    elif isinstance(error, Foreign):
        words = strings.LOGIN_FOREIGN
    page = _page(words, name=name, status=error.status_code)
    page.headers.update(error.headers or {})
    return page


def _page(said: str, *, name: str = "", nobody_yet: bool = False, status: int = 200) -> Response:
    return form_page(html("login.html", said=said, name=name, nobody_yet=nobody_yet, strings=strings), status)
