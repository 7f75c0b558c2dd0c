"""How the hub itself is: alive, ready, and what it has counted."""

from __future__ import annotations

import psycopg
import psycopg_pool
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from hub.api.access import Counting
from hub.api.models import Problem, Readiness
from hub.api.origin import is_local
from hub.api.question import Questions
from hub.errors import MigrationError
from hub.metrics import HubMetrics
from hub.store.migrate import check


def router(questions: Questions, metrics: HubMetrics) -> APIRouter:
    """/healthz and /readyz for everybody, reasons on this machine only; /metrics for the scope of that name."""
    api = APIRouter(tags=["condition"])

    @api.get("/healthz", summary="The process lives")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @api.get("/readyz", summary="Database, schema and broker work", responses={503: {"model": Readiness}})
    def readyz(request: Request, response: Response) -> Readiness:
        reasons = not_ready(questions)
        response.status_code = 503 if reasons else 200
        return Readiness(ready=not reasons, reasons=reasons if is_local(request) else [])

    @api.get(
        "/metrics",
        summary="For Prometheus",
        response_class=Response,
        responses={401: {"model": Problem}, 403: {"model": Problem}},
    )
    def exposition(_who: Counting) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return api


def not_ready(questions: Questions) -> list[str]:
    """Why the hub does not do its work now, in words without secrets."""
    try:
        with questions.pool.connection() as connection:
            check(connection)
        with questions.ask(None) as question:
            brokers = question.live_brokers()
    except MigrationError as error:
        return [str(error)]
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout):
        return ["the database is out of reach; see database.dsn and the log"]
    return [] if brokers else ["no worker listens on a broker; see mqtt.brokers and the log of the ingest"]
