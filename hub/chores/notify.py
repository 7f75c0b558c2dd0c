"""The chore that tells people of incidents, step by step, until somebody takes them in hand."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, Final

import psycopg

from hub.compliance.escalation import Step, due
from hub.config import HubSettings
from hub.notices.channels import NotSent, send
from hub.store.incidents import tried, waiting
from hub.store.moment import unix_ms

FIRST_RETRY_MS: Final = 10_000
LAST_RETRY_MS: Final = 3_600_000
log = logging.getLogger(__name__)


def notify(connection: psycopg.Connection[Any], settings: HubSettings, now: datetime) -> bool:
    """Send what is due. A step that does not go out is tried again, ever more seldom; it stops no other."""
    notices = settings.notices
    steps = [Step(step.after_s, step.channel, step.target) for step in notices.steps]
    if not steps:
        return False
    now_ms = unix_ms(now)
    for incident in waiting(connection, notices.kinds):
        for step, _ in due(incident.escalation, steps, now_ms):
            if now_ms >= retry_ms(*incident.failures.get(step, (0, 0))):
                _send(connection, settings, incident.told.id, step, now, incident.told)
    return False


def retry_ms(tries: int, tried_ms: int) -> int:
    """When a step that was tried so often is tried again, Unix ms."""
    return tried_ms + min(FIRST_RETRY_MS * 2 ** (tries - 1), LAST_RETRY_MS) if tries else 0


def _send(
    connection: psycopg.Connection[Any], settings: HubSettings, incident: int, step: Step, now: datetime, told: Any
) -> None:
    try:
        send(step.channel, step.target, told, settings.notices)
    except NotSent as error:
        log.warning("incident %d: a notice by %s did not go out: %s", incident, step.channel, error)
        tried(connection, incident, step, now, str(error)[:500])
    else:
        log.info("incident %d: told by %s", incident, step.channel)
        tried(connection, incident, step, now, None)
