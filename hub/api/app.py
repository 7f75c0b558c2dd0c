"""The application: API, condition and pages, with the headers that keep a browser from doing anything else."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, NamedTuple

import psycopg
import psycopg_pool
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from hub.api import (
    account,
    catalogue,
    condition,
    enrol_page,
    enrolment,
    fleet,
    incidents,
    login_page,
    page,
    plan_results,
    registry,
    updates,
    v1,
    visits,
)
from hub.api.access import Access, within_limits
from hub.api.entrance import Entrance
from hub.api.limits import Limits
from hub.api.question import Questions, utc_now
from hub.config import ApiSettings, HubSettings, PkiSettings
from hub.metrics import HubMetrics
from hub.people import strings
from hub.people.passwords import Argon2, Hashing
from hub.releases.shelf import Shelf
from hub.store.people import PeoplePool
from hub.store.readers import ReaderPool

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Of every answer that does not say otherwise; pages with a form do (`page.FORM_HEADERS`)."""
MOST_BODY_BYTES: Final = 65_536
_LENGTH: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1", "[::1]")
_PAGES: Final = {"/", "/login", "/logout"}
_DESCRIPTION: Final = (
    "What kiosks at Vietnamese border gates reported: what is really on every screen, and what is not known. "
    "Of that it only reads, but for incidents, which named persons take in hand and close, and for what devices are "
    "to have and to do; "
    "each answer holds what the provinces of who asks allow."
)


class Pools(NamedTuple):
    """Connections of two kinds: those that only read, and those that write sessions and the audit log."""

    reading: ReaderPool
    people: PeoplePool


def create_app(
    settings: HubSettings,
    pools: Pools,
    metrics: HubMetrics,
    *,
    clock: Callable[[], datetime] = utc_now,
    hashing: Hashing | None = None,
) -> FastAPI:
    """The application over pools that the caller opens and closes."""
    app = FastAPI(
        title="ttdn-hub",
        version="1",
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        dependencies=[Depends(within_limits)],
    )
    limits = Limits(settings.api)
    access = Access(settings.api, pools.people, limits, clock)
    entrance = Entrance(pools.people, access.lifetime, limits, clock, hashing or Argon2())
    app.state.access = access
    questions = Questions(pools.reading, settings.ingest, clock)
    for part in (
        v1.router(questions),
        catalogue.router(questions),
        plan_results.router(questions),
        visits.router(questions),
        registry.router(questions, settings),
        incidents.router(questions, pools.people),
        fleet.router(questions, pools.people, settings),
        account.router(entrance),
        condition.router(questions, metrics),
        page.router(questions),
        login_page.router(entrance),
        enrolment.router(enrolment.Desk(settings.pki, pools.people, limits, metrics, clock)),
        enrol_page.router(),
        updates.router(Shelf(settings.releases.folder)),
    ):
        app.include_router(part)
    app.add_exception_handler(psycopg_pool.PoolTimeout, _no_database)
    app.add_exception_handler(psycopg.OperationalError, _no_database)
    app.add_exception_handler(HTTPException, _refusal)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.middleware("http")(_with_headers)
    app.add_middleware(
        TrustedHostMiddleware, allowed_hosts=allowed_hosts(settings.api, settings.pki), www_redirect=False
    )
    return app


def allowed_hosts(settings: ApiSettings, pki: PkiSettings) -> list[str]:
    """Names that a request may ask for: so a foreign page that resolves its own name to us gets nothing."""
    if settings.names or settings.is_local:
        return [*_LOOPBACK, *settings.names, *([pki.name] if pki.is_set else [])]
    return ["*"]


async def _with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request) if _is_short(request) else _too_long()
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _is_short(request: Request) -> bool:
    """Whether the body is of a known length that we are willing to read."""
    if "transfer-encoding" in request.headers:
        return False
    length = request.headers.get("content-length", "0")
    most = registry.MOST_UPLOAD_BYTES if request.url.path.startswith(registry.UPLOAD_PATH) else MOST_BODY_BYTES
    return _LENGTH.fullmatch(length) is not None and int(length) <= most


def _too_long() -> Response:
    return JSONResponse({"detail": f"a request's body has at most {MOST_BODY_BYTES} bytes, and says how many"}, 413)


async def _no_database(request: Request, _error: Exception) -> Response:
    return await _refusal(request, HTTPException(503, "the database is out of reach; try again soon"))


async def _refusal(request: Request, error: Exception) -> Response:
    """As JSON to programs, in words to people."""
    if not isinstance(error, HTTPException):
        raise error
    if request.url.path.startswith(enrolment.PREFIX):
        return enrolment.refusal(error)
    if request.url.path not in _PAGES:
        return await http_exception_handler(request, error)
    said = strings.MESSAGES.get(error.status_code, strings.MESSAGE_OTHER)
    answer = page.form_page(page.html("message.html", said=said, detail=error.detail), error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _not_valid(_request: Request, error: Exception) -> Response:
    """What is wrong and where; values are not repeated: one of them may be a password."""
    if not isinstance(error, RequestValidationError):
        raise error
    problems = [{key: item[key] for key in ("type", "loc", "msg")} for item in error.errors()]
    return JSONResponse({"detail": problems}, status_code=422)
