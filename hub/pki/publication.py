"""What brokers and proxy read, copied from the authority's folder to theirs. Only what differs is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hub.config import HubSettings, PkiSettings
from hub.config.address import is_loopback
from hub.config.mqtt import BrokerSettings
from hub.errors import ConfigError
from hub.pki import broker, proxy
from hub.pki.durable import SECRET, SHARED, make_folder, write_file
from hub.pki.folder import PkiFolder

CRL: Final = "crl.pem"
_FOLDER_MODE: Final = 0o750


def broker_files(settings: HubSettings, folder: Path, *, mqtt_bind: str = "") -> dict[str, bytes]:
    """Everything that Mosquitto reads. ConfigError: no authority, or no password for the hub."""
    own, password = _own_listener(settings), settings.mqtt.secret()
    if not password:
        raise ConfigError(
            "mqtt.password_file: the hub needs a password at its broker; make one: "
            "(umask 077; head -c 24 /dev/urandom | base64 > /etc/ttdn-hub/mqtt-password), and name the file"
        )
    text = broker.configuration(folder, settings.pki.mqtt_port, own.host, own.port, mqtt_bind=mqtt_bind)
    return {
        **renewed_at_broker(settings.pki),
        "acl": broker.access_rules().encode(),
        "passwords": broker.password_line(settings.mqtt.username, password, _present(folder / "passwords")).encode(),
        "mosquitto.conf": text.encode(),
    }


def renewed_at_broker(settings: PkiSettings) -> dict[str, bytes]:
    """Those of them that change as time goes by."""
    folder = PkiFolder(settings)
    return {"ca.pem": folder.authority().pem.encode(), "server.pem": folder.server_pem("mqtt"), CRL: folder.list_pem()}


def proxy_files(settings: HubSettings, folder: Path, *, bind: str = "") -> dict[str, bytes]:
    """Everything that nginx reads. ConfigError: no authority, or no port to share."""
    pki, api = settings.pki, settings.api
    if not pki.shared_port:
        raise ConfigError("pki.shared_port is 0: there is nothing for a proxy to share; set it to 443")
    public = f"{bind}:{pki.shared_port}" if bind else str(pki.shared_port)
    ways = proxy.Ways(
        name=pki.name,
        mqtt_name=pki.mqtt_name,
        public=public,
        https_port=pki.https_port,
        hop_port=pki.hop_port,
        broker=f"127.0.0.1:{pki.mqtt_port}",
        api=f"[{api.host}]:{api.port}" if ":" in api.host else f"{api.host}:{api.port}",
    )
    return {**renewed_at_proxy(pki), "nginx.conf": proxy.configuration(folder, ways).encode()}


def renewed_at_proxy(settings: PkiSettings) -> dict[str, bytes]:
    """Those of them that change as time goes by."""
    return {"https.pem": PkiFolder(settings).server_pem("https")}


def write(folder: Path, contents: Mapping[str, bytes], *, make: bool = False) -> list[str]:
    """Put them there, the list last; names of those that were others before. ConfigError.

    Without `make` a folder that is not there stays away: this machine then has no broker, or no proxy.
    """
    try:
        if make:
            make_folder(folder, _FOLDER_MODE)
        elif not folder.is_dir():
            return []
        changed = [name for name, data in contents.items() if not _is(folder / name, data)]
        for name in sorted(changed, key=lambda one: one == CRL):
            write_file(folder / name, contents[name], SECRET if name == "passwords" and not _shared(folder) else SHARED)
    except OSError as error:
        raise ConfigError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    return changed


def _own_listener(settings: HubSettings) -> BrokerSettings:
    """Where the hub itself reaches the broker on this machine."""
    for one in settings.mqtt.brokers:
        if not one.tls and is_loopback(one.host):
            return one
    raise ConfigError("mqtt.brokers: none is on this machine without TLS, by which the hub would reach this broker")


def _present(file: Path) -> str:
    """What is in it; nothing where it is not there, or not to be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _is(file: Path, data: bytes) -> bool:
    try:
        return file.read_bytes() == data
    except FileNotFoundError:
        return False


def _shared(folder: Path) -> bool:
    """Whether the folder's group is to read what is in it: its files get the folder's group."""
    return bool(folder.stat().st_mode & 0o2000)
