"""All chores. A new one is one more entry."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from hub.chores.chore import Chore, LongChore
from hub.chores.identity import keep_identities
from hub.chores.notify import notify_by_mail, notify_by_webhook
from hub.chores.rollouts import move_rollouts
from hub.compliance.coverage import CoverageRules
from hub.config import HubSettings
from hub.store.fleet import tidy
from hub.store.fulfilment import MOST_AT_ONCE as MOST_DAYS
from hub.store.fulfilment import close_days, judge_some
from hub.store.maintain import maintain
from hub.store.play_days import record_days
from hub.store.published import publish
from hub.store.roles import end_overlong
from hub.store.visits import MOST_AT_ONCE, settle
from hub.visitors.published import PublicationRules

QUIET_S: Final = 20.0
"""So long nothing must have come in for a visitor's session before its fact is made."""
log = logging.getLogger(__name__)


def _settle_visits(connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime) -> bool:
    return settle(connection, quiet_s=QUIET_S) == MOST_AT_ONCE


def _maintain(connection: psycopg.Connection[Any], settings: HubSettings, now: datetime) -> bool:
    storage = settings.storage
    maintain(connection, storage.retention_days(), storage.compress_after_days, now, log.info)
    return False


def _record_days(connection: psycopg.Connection[Any], _settings: HubSettings, now: datetime) -> bool:
    record_days(connection, now, log.info)
    return False


def _judge(connection: psycopg.Connection[Any], settings: HubSettings, now: datetime) -> bool:
    rules = CoverageRules(heartbeat_ms=settings.compliance.heartbeat_s * 1000)
    close_days(connection, now, rules)
    return judge_some(connection, rules, settings.compliance.minimum_grade, now) == MOST_DAYS


def _publish(connection: psycopg.Connection[Any], settings: HubSettings, now: datetime) -> bool:
    visitors = settings.visitors
    rules = PublicationRules(visitors.threshold, visitors.closed_after_days)
    done = publish(connection, rules, visitors.languages, now)
    if done.cells:
        log.info("published %d figures of visitors", len(done.cells))
    return False


def _end_overlong(connection: psycopg.Connection[Any], _settings: HubSettings, _now: datetime) -> bool:
    for role in end_overlong(connection):
        log.warning("a transaction of reader %s lasted too long and was ended", role)
    return False


def _tidy_fleet(connection: psycopg.Connection[Any], _settings: HubSettings, now: datetime) -> bool:
    if dropped := tidy(connection, now):
        log.info("%d pictures of screens are gone", dropped)
    return False


CHORES: Final = (
    Chore("readers", timedelta(seconds=30), _end_overlong),  # first: others may wait for what a reader holds
    Chore("daily record", timedelta(minutes=5), _record_days),
    Chore("judge", timedelta(minutes=1), _judge),
    LongChore("notices by mail", timedelta(seconds=2), notify_by_mail, lane="mail"),
    LongChore("notices by webhook", timedelta(seconds=2), notify_by_webhook, lane="webhook"),
    LongChore("identities", timedelta(seconds=5), keep_identities, lane="identities"),
    Chore("roll-outs", timedelta(seconds=20), move_rollouts),
    Chore("visits", timedelta(seconds=5), _settle_visits),
    Chore("pictures", timedelta(hours=1), _tidy_fleet),
    Chore("maintain", timedelta(days=1), _maintain, by_night=True),
    Chore("publish", timedelta(days=1), _publish, by_night=True),
)
