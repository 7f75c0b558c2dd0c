"""A hub with a certificate authority, and devices that ask it for certificates as agents do."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.enrol import RENEWAL_PREFIX, EnrolRequest, RenewRequest
from hub.config import PkiSettings
from hub.pki.authority import Key, key_pem, new_key
from hub.pki.codes import NewCode, new_code
from hub.pki.folder import PkiFolder
from hub.store.enrolment import issue_code

NAME, MQTT_NAME = "ttdn.example.vn", "mqtt.ttdn.example.vn"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def pki_settings(folder: Path, **more: Any) -> PkiSettings:
    """Everything below `folder`."""
    places = {"folder": folder / "pki", "broker_folder": folder / "broker", "proxy_folder": folder / "proxy"}
    return PkiSettings(**{**places, "name": NAME, "mqtt_name": MQTT_NAME, **more})


def made_folder(folder: Path, now: datetime = NOW, **more: Any) -> PkiFolder:
    """A folder with an authority."""
    made = PkiFolder(pki_settings(folder, **more))
    made.init(now)
    return made


def make_code(
    connection: psycopg.Connection, folder: PkiFolder, device: str, now: datetime, life: timedelta = timedelta(hours=24)
) -> NewCode:
    """A code for a device that is registered."""
    code = new_code(folder.authority().der, now, life)
    issue_code(connection, device, code, by="command:test", now=now)
    return code


def request_for(key: ec.EllipticCurvePrivateKey, name: str = "any name") -> x509.CertificateSigningRequest:
    """As a device makes it."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())


def csr_pem(key: ec.EllipticCurvePrivateKey, name: str = "any name") -> str:
    return request_for(key, name).public_bytes(serialization.Encoding.PEM).decode()


def enrol_body(secret: bytes, key: Key) -> bytes:
    """EnrolRequest."""
    return msgspec.json.encode(EnrolRequest(secret=secret.hex(), csr=csr_pem(key), version="1"))


def renew_body(certificate: str, present: Key, key: Key) -> bytes:
    """RenewRequest, signed by the key at hand."""
    request = request_for(key)
    signed = RENEWAL_PREFIX + request.public_bytes(serialization.Encoding.DER)
    signature = base64.b64encode(present.sign(signed, ec.ECDSA(hashes.SHA256()))).decode()
    csr = request.public_bytes(serialization.Encoding.PEM).decode()
    return msgspec.json.encode(RenewRequest(certificate=certificate, csr=csr, signature=signature, version="1"))


def write_identity(folder: Path, name: str, certificate: str, key: Key) -> tuple[Path, Path]:
    """Certificate and key as files."""
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_text(certificate)
    files[1].write_bytes(key_pem(key))
    return files


__all__ = ["Key", "new_key"]
