"""Moves roll-outs on: who is told next, from what devices have said."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import psycopg

from hub.config import HubSettings
from hub.fleet.rollout import LASTS
from hub.store.fleet_commands import FleetCommands
from hub.store.rollouts import move_on

log = logging.getLogger(__name__)


def move_rollouts(connection: psycopg.Connection[Any], _settings: HubSettings, now: datetime) -> bool:
    """One look at all that run."""
    for number, decision in move_on(connection, FleetCommands(connection), now, LASTS):
        if decision.order:
            log.info("roll-out %d: %d devices are told", number, len(decision.order))
        if decision.state == "halted":
            log.warning("roll-out %d halts: %s", number, decision.reason)
    return False
