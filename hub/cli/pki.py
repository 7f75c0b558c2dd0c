"""`ttdn-hub pki`: the hub's certificate authority, and what brokers and proxy need of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hub.chores.broker_call import Verdict
from hub.chores.identity import ask_brokers
from hub.cli.exits import DIFFERENT, EPILOG, OK
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.cli.words import say, tell
from hub.pki import publication
from hub.pki.authority import hosts_of, renewal_due
from hub.pki.folder import SERVERS, PkiFolder

app = typer.Typer(
    help="The certificate authority: make it, see how it is, configure broker and proxy.", no_args_is_help=True
)
FolderOption = Annotated[
    Path | None,
    typer.Option("--folder", metavar="FOLDER", help="Another one than the settings name.", show_default=False),
]


_VERDICTS: Final[dict[Verdict, str]] = {
    "refused": "đã dùng danh sách thu hồi này / has read this list",
    "let in": "CHƯA dùng danh sách thu hồi này: nạp lại / has NOT read this list: reload it (SIGHUP)",
    "unknown": "không hỏi được / cannot be asked",
}


@app.command(epilog=EPILOG)
def init(config: ConfigOption = None) -> None:
    """Make certificate authority, certificates of the servers, and revocation list, as far as they are not there.

    Run it as the hub's user, after setting pki.name and pki.mqtt_name; safe to run again, and after a power cut. The
    folder holds the key that makes devices: back it up, and let nobody read it.
    """
    settings = settings_of(config)
    folder = PkiFolder(settings.pki)
    made = folder.init(_now())
    tell(f"{'đã tạo / made' if made.authority else 'đã có / there already'}: {folder.path}")
    for server in made.servers:
        tell(f"chứng thư máy chủ / server certificate: {server}")


@app.command(epilog=EPILOG)
def status(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Show until when authority, servers' certificates and revocation list are good, and what list brokers have read.

    Exit code 1 if one of them is over, or is not there, or if a broker lets in what the list revokes.
    """
    settings = settings_of(config)
    settings.pki.require()
    folder = PkiFolder(settings.pki)
    told = _status(folder, _now())
    told["brokers"] = brokers = ask_brokers(settings, folder) if told["revocation_list"] else []
    told["good"] = told["good"] and all(one.verdict != "let in" for one in brokers)
    if as_json:
        print_json(told | {"brokers": [one._asdict() for one in brokers]})
    else:
        tell(f"authority: until {told['authority']['until']:%Y-%m-%d}, {told['authority']['fingerprint']}")
        for server in told["servers"]:
            until = "missing" if server["until"] is None else f"until {server['until']:%Y-%m-%d}"
            tell(f"server {server['server']}: {until}; {', '.join(server['hosts'])}")
        crl = told["revocation_list"]
        tell("revocation list: missing" if crl is None else _list_words(crl))
        for one in brokers:
            tell(f"broker {one.broker}: {_VERDICTS[one.verdict]}{f' ({one.error})' if one.error else ''}")
    raise typer.Exit(OK if told["good"] else DIFFERENT)


@app.command("broker-config", epilog=EPILOG)
def broker_config(config: ConfigOption = None, folder: FolderOption = None) -> None:
    """Write what Mosquitto reads: settings, access rules, the hub's password as a hash, certificates, revocation list.

    Start it with: mosquitto -c FOLDER/mosquitto.conf. Certificate and list are kept fresh there by the running hub;
    Mosquitto reads them again on SIGHUP.
    """
    settings = settings_of(config)
    settings.pki.require()
    target = (folder or settings.pki.broker_folder).absolute()
    _written(target, publication.write(target, publication.broker_files(settings, target), make=True))


@app.command("proxy-config", epilog=EPILOG)
def proxy_config(config: ConfigOption = None, folder: FolderOption = None) -> None:
    """Write what nginx reads: one port for HTTPS and for the broker, told apart by name, and the certificate.

    Start it with: nginx -p EMPTY_FOLDER -c FOLDER/nginx.conf; it need not be root but for the port. Certificates are
    kept fresh there by the running hub; nginx reads them again on reload. The hub needs api.proxies = ["127.0.0.1"].
    """
    settings = settings_of(config)
    settings.pki.require()
    target = (folder or settings.pki.proxy_folder).absolute()
    _written(target, publication.write(target, publication.proxy_files(settings, target), make=True))


def _status(folder: PkiFolder, now: datetime) -> dict[str, Any]:
    from contract.enrol_code import authority_fingerprint

    authority, crl = folder.authority(), folder.revocation_list()
    held = {server: folder.server_certificate(server) for server in SERVERS}
    servers = [
        {
            "server": server,
            "until": None if one is None else one.not_valid_after_utc,
            "hosts": [] if one is None else hosts_of(one),
            "renewal_due": one is None or renewal_due(one, now),
        }
        for server, one in held.items()
    ]
    ends = [authority.certificate.not_valid_after_utc]
    ends += [now if one is None else one.not_valid_after_utc for one in held.values()]
    ends.append(now if crl is None else crl.next_update)
    return {
        "good": all(now < end for end in ends),
        "folder": str(folder.path),
        "authority": {
            "until": authority.certificate.not_valid_after_utc,
            "fingerprint": authority_fingerprint(authority.der).hex(),
        },
        "servers": servers,
        "revocation_list": None
        if crl is None
        else {
            "number": crl.number,
            "made_at": crl.made_at,
            "until": crl.next_update,
            "certificates": max(0, len(crl.serials) - 1),
        },
    }


def _list_words(crl: dict[str, Any]) -> str:
    certificates = crl["certificates"]
    return f"revocation list: number {crl['number']}, until {crl['until']:%Y-%m-%d}; {certificates} certificates"


def _written(folder: Path, changed: list[str]) -> None:
    for name in changed:
        tell(f"{folder / name}")
    say(f"{folder}: {f'{len(changed)} tệp / files written' if changed else 'không đổi / nothing changed'}")


def _now() -> datetime:
    return datetime.now(UTC)
