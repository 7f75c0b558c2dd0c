"""Fixtures live in plugins `tests/fix_*.py`, one noun each."""

from __future__ import annotations

pytest_plugins = ["tests.fix_broker", "tests.fix_database", "tests.fix_players", "tests.fix_timescale"]
