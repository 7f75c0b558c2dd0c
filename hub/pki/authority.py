"""The certificate authority: what it signs for devices and for the hub's own servers. Pure but for randomness."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_YEARS: Final = 20
SERVER_DAYS: Final = 365
_EARLIER: Final = timedelta(days=1)
"""Certificates begin a day before they are made: clocks of machines differ."""
_SIGNS: Final = hashes.SHA256()
_CURVE: Final = ec.SECP256R1()
Key = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey


class Authority(NamedTuple):
    """The certificate that everybody trusts, and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> str:
        """The certificate."""
        return pem_of(self.certificate)

    @property
    def der(self) -> bytes:
        """The certificate, of which codes carry the fingerprint."""
        return self.certificate.public_bytes(serialization.Encoding.DER)


class Held(NamedTuple):
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: Key

    def pem(self) -> bytes:
        """Both in one file, which Mosquitto, nginx and Python take for certificate and key alike."""
        return key_pem(self.key) + pem_of(self.certificate).encode()


def new_key() -> Key:
    """ECDSA P-256."""
    return ec.generate_private_key(_CURVE)


def new_authority(name: str, now: datetime) -> Authority:
    """A new one, which signs itself and nothing but end entities."""
    key = new_key()
    subject = _name(f"TTDN hub {name}"[:64])
    builder = _builder(subject, subject, key.public_key(), now, timedelta(days=365 * AUTHORITY_YEARS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Authority(builder.sign(key, _SIGNS), key)


def issue_device(authority: Authority, device: str, key: PublicKey, now: datetime, days: int) -> x509.Certificate:
    """For a device: its CN is the device id, and it is good for a client only."""
    usage = [ExtendedKeyUsageOID.CLIENT_AUTH]
    return _issue(authority, _name(device), key, now, timedelta(days=days), usage, [x509.DNSName(device)])


def issue_server(authority: Authority, hosts: Iterable[str], now: datetime) -> Held:
    """For a server under these names or addresses, with a new key."""
    key, names = new_key(), list(hosts)
    others = [_general_name(host) for host in names]
    usage, life = [ExtendedKeyUsageOID.SERVER_AUTH], timedelta(days=SERVER_DAYS)
    certificate = _issue(authority, _name(names[0][:64]), key.public_key(), now, life, usage, others)
    return Held(certificate, key)


def renewal_due(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether two thirds of its life are over."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= begins + (ends - begins) * 2 / 3


def hosts_of(certificate: x509.Certificate) -> list[str]:
    """Names and addresses that a server's certificate is for."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]


def serial_of(certificate: x509.Certificate) -> str:
    """Its number in hex, as tables and commands write it."""
    return f"{certificate.serial_number:040x}"


def pem_of(certificate: x509.Certificate) -> str:
    """In PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key: Key) -> bytes:
    """In PEM, PKCS#8, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_key(pem: bytes) -> Key:
    """A private key of ours. ValueError if it is none."""
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an ECDSA key")  # noqa: TRY004 - what is wrong is the file, not a type of ours
    return key


def _issue(
    authority: Authority,
    subject: x509.Name,
    key: PublicKey,
    now: datetime,
    life: timedelta,
    usage: list[x509.ObjectIdentifier],
    names: list[x509.GeneralName],
) -> x509.Certificate:
    builder = _builder(subject, authority.certificate.subject, key, now, life)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    return builder.add_extension(issuer, critical=False).sign(authority.key, _SIGNS)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _EARLIER).not_valid_after(now + life)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
