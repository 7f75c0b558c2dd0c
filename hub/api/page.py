"""The page `/`: what is on every screen now, rendered here, without a script."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from hub import strings
from hub.api.models import Site
from hub.api.overview import LADDER, Overview, overview
from hub.api.question import Questions

REFRESH_S: Final = 10
_templates: Final = Environment(
    loader=PackageLoader("hub.api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def router(questions: Questions) -> APIRouter:
    """The page and its style sheet."""
    api = APIRouter(include_in_schema=False)
    style = (files("hub.api") / "templates" / "page.css").read_text(encoding="utf-8")

    @api.get("/")
    def page() -> HTMLResponse:
        with questions.ask() as question:
            sites = [Site(**row) for row in question.reader.sites()]
            content = overview(sites, question.devices(), question.live_brokers(), question.now)
        return HTMLResponse(render(content))

    @api.get("/page.css")
    def style_sheet() -> Response:
        return Response(style, media_type="text/css")

    return api


def render(content: Overview) -> str:
    """The page as HTML; every text of a device is escaped."""
    template = _templates.get_template("page.html")
    return template.render(page=content, ladder=LADDER, strings=strings, refresh_s=REFRESH_S)
