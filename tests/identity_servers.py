"""Real Mosquitto and nginx on the very files that the hub generates, and clients with certificates before them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from hub.chores.broker_call import connect_packet
from hub.config import HubSettings
from hub.pki import publication
from hub.pki.authority import Authority, Key, issue_device, new_key, pem_of
from hub.pki.folder import PkiFolder
from simulator.errors import ServerError
from simulator.ports import HOST, free_port
from simulator.server import LoopbackServer
from tests.hub.pki.making import MQTT_NAME, pki_settings, write_identity

PASSWORD: Final = "the hub's own"
INSTALL: Final = "apt-get install -y --no-install-recommends mosquitto nginx libnginx-mod-stream"
Identity = tuple[Path, Path]


def hub_settings(folder: Path, dsn: str = "dbname=none", **api: Any) -> HubSettings:
    """A hub with all its ports free, everything below `folder`."""
    secret = folder / "mqtt-password"
    secret.write_text(PASSWORD)
    ports = {name: free_port() for name in ("mqtt_port", "shared_port", "https_port", "hop_port")}
    own = {"host": HOST, "port": free_port(), "tls": False}
    return HubSettings.model_validate(
        {
            "database": {"dsn": dsn},
            "mqtt": {"brokers": [own], "password_file": secret},
            "api": {"port": free_port(), "proxies": [HOST], **api},
            "pki": pki_settings(folder, **ports),
        }
    )


class HubMosquitto(LoopbackServer):
    """Mosquitto as `ttdn-hub pki broker-config` configures it."""

    title = "Mosquitto"

    def __init__(self, settings: HubSettings) -> None:
        super().__init__(settings.pki.broker_folder, 60)
        self.settings = settings
        self._port = settings.pki.mqtt_port

    @property
    def own_port(self) -> int:
        """Where the hub comes in."""
        return self.settings.mqtt.brokers[0].port

    def reload(self) -> None:
        """What systemd does when the list has changed."""
        os.kill(self.pid, signal.SIGHUP)

    def _launch(self) -> subprocess.Popen[bytes]:
        publication.write(self.folder, publication.broker_files(self.settings, self.folder, mqtt_bind=HOST))
        config = self.folder / "mosquitto.conf"
        if os.geteuid() == 0:  # otherwise it becomes `mosquitto`, who may not read a test's folder
            config = self.folder / "test.conf"
            config.write_text(f"user root\n{(self.folder / 'mosquitto.conf').read_text()}")
        return self._spawn([program("mosquitto"), "-c", str(config)], stdin=subprocess.DEVNULL)


class HubNginx(LoopbackServer):
    """nginx as `ttdn-hub pki proxy-config` configures it."""

    title = "nginx"
    stop_signal = signal.SIGQUIT

    def __init__(self, settings: HubSettings) -> None:
        super().__init__(settings.pki.proxy_folder, 60)
        self.settings = settings
        self._port = settings.pki.shared_port

    def check(self) -> subprocess.CompletedProcess[str]:
        """nginx -t."""
        return subprocess.run([*self._command(), "-t"], capture_output=True, text=True, check=False, timeout=60)

    def _launch(self) -> subprocess.Popen[bytes]:
        return self._spawn(self._command(), stdin=subprocess.DEVNULL)

    def _command(self) -> list[str]:
        publication.write(self.folder, publication.proxy_files(self.settings, self.folder, bind=HOST), make=True)
        config = self.folder / "nginx.conf"
        set_here = f"daemon off; pid {self.folder}/nginx.pid;"
        return [program("nginx"), "-p", str(self.folder), "-c", str(config), "-g", set_here]


class NamedContext(ssl.SSLContext):
    """Asks for the broker's name, whatever the address is."""

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        return super().wrap_socket(sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, MQTT_NAME, session)


def context(folder: PkiFolder, identity: Identity | None) -> NamedContext:
    """Trusts the hub's authority and shows a certificate."""
    made = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(cadata=folder.authority().pem)
    if identity is not None:
        made.load_cert_chain(*identity)
    return made


def admitted(port: int, tls: ssl.SSLContext) -> bool:
    """Whether a broker answers somebody's CONNECT."""
    try:
        with socket.create_connection((HOST, port), 30) as raw, tls.wrap_socket(raw) as link:
            link.sendall(connect_packet("", "hub", PASSWORD))  # whoever it says that it is
            return link.recv(4) == b"\x20\x02\x00\x00"
    except OSError:
        return False


Ticket = tuple[ssl.SSLContext, ssl.SSLSession]


def resumable(port: int, tls: ssl.SSLContext) -> Ticket:
    """A TLS session that has shown its certificate and could be taken up again without it."""
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection((HOST, port), 30) as raw, tls.wrap_socket(raw) as link:
        assert link.session is not None
        return tls, link.session


def resumes(port: int, tls: ssl.SSLContext, session: ssl.SSLSession) -> bool:
    """Whether that is let in."""
    try:
        with socket.create_connection((HOST, port), 30) as raw, tls.wrap_socket(raw, session=session) as link:
            link.sendall(connect_packet("", "hub", PASSWORD))
            return link.recv(4) == b"\x20\x02\x00\x00"
    except OSError:
        return False


def identity(folder: Path, authority: Authority, device: str, now: datetime, days: int = 365) -> Identity:
    """Files with a certificate for a device."""
    made, key = issued(authority, device, now, days)
    return write_identity(folder, f"{device}-{made.serial_number:x}", pem_of(made), key)


def issued(authority: Authority, device: str, now: datetime, days: int = 365) -> tuple[x509.Certificate, Key]:
    key = new_key()
    return issue_device(authority, device, key.public_key(), now, days), key


def program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"]))
    if found is None:
        raise ServerError(f"{name} is not installed, and these tests need the real one: {INSTALL}")
    return found
