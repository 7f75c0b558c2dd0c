"""The authority's folder. Whenever the power fails, what is in it is whole, and the next `init` goes on.

- `authority/ca.pem`, `authority/ca.key`: the folder is made aside and renamed into place, so both are there or none
- `servers/mqtt.pem`, `servers/https.pem`: key and certificate in one file
- `crl.pem`, `canary.pem`: the revocation list, and a certificate that it revokes, with its key. A broker that lets the
  canary in has an older list.
- `lock`: held (flock) by whoever changes something
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

from cryptography import x509

from hub.config import PkiSettings
from hub.errors import ConfigError
from hub.pki import authority as signing
from hub.pki import revocation
from hub.pki.authority import Authority, Held
from hub.pki.durable import SECRET, give_away, make_folder, sync_folder, write_file
from hub.pki.revocation import RevocationList

CANARY: Final = "canary"
Server = Literal["mqtt", "https"]
SERVERS: Final[tuple[Server, ...]] = get_args(Server)
_FOLDER_MODE: Final = 0o700
_HINT: Final = "run, as the hub's user: ttdn-hub pki init"


class NoAuthority(ConfigError):
    """Make one first: ttdn-hub pki init."""


class Made(NamedTuple):
    """What `init` or the upkeep has made."""

    authority: bool = False
    servers: tuple[Server, ...] = ()
    revocation_list: bool = False


class PkiFolder:
    """The folder that the settings name. What cannot be read or written is a ConfigError."""

    def __init__(self, settings: PkiSettings) -> None:
        self._settings = settings
        self.path = settings.folder
        self.crl_file = self.path / "crl.pem"
        self._authority_folder = self.path / "authority"

    def exists(self) -> bool:
        """Whether there is an authority."""
        try:
            return (self._authority_folder / "ca.key").exists()
        except OSError as error:
            raise self._wrong(error) from None

    def init(self, now: datetime) -> Made:
        """Make what is not there yet; never touches an authority that is."""
        self._settings.require()
        with self._locked(make=True):
            makes = not self.exists()
            if makes:
                self._make_authority(now)
            lists = not self.crl_file.exists() and self._keep_list({}, now)  # else only who knows what is revoked may
            return Made(makes, self._keep_servers(now), lists)

    def keep(self, revoked: Mapping[str, datetime], now: datetime) -> Made:
        """Renew the servers' certificates and the list, if that is due."""
        with self._locked():
            return Made(servers=self._keep_servers(now), revocation_list=self._keep_list(revoked, now))

    def authority(self) -> Authority:
        """NoAuthority if there is none."""
        folder = self._authority_folder
        try:
            certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
            return Authority(certificate, signing.read_key((folder / "ca.key").read_bytes()))
        except FileNotFoundError:
            raise NoAuthority(f"there is no certificate authority in {self.path}; {_HINT}") from None
        except (OSError, ValueError) as error:
            raise self._wrong(error) from None

    def server_pem(self, server: Server) -> bytes:
        """Key and certificate of a server. NoAuthority if there are none."""
        return self._read(self._server_file(server))

    def server_certificate(self, server: Server) -> x509.Certificate | None:
        """None if there is none, or it cannot be read."""
        try:
            return x509.load_pem_x509_certificate(self._server_file(server).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self._wrong(error) from None

    def list_pem(self) -> bytes:
        """The revocation list. NoAuthority if there is none."""
        return self._read(self.crl_file)

    def revocation_list(self) -> RevocationList | None:
        """What the list says; None if there is none."""
        try:
            return revocation.read(self.crl_file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self._wrong(error) from None

    @property
    def canary_file(self) -> Path:
        """Certificate and key that the present list revokes."""
        return self.path / "canary.pem"

    # -- inside -----------------------------------------------------------------------------------------------

    def _make_authority(self, now: datetime) -> None:
        made = signing.new_authority(self._settings.name, now)
        aside = self.path / "authority.new"
        shutil.rmtree(aside, ignore_errors=True)  # of an attempt that the power ended
        make_folder(aside, _FOLDER_MODE)
        write_file(aside / "ca.pem", made.pem.encode(), SECRET)
        write_file(aside / "ca.key", signing.key_pem(made.key), SECRET)
        aside.rename(self._authority_folder)
        sync_folder(self.path)

    def _keep_servers(self, now: datetime) -> tuple[Server, ...]:
        make_folder(self.path / "servers", _FOLDER_MODE)
        authority = self.authority()
        renewed = tuple(server for server in SERVERS if self._is_due(server, authority, now))
        for server in renewed:
            made = signing.issue_server(authority, self._hosts(server), now)
            write_file(self._server_file(server), made.pem(), SECRET)
        return renewed

    def _is_due(self, server: Server, authority: Authority, now: datetime) -> bool:
        held = self.server_certificate(server)
        if held is None or held.issuer != authority.certificate.subject or signing.renewal_due(held, now):
            return True
        return not set(self._hosts(server)) <= set(signing.hosts_of(held))

    def _keep_list(self, revoked: Mapping[str, datetime], now: datetime) -> bool:
        """The canary first: a list that does not name it is stale, so that a lost power is made good by the next."""
        known = self.revocation_list()
        canary = self._canary()
        if canary is not None and not revocation.is_stale(known, [*revoked, signing.serial_of(canary)], now):
            return False
        authority = self.authority()
        key = signing.new_key()
        made = signing.issue_device(authority, CANARY, key.public_key(), now, self._settings.certificate_days)
        write_file(self.canary_file, Held(made, key).pem(), SECRET)
        number = 1 if known is None else known.number + 1
        listed = {**revoked, signing.serial_of(made): now}
        write_file(self.crl_file, revocation.sign(authority, number, listed, now), SECRET)
        return True

    def _canary(self) -> x509.Certificate | None:
        try:
            return x509.load_pem_x509_certificate(self.canary_file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self._wrong(error) from None

    def _hosts(self, server: Server) -> list[str]:
        return [self._settings.mqtt_name if server == "mqtt" else self._settings.name]

    def _server_file(self, server: Server) -> Path:
        return self.path / "servers" / f"{server}.pem"

    def _read(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except FileNotFoundError:
            raise NoAuthority(f"{file} is not there; {_HINT}") from None
        except OSError as error:
            raise self._wrong(error) from None

    @contextmanager
    def _locked(self, *, make: bool = False) -> Iterator[None]:
        """Alone in the folder, among all processes that use it."""
        try:
            if make:
                make_folder(self.path, _FOLDER_MODE)
            handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, SECRET)
            give_away(self.path / "lock")
        except FileNotFoundError:
            raise NoAuthority(f"there is no folder {self.path}; {_HINT}") from None
        except OSError as error:
            raise self._wrong(error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise self._wrong(error) from None
        finally:
            os.close(handle)

    def _wrong(self, error: Exception) -> ConfigError:
        if isinstance(error, OSError):
            return ConfigError(f"pki.folder: {error.filename or self.path}: {error.strerror}; {_HINT}")
        return ConfigError(f"pki.folder: {self.path} holds what is not ours: {error}; restore it from a backup")
