"""How the hub itself is: alive, ready, and what it has counted."""

from __future__ import annotations

import psycopg
import psycopg_pool
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from hub.api.models import Readiness
from hub.api.question import Questions
from hub.errors import MigrationError
from hub.metrics import HubMetrics
from hub.store.migrate import check


def router(questions: Questions, metrics: HubMetrics) -> APIRouter:
    """/healthz, /readyz and /metrics."""
    api = APIRouter(tags=["condition"])

    @api.get("/healthz", summary="The process lives")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @api.get("/readyz", summary="Database, schema and broker work", responses={503: {"model": Readiness}})
    def readyz(response: Response) -> Readiness:
        reasons = not_ready(questions)
        response.status_code = 503 if reasons else 200
        return Readiness(ready=not reasons, reasons=reasons)

    @api.get("/metrics", summary="For Prometheus", response_class=Response)
    def exposition() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return api


def not_ready(questions: Questions) -> list[str]:
    """Why the hub does not do its work now, in words without secrets."""
    try:
        with questions.pool.connection() as connection:
            check(connection)
        with questions.ask() as question:
            brokers = question.live_brokers()
    except MigrationError as error:
        return [str(error)]
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout):
        return ["the database is out of reach; see database.dsn and the log"]
    return [] if brokers else ["no worker listens on a broker; see mqtt.brokers and the log of the ingest"]
