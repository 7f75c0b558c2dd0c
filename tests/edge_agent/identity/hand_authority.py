"""A certificate authority and an enrolling hub, small enough to be made to misbehave; the real ones are the hub's."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.enrol import (
    AUTHORITY_PATH,
    DEVICES_PATH,
    RENEWAL_PREFIX,
    RENEWALS_PATH,
    BrokerAddress,
    Enrolled,
    EnrolRefused,
    EnrolRequest,
    RenewRequest,
)
from contract.enrol_code import EnrolCode, authority_fingerprint
from simulator.ports import HOST

PEM = serialization.Encoding.PEM
DEVICE = "bg-20-cma-k1"


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class HandAuthority:
    """Signs."""

    def __init__(self, name: str = "hand authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self.certificate = self._sign(self._key.public_key(), self._name, days=30, authority=True)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(PEM).decode()

    @property
    def fingerprint(self) -> bytes:
        return authority_fingerprint(self.certificate.public_bytes(serialization.Encoding.DER))

    def code(self, secret: bytes = b"12345678") -> EnrolCode:
        return EnrolCode(secret, self.fingerprint, ms(now()) // 60_000 * 60_000)

    def device(self, public: Any, name: str = DEVICE, *, begins: datetime | None = None, days: float = 365) -> str:
        return self._sign(public, _named(name), begins=begins, days=days).public_bytes(PEM).decode()

    def server(self, file: Path, host: str = HOST, *, begins: datetime | None = None, days: float = 30) -> Path:
        """Key and certificate in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(key.public_key(), _named("hub"), begins=begins, days=days, host=host)
        private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(private + certificate.public_bytes(PEM))
        file.chmod(0o600)
        return file

    def _sign(
        self,
        public: Any,
        subject: x509.Name,
        *,
        days: float,
        begins: datetime | None = None,
        host: str = "",
        authority: bool = False,
    ) -> x509.Certificate:
        begins = begins or now() - timedelta(hours=1)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(public)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(begins).not_valid_after(begins + timedelta(days=days))
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        if authority:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        if host:
            names = [x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


class HandEnrolment:
    """What the hub does: one device for one secret, the same answer for the same key. Counts certificates."""

    def __init__(self, authority: HandAuthority, brokers: tuple[BrokerAddress, ...] = ()) -> None:
        self.authority = self.signer = authority
        """Who knows certificates again, and who makes them."""
        self.shown = authority.pem
        """What is given as the authority; an interceptor gives what it has."""
        self.brokers = brokers or (BrokerAddress(HOST),)
        self.devices: dict[str, str] = {}
        """Secret in hex to device id."""
        self.certificates: dict[bytes, str] = {}
        """By public key."""
        self.keys: dict[str, list[bytes]] = {}
        """Of each device, in order."""
        self.begins: datetime | None = None
        self.days = 365.0
        self.url = self.told_url = ""
        """Where it is, and where it says it is, if that is elsewhere."""
        self.refusal: tuple[int, EnrolRefused] | None = None
        self.asked: list[tuple[str, bytes]] = []
        """Every request's path and body."""

    def add(self, code: EnrolCode, device: str = DEVICE) -> EnrolCode:
        self.devices[code.secret.hex()] = device
        return code

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        self.asked.append((path, body))
        if path == AUTHORITY_PATH:
            return 200, self.shown.encode()
        if self.refusal is not None:
            return self.refusal[0], msgspec.json.encode(self.refusal[1])
        if path == DEVICES_PATH:
            return self._enrol(msgspec.json.decode(body, type=EnrolRequest))
        if path == RENEWALS_PATH:
            return self._renew(msgspec.json.decode(body, type=RenewRequest))
        return 404, b"nothing here"

    def _enrol(self, request: EnrolRequest) -> tuple[int, bytes]:
        public = x509.load_pem_x509_csr(request.csr.encode()).public_key()
        device = self.devices.get(request.secret)
        if device is None or (device in self.keys and _der(public) not in self.keys[device]):
            return 403, msgspec.json.encode(EnrolRefused(error="refused"))
        return self._certify(device, public)

    def _renew(self, request: RenewRequest) -> tuple[int, bytes]:
        present = x509.load_pem_x509_certificate(request.certificate.encode())
        present.verify_directly_issued_by(self.authority.certificate)
        csr = x509.load_pem_x509_csr(request.csr.encode())
        key = present.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        signed = RENEWAL_PREFIX + csr.public_bytes(serialization.Encoding.DER)
        key.verify(base64.b64decode(request.signature), signed, ec.ECDSA(hashes.SHA256()))
        (name,) = present.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return self._certify(str(name.value), csr.public_key())

    def _certify(self, device: str, public: Any) -> tuple[int, bytes]:
        der = _der(public)
        if der not in self.certificates:
            self.certificates[der] = self.signer.device(public, device, begins=self.begins, days=self.days)
            self.keys.setdefault(device, []).append(der)
        enrolled = Enrolled(
            device=device,
            certificate=self.certificates[der],
            authority=self.signer.pem,
            brokers=self.brokers,
            url=self.told_url or self.url,
            hub_time=ms(now()),
            release_key="a key",
        )
        return 200, msgspec.json.encode(enrolled)


def _der(public: Any) -> bytes:
    return bytes(public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


@contextmanager
def serving(hub: HandEnrolment, server_pem: Path) -> Iterator[str]:
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            status, said = hub.answer(self.path, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            pass  # clients that do not trust us hang up

        def get_request(self) -> Any:
            connection, address = self.socket.accept()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(server_pem)
            return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    server = Server((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    hub.url = f"https://{HOST}:{server.server_address[1]}"
    try:
        yield hub.url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
