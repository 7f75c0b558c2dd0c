"""The application: API, condition and page, with the headers that keep a browser from doing anything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import psycopg
import psycopg_pool
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from hub.api import condition, page, v1
from hub.api.question import Questions
from hub.config import HubSettings
from hub.metrics import HubMetrics
from hub.store.readers import ReaderPool

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
# A page of another site that resolves its own name to 127.0.0.1 gets nothing.
_HOSTS: Final = ["127.0.0.1", "localhost"]
_DESCRIPTION: Final = (
    "What kiosks at Vietnamese border gates reported: what is really on every screen, and what is not known. "
    "Reads only."
)


def create_app(settings: HubSettings, pool: ReaderPool, metrics: HubMetrics) -> FastAPI:
    """The application over a pool that the caller opens and closes."""
    app = FastAPI(
        title="ttdn-hub",
        version="1",
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
    )
    questions = Questions(pool, settings.ingest)
    app.include_router(v1.router(questions))
    app.include_router(condition.router(questions, metrics))
    app.include_router(page.router(questions))
    app.add_exception_handler(psycopg_pool.PoolTimeout, _no_database)
    app.add_exception_handler(psycopg.OperationalError, _no_database)
    app.middleware("http")(_with_headers)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS)
    return app


async def _with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


async def _no_database(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"detail": "the database is out of reach; try again soon"}, status_code=503)
