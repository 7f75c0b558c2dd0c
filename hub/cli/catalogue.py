"""`ttdn-hub catalogue`: what may be shown."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub import strings
from hub.catalogue import frame_hash as hashing
from hub.catalogue import topics as topics_file
from hub.catalogue.contents import cells_of
from hub.catalogue.forms import FORMS, CatalogueForm
from hub.catalogue.frame_hash import BadPicture
from hub.catalogue.versions import Version, standing
from hub.cli.caller import by_whom
from hub.cli.database import database
from hub.cli.exits import EPILOG
from hub.cli.files import FileArgument, OptionalFileArgument, PreviewOption, data_of
from hub.cli.imported import tell_import, tell_resolved
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.template import XlsxOption, hand_out
from hub.compliance.local_time import local_date
from hub.errors import ConfigError
from hub.store import catalogue as store
from hub.store.catalogue import Hand

app = typer.Typer(help="What may be shown: import it, list it, withdraw it.", no_args_is_help=True)
imports = typer.Typer(help="Take subjects or contents from a file, .csv or .xlsx.", no_args_is_help=True)
app.add_typer(imports, name="import")
CodeArgument = Annotated[str, typer.Argument(metavar="CODE", help="Code of a content.", show_default=False)]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is kept with the change.", show_default=False)]
_COLUMNS = ("code", "version", "title_vi", "language", "topic", "kind", "approval_no", "valid_from", "valid_until")


@app.command(epilog=EPILOG)
def template(
    name: Annotated[CatalogueForm, typer.Argument(help="Which file.", show_default=False)], xlsx: XlsxOption = None
) -> None:
    """A file to fill in: CSV on standard output, or an Excel workbook with lists to choose from and explanations.

    The one of topics holds the subjects of letter 5406/BTTTT-TTĐN already. Example:

    ttdn-hub catalogue template contents --xlsx noi-dung.xlsx
    """
    hand_out(FORMS[name], xlsx)


@imports.command("topics", epilog=EPILOG)
def import_topics(
    file: OptionalFileArgument = None,
    config: ConfigOption = None,
    *,
    preview: PreviewOption = False,
) -> None:
    """Add and change subjects as FILE says; without FILE those of letter 5406/BTTTT-TTĐN, which come with the hub.

    Columns: code,label_vi,letter,section,valid_from,valid_until. Another year's letter is a file of its own: of the
    rows of one code that are valid on a day, the one that began last holds. All of the file or, with one bad row,
    nothing (exit code 1).
    """
    data = topics_file.shipped() if file is None else data_of(file)
    with database(settings_of(config), "catalogue") as connection:
        tell_import(store.import_topics(connection, data, preview=preview), preview=preview)


@imports.command("contents", epilog=EPILOG)
def import_contents(
    file: FileArgument,
    config: ConfigOption = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; it is kept with the change.")] = None,
    *,
    preview: PreviewOption = False,
) -> None:
    """Say what contents are now, as FILE does: all of it or, with one bad row, nothing (exit code 1).

    Columns: code,title_vi,title_foreign,title_language,language,topic,kind,priority,approval_no,approval_body,
    approval_date,valid_from,valid_until,refs,source,media_sha256,frame_hash. refs: file names and URLs as players name
    them, separated by |. What differs from before is a new version; earlier ones are kept. A later version of the same
    file takes the place of the earlier, for past days too; one of another file stands beside it. Importing again
    changes nothing; a content that is not in the file stays.
    """
    with database(settings_of(config), "catalogue") as connection:
        done = store.import_contents(connection, data_of(file), _hand(reason), preview=preview)
        tell_import(done, preview=preview)


@app.command("list", epilog=EPILOG)
def list_(
    config: ConfigOption = None,
    *,
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that were deleted, instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List contents as their newest versions say."""
    with database(settings_of(config), "catalogue") as connection:
        gone = store.deleted_codes(connection)
        known = {code: its[-1] for code, its in store.versions(connection).items() if (code in gone) == deleted}
    if as_json:
        print_json({"contents": [_told(version) for version in known.values()]})
        return
    table = Table(*_COLUMNS, title=f"{len(known)} contents", header_style="bold")
    for version in known.values():
        told = _told(version)
        table.add_row(*(Text("" if told[column] is None else str(told[column])) for column in _COLUMNS))
    Console().print(table)


