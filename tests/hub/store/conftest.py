"""The store's suite runs over plain PostgreSQL and over TimescaleDB."""

from __future__ import annotations

import pytest


@pytest.fixture
def database(engine_database: str) -> str:
    """Connection string of a fresh database with all tables, over each engine in turn."""
    return engine_database
