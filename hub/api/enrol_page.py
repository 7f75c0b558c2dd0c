"""The page that a phone opens when it has scanned a code's QR: what to do with the code, which never gets here.

The code stands behind the #, which browsers keep to themselves; a few lines of our own script show it on the page.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from hub.api.page import html

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
}


def router() -> APIRouter:
    """/enrol and its script."""
    api = APIRouter(include_in_schema=False)
    script = (files("hub.api") / "templates" / "enrol.js").read_text(encoding="utf-8")

    @api.get("/enrol")
    def page() -> HTMLResponse:
        return HTMLResponse(html("enrol.html"), headers=_HEADERS)

    @api.get("/enrol.js")
    def code() -> Response:
        return Response(script, media_type="text/javascript")

    return api