@app.command(epilog=EPILOG)
def show(code: CodeArgument, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Show everything that was ever said of a content, and what was seen that rests on it."""
    with database(settings_of(config), "catalogue") as connection:
        its = store.versions(connection, [code])[code]
        deleted, seen = store.deleted_codes(connection).get(code), store.seen(connection, code)
    if not its:
        raise ConfigError(f"no content {code!r} is known; see: ttdn-hub catalogue list")
    held = {version.number for version in standing(its)}
    stated = [_told(version) | {"in_force": version.number in held} for version in its]
    if as_json:
        print_json({"code": code, "deleted_on": deleted, "versions": stated, "seen": [one._asdict() for one in seen]})
        return
    console = Console(soft_wrap=True)
    for version in stated:
        for name, value in version.items():
            console.print(f"{name}: {'' if value is None else value}", markup=False, highlight=False)
        console.print()
    for one in seen:
        first = "" if one.first_day == date.min else one.first_day
        last = "" if one.last_day == date.max else one.last_day
        verdict = f"{strings.VERDICTS[one.verdict]} ({one.verdict}, version {one.version})"
        told = f"seen: {one.content_ref} {one.content_sha256 or '-'} {first}..{last}: {verdict}"
        console.print(told, markup=False, highlight=False)
    if deleted is not None:
        console.print(f"deleted on {deleted}", markup=False, highlight=False)


@app.command(epilog=EPILOG)
def withdraw(
    code: CodeArgument,
    reason: ReasonOption,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=["%Y-%m-%d", "%d/%m/%Y"], help="First day without it; today.", show_default=False
        ),
    ] = None,
    version: Annotated[int | None, typer.Option("--version", help="Only of this version.", show_default=False)] = None,
    config: ConfigOption = None,
) -> None:
    """The approval of a content no longer holds, from a local day on: what is shown then is no longer approved.

    What was shown before keeps its approval. It stays withdrawn, whatever is imported, until another approval_no is.
    """
    on = since.date() if since is not None else _today()
    with database(settings_of(config), "catalogue") as connection:
        tell_resolved(store.withdraw(connection, code, on, _hand(reason), version))


@app.command(epilog=EPILOG)
def delete(code: CodeArgument, reason: ReasonOption, config: ConfigOption = None) -> None:
    """A content was entered by mistake: for plays it never was. What is over has an end or is withdrawn instead.

    Days that are recorded keep its name and approval. It can be restored.
    """
    with database(settings_of(config), "catalogue") as connection:
        tell_resolved(store.delete(connection, code, _hand(reason)))


@app.command(epilog=EPILOG)
def restore(code: CodeArgument, reason: ReasonOption, config: ConfigOption = None) -> None:
    """Take back that a content was deleted."""
    with database(settings_of(config), "catalogue") as connection:
        tell_resolved(store.restore(connection, code, _hand(reason)))


@app.command(epilog=EPILOG)
def resolve(config: ConfigOption = None) -> None:
    """Compare everything that was ever seen with the catalogue again.

    Not needed in ordinary life: it finds nothing, unless tables were changed by hand.
    """
    with database(settings_of(config), "catalogue") as connection:
        tell_resolved(store.resolve_everything(connection, _hand(None)))


@app.command("frame-hash", epilog=EPILOG)
def frame_hash(file: FileArgument) -> None:
    """Compute the perceptual hash of a reference frame, for the column frame_hash.

    FILE is a small PNG: ffmpeg -i film.mp4 -ss 5 -frames:v 1 -vf scale=320:-1 -pix_fmt rgb24 frame.png
    """
    try:
        Console().print(hashing.to_hex(hashing.frame_hash(data_of(file))), highlight=False)
    except BadPicture as error:
        raise ConfigError(f"{file}: {error}") from None


def _hand(reason: str | None) -> Hand:
    return Hand(by_whom(), datetime.now(UTC), reason)


def _today() -> date:
    return local_date(round(datetime.now(UTC).timestamp() * 1000))


def _told(version: Version) -> dict[str, Any]:
    """A version by the columns of its file, and what is not in there."""
    said = version.content
    approval = said.approval
    told: dict[str, Any] = {name: cell or None for name, cell in cells_of(said).items()}
    told |= {"approval_date": approval and approval.on, "refs": sorted(said.refs)}
    told |= {"valid_from": said.valid_from, "valid_until": said.valid_until, "withdrawn_on": version.withdrawn_on}
    return told | {"version": version.number, "recorded_at": version.recorded_at, "recorded_by": version.recorded_by}
