"""All commands of `ttdn-hub` in one place, and what becomes of an error: a text on standard error and an exit code."""

from __future__ import annotations

import sys
from typing import NoReturn

import psycopg
import typer
from rich.console import Console

from hub.cli import (
    audit,
    catalogue,
    command,
    config,
    counts,
    device,
    fleet,
    incident,
    maintain,
    pki,
    plan,
    registry,
    rejected,
    release,
    roles,
    rollout,
    run,
    token,
    user,
    visitors,
)
from hub.cli.exits import DIFFERENT, EPILOG, STOPPED, UNAVAILABLE, WRONG
from hub.errors import ConfigError, HubError, ImportRefused, MigrationError
from hub.fleet.errors import BadSetting
from hub.people.errors import PeopleRefused
from hub.store.audit import UnknownDevice
from hub.store.catalogue import CatalogueRefused

app = typer.Typer(
    name="ttdn-hub",
    help="The provincial hub of the border information points: takes what kiosks report, stores it exactly once, "
    "and shows what is really on every screen.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve", epilog=EPILOG)(run.serve)
app.command("ingest", epilog=EPILOG)(run.ingest)
app.command("api", epilog=EPILOG)(run.api)
app.command("migrate", epilog=EPILOG)(run.migrate)
app.command("audit", epilog=EPILOG)(audit.audit)
app.command("maintain", epilog=EPILOG)(maintain.maintain)
app.add_typer(registry.app, name="registry")
app.add_typer(device.app, name="device")
app.add_typer(pki.app, name="pki")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(plan.app, name="plan")
app.add_typer(rejected.app, name="rejected")
app.add_typer(counts.app, name="counts")
app.add_typer(incident.app, name="incident")
app.add_typer(fleet.app, name="fleet")
app.add_typer(command.app, name="command")
app.add_typer(user.app, name="user")
app.add_typer(token.app, name="token")
app.add_typer(roles.app, name="roles")
app.add_typer(visitors.app, name="visitors")
app.add_typer(release.app, name="release")
app.add_typer(rollout.app, name="rollout")
app.add_typer(config.app, name="config")


def main() -> None:
    """Entry point of `ttdn-hub`."""
    try:
        app()
    except ImportRefused as error:
        _fail(DIFFERENT, "nothing was imported / chưa nhập dòng nào:\n" + "\n".join(error.problems))
    except (ConfigError, UnknownDevice, PeopleRefused, CatalogueRefused, BadSetting) as error:
        _fail(WRONG, str(error))
    except MigrationError as error:
        _fail(UNAVAILABLE, str(error))
    except HubError as error:
        _fail(STOPPED, str(error))
    except psycopg.OperationalError as error:
        _fail(UNAVAILABLE, f"the database cannot be used: {str(error).strip()}\nSee database.dsn; is PostgreSQL up?")


def _fail(code: int, text: str) -> NoReturn:
    Console(stderr=True, soft_wrap=True).print(text, style="red", markup=False, highlight=False)
    sys.exit(code)
