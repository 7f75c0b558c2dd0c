"""`serve`, `ingest`, `api` and `migrate`: the commands that a service manager runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.database import database
from hub.cli.options import ConfigOption, settings_of
from hub.config import HubSettings
from hub.errors import HubError
from hub.metrics import HubMetrics
from hub.service import Service, run_until, stop_signals
from hub.service_manager import ServiceManager
from hub.store.migrate import migrate as migrate_database

MigrateOption = Annotated[
    bool, typer.Option("--migrate", help="Bring the database up to date first; without it an old one is refused.")
]
ChoresOption = Annotated[
    bool, typer.Option("--chores/--no-chores", help="Also do what the hub does by itself: one process of all does.")
]
log = logging.getLogger(__name__)


def serve(config: ConfigOption = None, *, migrate_first: MigrateOption = False) -> None:
    """Run everything in one process: ingest from the brokers, and the API with the page of all screens.

    Ends in order on SIGTERM or SIGINT (exit code 0); what is in memory and not committed is sent again by its kiosks.
    If the ingest stops by itself the process ends with exit code 4, so that the service manager starts it again.
    """
    from hub.api.server import ApiServer
    from hub.chores.chores import CHORES
    from hub.chores.service import ChoreService
    from hub.ingest.service import IngestService

    def parts(settings: HubSettings) -> Sequence[Service]:
        metrics = HubMetrics()
        return IngestService(settings, metrics), ApiServer(settings, metrics), ChoreService(settings, metrics, CHORES)

    run_parts(config, parts, migrate_first=migrate_first)


def ingest(config: ConfigOption = None, *, migrate_first: MigrateOption = False, chores: ChoresOption = True) -> None:
    """Run only the ingest, in as many processes as ingest.processes says; any number of these share the messages.

    With --no-chores it reads no key of the certificate authority: `ttdn-hub maintain --stay` does the chores.
    Ends in order on SIGTERM or SIGINT (exit code 0); exit code 4 if it stops by itself.
    """
    from hub.chores.chores import CHORES
    from hub.chores.service import ChoreService
    from hub.ingest.colleague import Colleague
    from hub.ingest.service import IngestService

    def parts(settings: HubSettings) -> Sequence[Service]:
        colleagues = (Colleague(settings, number) for number in range(2, settings.ingest.processes + 1))
        metrics = HubMetrics()
        own = (ChoreService(settings, metrics, CHORES),) if chores else ()
        return IngestService(settings, metrics), *own, *colleagues

    run_parts(config, parts, migrate_first=migrate_first)


def api(config: ConfigOption = None) -> None:
    """Run only the API and the page of all screens; it writes sessions and its audit log, and else only reads.

    Ends in order on SIGTERM or SIGINT (exit code 0).
    """
    from hub.api.server import ApiServer

    run_parts(config, lambda settings: (ApiServer(settings, HubMetrics()),), migrate_first=False)


def migrate(config: ConfigOption = None) -> None:
    """Make the database's tables, or bring them up to date; safe to run again, and at the same time as another.

    Exit code 3 if the database is of a newer hub, or was made by another file of the same number.
    """
    _migrate(settings_of(config))


def run_parts(config: Path | None, parts: Callable[[HubSettings], Sequence[Service]], *, migrate_first: bool) -> None:
    """Until asked to stop; HubError if a part stops by itself."""
    manager = ServiceManager()
    settings = settings_of(config)
    with stop_signals() as asked:
        if migrate_first:
            _migrate(settings)
        with database(settings, "check"):
            pass  # it is there, and of this version
        reason = run_until(asked, parts(settings), manager)
    if reason is not None:
        raise HubError(reason)


def _migrate(settings: HubSettings) -> None:
    done = migrate_database(settings.database.conninfo())
    for migration in done:
        log.info("applied %s", migration.name)
    if not done:
        log.info("the database is up to date")
