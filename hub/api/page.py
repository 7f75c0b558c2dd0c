"""The page `/`: what is on every screen now, rendered here, without a script."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from hub import strings
from hub.api.access import NotKnown, access_of
from hub.api.incidents import Incident
from hub.api.models import Site
from hub.api.overview import LADDER, MOST_INCIDENTS, Overview, overview
from hub.api.question import Questions
from hub.people import strings as people_strings
from hub.people.principal import Principal
from hub.store.readers import IncidentFilter

REFRESH_S: Final = 10
FORM_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # under no-referrer a browser names no origin for our own forms
}
"""Of pages with a form; it can be sent nowhere else."""
_templates: Final = Environment(
    loader=PackageLoader("hub.api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def router(questions: Questions) -> APIRouter:
    """The page and its style sheet."""
    api = APIRouter(include_in_schema=False)
    style = (files("hub.api") / "templates" / "page.css").read_text(encoding="utf-8")

    @api.get("/")
    def page(request: Request) -> Response:
        try:
            who = access_of(request).demand(request, "read")
        except NotKnown:
            return RedirectResponse("/login", status_code=303)
        with questions.ask(who.provinces) as question:
            sites = [Site(**row) for row in question.reader.sites()]
            rows = question.reader.incidents(IncidentFilter(), MOST_INCIDENTS + 1, exact=who.is_exact)
            incidents = [Incident(**row) for row in rows]
            devices = question.devices(exact=who.is_exact)
            content = overview(sites, devices, incidents, question.live_brokers(), question.now)
        return form_page(render(content, who))

    @api.get("/page.css")
    def style_sheet() -> Response:
        return Response(style, media_type="text/css")

    return api


def render(content: Overview, who: Principal) -> str:
    """The page as HTML; every text of a device is escaped."""
    return html(
        "page.html",
        page=content,
        who=who,
        roles=people_strings.ROLES,
        ladder=LADDER,
        strings=strings,
        refresh_s=REFRESH_S,
    )


def html(template: str, **values: Any) -> str:
    """A template, filled in and escaped."""
    return _templates.get_template(template).render(**values)


def form_page(text: str, status: int = 200) -> HTMLResponse:
    """A page with a form that can only be sent to us."""
    return HTMLResponse(text, status_code=status, headers=FORM_HEADERS)
