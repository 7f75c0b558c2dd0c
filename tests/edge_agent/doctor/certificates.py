"""Real certificates for real TLS servers, made in a moment."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simulator.ports import HOST


class Authority(NamedTuple):
    """Signs whatever is asked of it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls) -> Self:
        """One of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(key, _certificate("test authority", key, "test authority", key, -365, 3650, authority=True))

    def write(self, folder: Path, days: int, begins: int = -30, name: str = "server") -> tuple[Path, Path]:
        """Files of a certificate for this machine and its key; `days` from now it ends."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, key, "test authority", self.key, begins, days, authority=False)
        files = folder / f"{name}.pem", folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return files

    def file(self, folder: Path) -> Path:
        """Its own certificate."""
        file = folder / "authority.pem"
        file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return file


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    begins: int,
    ends: int,
    *,
    authority: bool,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=min(begins, ends - 1)))
        .not_valid_after(now + dt.timedelta(days=ends))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
    )
    return made.sign(issuer_key, hashes.SHA256())


@contextmanager
def tls_server(files: tuple[Path, Path], *, clients_of: Path | None = None) -> Iterator[int]:
    """A TLS server on a port of its own that says nothing; `clients_of` makes it ask for certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    if clients_of is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients_of)
    with socket.create_server((HOST, 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, context), daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
            secure.recv(1)
