"""`ttdn-hub device`: kiosks get a code, become devices by it, and are revoked."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import psycopg
import segno
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.caller import by_whom
from hub.cli.database import database
from hub.cli.exits import EPILOG
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.words import say, tell
from hub.config import HubSettings
from hub.errors import ConfigError
from hub.pki import handout
from hub.pki.codes import NewCode, new_code
from hub.pki.folder import PkiFolder
from hub.registry import strings as registry_strings
from hub.registry.device_names import LETTERS
from hub.store import enrolment, revocation

app = typer.Typer(
    help="Devices: register one and give it a code to enrol with, list them, revoke one.", no_args_is_help=True
)
_ONLY_OWNER: Final = 0o600
_PNG_SCALE: Final = 8
_MOST_REASON: Final = 200
DeviceArgument = Annotated[str, typer.Argument(metavar="DEVICE", help="As bg-20-cma-k1.", show_default=False)]
PngOption = Annotated[
    Path | None, typer.Option("--png", metavar="FILE", help="Write the QR code as a picture.", show_default=False)
]
TomlOption = Annotated[
    Path | None,
    typer.Option(
        "--toml",
        metavar="FILE",
        help="Write ttdn.toml: from the boot partition or a USB stick a kiosk enrols without a keyboard.",
        show_default=False,
    ),
]
ApnOption = Annotated[
    str | None, typer.Option("--apn", help="Access point of the SIM, for the file of --toml.", show_default=False)
]


class _Wanted(NamedTuple):
    """How a code is to be handed out."""

    png: Path | None
    toml: Path | None
    apn: str | None
    again: bool
    as_json: bool


@app.command(epilog=EPILOG)
def add(
    site: Annotated[str, typer.Argument(metavar="SITE", help="Code of its site, as BG-20-CMA.", show_default=False)],
    kind: Annotated[str, typer.Option("--kind", help=f"One of: {', '.join(LETTERS)}.")] = "kiosk",
    title: Annotated[
        str | None, typer.Option("--title", help="A name by which people know it.", show_default=False)
    ] = None,
    png: PngOption = None,
    toml: TomlOption = None,
    apn: ApnOption = None,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Register a new device at SITE under the next free name, and print the one-use code by which it enrols.

    The code is shown this once only. On the device: sudo ttdn-agent enrol URL CODE. Examples:

    ttdn-hub device add BG-20-CMA --kind kiosk --title "Sảnh nhập cảnh"

    ttdn-hub device add BG-20-CMA --toml ttdn.toml --apn v-internet --png ma.png
    """
    if kind not in LETTERS:
        raise ConfigError(f"--kind {kind!r}: cần một trong / expected one of: {', '.join(LETTERS)}")
    settings = settings_of(config)
    code = _new_code(settings)
    with database(settings, "device") as connection, connection.transaction():
        name = enrolment.add_device(connection, site, kind, title, by=by_whom(), now=code.issued_at)
        _issue(connection, settings, name, code, _Wanted(png, toml, apn, again=False, as_json=as_json))


