"""The application."""

from __future__ import annotations

from fastapi import FastAPI

from hub.config import HubSettings
from hub.metrics import HubMetrics
from hub.store.readers import ReaderPool


def create_app(settings: HubSettings, pool: ReaderPool, metrics: HubMetrics) -> FastAPI:
    """The application."""
    app = FastAPI(title="ttdn-hub")

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app
