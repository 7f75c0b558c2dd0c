"""The chores that tell people of incidents, step by step, until somebody takes them in hand: one for each channel.

A mail server or a web server that hangs costs `TIMEOUT_S` a try. So a pass takes at most one failure of a target, what
else is due there waits for the next pass; it begins nothing after `BUDGET_S`; and targets whose last failure is longest
ago come first, so that those that hang do not use up the time of the others.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import psycopg

from hub.chores.chore import GoOn, always
from hub.compliance.escalation import Step, due
from hub.config import HubSettings
from hub.notices.channels import NotSent, send
from hub.notices.message import Told
from hub.store.incidents import Waiting, tried, waiting
from hub.store.moment import unix_ms

FIRST_RETRY_MS: Final = 10_000
LAST_RETRY_MS: Final = 3_600_000
BUDGET_S: Final = 30.0
"""A pass that has taken so long sends nothing more; another one follows at once."""
Channel = Literal["email", "webhook"]
log = logging.getLogger(__name__)


class _Notice(NamedTuple):
    """What is to be said, and the step that says it."""

    told: Told
    step: Step


def notify_by_mail(
    connection: psycopg.Connection[Any], settings: HubSettings, now: datetime, go_on: GoOn = always
) -> bool:
    """Send the mails that are due."""
    return _notify("email", connection, settings, now, go_on)


def notify_by_webhook(
    connection: psycopg.Connection[Any], settings: HubSettings, now: datetime, go_on: GoOn = always
) -> bool:
    """Post to the webhooks that are due."""
    return _notify("webhook", connection, settings, now, go_on)


def retry_ms(tries: int, tried_ms: int) -> int:
    """When a step that was tried so often is tried again, Unix ms."""
    return tried_ms + min(FIRST_RETRY_MS * 2 ** (tries - 1), LAST_RETRY_MS) if tries else 0


def _notify(
    channel: Channel, connection: psycopg.Connection[Any], settings: HubSettings, now: datetime, go_on: GoOn
) -> bool:
    """Send what is due by one channel. A step that does not go out is tried again, ever more seldom.

    True if the time was over before all that was due had its turn.
    """
    notices = settings.notices
    steps = [Step(step.after_s, step.channel, step.target) for step in notices.steps if step.channel == channel]
    if not steps:
        return False
    ends = time.monotonic() + BUDGET_S
    for queue in _queues(waiting(connection, notices.kinds), steps, unix_ms(now)):
        for notice in queue:
            if not go_on():
                return False
            if time.monotonic() >= ends:
                return True
            if not _send(connection, settings, notice, now):
                break
    return False


def _queues(incidents: Iterable[Waiting], steps: Iterable[Step], now_ms: int) -> list[list[_Notice]]:
    """What is due of each target; first the target whose last failure is longest ago, or that has none."""
    steps = list(steps)
    queues: dict[str, list[_Notice]] = defaultdict(list)
    failed_ms: dict[str, int] = defaultdict(int)
    for incident in incidents:
        for step, (_, tried_ms) in incident.failures.items():
            failed_ms[step.target] = max(failed_ms[step.target], tried_ms)
        for step, _ in due(incident.escalation, steps, now_ms):
            if now_ms >= retry_ms(*incident.failures.get(step, (0, 0))):
                queues[step.target].append(_Notice(incident.told, step))
    return [queues[target] for target in sorted(queues, key=lambda target: failed_ms[target])]


def _send(connection: psycopg.Connection[Any], settings: HubSettings, notice: _Notice, now: datetime) -> bool:
    """Whether it went out. A failure is noted at once, so that the step waits before it is tried again."""
    told, step = notice
    try:
        send(step.channel, step.target, told, settings.notices)
    except NotSent as error:
        log.warning("incident %d: a notice by %s did not go out: %s", told.id, step.channel, error)
        tried(connection, told.id, step, now, str(error)[:500])
        return False
    log.info("incident %d: told by %s", told.id, step.channel)
    tried(connection, told.id, step, now, None)
    return True