@app.command("code", epilog=EPILOG)
def code_(
    device: DeviceArgument,
    png: PngOption = None,
    toml: TomlOption = None,
    apn: ApnOption = None,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Print a new one-use code for a device that is registered: it was replaced, revoked, or its code ran out.

    Codes of it that nobody has used hold no longer. Certificates that it has stay good: revoke it first if its card
    is in other hands.
    """
    settings = settings_of(config)
    code = _new_code(settings)
    with database(settings, "device") as connection, connection.transaction():
        _issue(connection, settings, device, code, _Wanted(png, toml, apn, again=True, as_json=as_json))


@app.command("list", epilog=EPILOG)
def list_(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List all devices: where they stand, until when their certificate is good, when they were last heard."""
    with database(settings_of(config), "device") as connection:
        found = enrolment.devices(connection, _now())
    moment = _now()
    if as_json:
        print_json({"devices": [row | {"state": _state(row, moment)} for row in found]})
        return
    table = Table("device", "kind", "site", "state", "certificate until", "last heard (UTC)", header_style="bold")
    for row in found:
        cells = (row["name"], row["kind"], row["site"], _state(row, moment), _day(row["not_after"]))
        table.add_row(*map(_cell, (*cells, _minute(row["seen_at"]))))
    Console().print(table)


@app.command(epilog=EPILOG)
def show(device: DeviceArgument, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Show one device: its place, its certificates with their dates, its open code, its last contact."""
    moment = _now()
    with database(settings_of(config), "device") as connection:
        found = enrolment.devices(connection, moment, device)
        if not found:
            raise ConfigError(registry_strings.NO_DEVICE.format(device=device))
        certificates = enrolment.certificates(connection, device)
    row = found[0] | {"state": _state(found[0], moment)}
    if as_json:
        print_json(row | {"certificates": certificates})
        return
    facts = {
        "thiết bị / device": f"{row['name']} ({row['kind'] or '?'}), {row['title_vi'] or ''}".rstrip(", "),
        "điểm / site": row["site"],
        "trạng thái / state": row["state"],
        "mã đang mở đến / code until (UTC)": _minute(row["code_expires_at"]),
        "liên lạc cuối / last heard (UTC)": _minute(row["seen_at"]),
        "bị chặn từ / barred since (UTC)": _minute(row["barred_since"]),
        "lý do / reason": row["barred_reason"],
    }
    for label, value in facts.items():
        if value:
            tell(f"{label}: {value}")
    table = Table("serial", "issued (UTC)", "until", "by", "revoked (UTC)", "reason", header_style="bold")
    for one in certificates:
        by = "renewal" if one["renews"] else "code"
        revoked = _minute(one["revoked_at"])
        cells = (one["serial"][:16], _minute(one["issued_at"]), _day(one["not_after"]), by, revoked, one["reason"])
        table.add_row(*map(_cell, cells))
    Console().print(table)


@app.command(epilog=EPILOG)
def revoke(
    device: DeviceArgument,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, for the audit log and those who ask later.", show_default=False)
    ],
    config: ConfigOption = None,
) -> None:
    """Take back all certificates and codes of a device, because it was stolen or is not where it should be.

    The hub drops from now on what comes from it, writes the revocation list, and ends its sessions at the brokers,
    within seconds if it is running, else when it starts. A new code (ttdn-hub device code) lets it in again. Example:

    ttdn-hub device revoke bg-20-cma-k1 --reason "mất thiết bị, biên bản 12/BB"
    """
    if not reason.strip() or len(reason) > _MOST_REASON:
        raise ConfigError(f"--reason: cần 1 đến {_MOST_REASON} ký tự / 1 to {_MOST_REASON} letters are needed")
    with database(settings_of(config), "device") as connection:
        serials = revocation.revoke(connection, device, reason.strip(), by=by_whom(), now=_now())
    tell(f"đã thu hồi / revoked: {device}, {len(serials)} chứng thư / certificates")
    say("máy chủ MQTT ngắt thiết bị trong vài giây; xem / brokers follow within seconds; see: ttdn-hub pki status")


def _new_code(settings: HubSettings) -> NewCode:
    """ConfigError if nobody could enrol with it."""
    settings.pki.require()
    authority = PkiFolder(settings.pki).authority()
    return new_code(authority.der, _now(), timedelta(hours=settings.pki.code_hours))


def _issue(
    connection: psycopg.Connection[Any], settings: HubSettings, device: str, code: NewCode, wanted: _Wanted
) -> None:
    """Files first, then the commit, then the words: what is shown is good, and what fails was not issued."""
    url = settings.pki.enrol_url
    if wanted.apn and not handout.APN.fullmatch(wanted.apn):
        raise ConfigError(f"--apn {wanted.apn!r}: cần chữ, số, '.', '_', '-', như v-internet / not an access point")
    enrolment.issue_code(connection, device, code, by=by_whom(), now=code.issued_at)
    if wanted.toml is not None:
        _write(wanted.toml, handout.boot_file(url, code, device, wanted.apn, again=wanted.again).encode())
    picture = segno.make(code.link(url), error="m", micro=False)
    if wanted.png is not None:
        _write_png(wanted.png, picture)
    if wanted.as_json:
        told = {"device": device, "code": code.code.text(), "url": url, "link": code.link(url)}
        print_json(told | {"issued_at": code.issued_at, "expires_at": code.expires_at})
        return
    tell(f"{device}")
    tell(code.code.text())
    picture.terminal(out=sys.stdout, compact=True, border=2)
    tell(f"trên thiết bị / on the device:  sudo ttdn-agent enrol {url} {code.code.text()}")
    say(
        f"dùng một lần, đến / works once, until {_minute(code.expires_at)} UTC; chỉ hiện lần này / shown this once only"
    )


def _write(file: Path, data: bytes) -> None:
    """For the owner's eyes; never over another file."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _ONLY_OWNER)
        with os.fdopen(handle, "wb") as opened:
            opened.write(data)
    except FileExistsError:
        raise ConfigError(f"{file} is there already; give another name") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None


def _write_png(file: Path, picture: segno.QRCode) -> None:
    import io

    data = io.BytesIO()
    picture.save(data, kind="png", scale=_PNG_SCALE, border=4)
    _write(file, data.getvalue())


def _state(row: dict[str, Any], now: datetime) -> str:
    if row["barred_since"] is not None:
        return "revoked"
    if row["serial"] is None:
        return "code" if row["code_expires_at"] is not None else "not enrolled"
    if row["revoked_at"] is not None:
        return "revoked"
    return "expired" if now >= row["not_after"] else "enrolled"


def _now() -> datetime:
    return datetime.now(UTC)


def _day(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d}"


def _minute(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"


def _cell(value: object) -> Text:
    return Text("" if value is None else str(value))
