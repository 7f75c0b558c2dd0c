"""Keys and certificates: the only module of the agent that loads cryptography, and so a process of its own.

    python -m edge_agent.identity.keytool make FOLDER        key.pem (0600) and request.pem there
    python -m edge_agent.identity.keytool check FOLDER       stdin: {"certificate", "authority"}; do they fit key.pem?
    python -m edge_agent.identity.keytool sign FOLDER KEY    a renewal's signature: KEY over FOLDER/request.pem

Answers are JSON on stdout. No secret is ever an argument. The functions at the end of `keys` start it.
"""

from __future__ import annotations

import base64
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.enrol import RENEWAL_PREFIX
from edge_agent.identity.keys import Answer, Given
from edge_agent.identity.store import KEY, REQUEST


class Unfit(Exception):
    """A certificate that is not for this key, or not by this authority."""


def make(folder: Path) -> Answer:
    """A new key and a request for it. Names in it are the hub's to choose."""
    key = ec.generate_private_key(ec.SECP256R1())
    handle = os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ttdn-agent")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    (folder / REQUEST).write_bytes(request.public_bytes(serialization.Encoding.PEM))
    return Answer()


def check(folder: Path, given: Given) -> Answer:
    """Whose certificate it is and from when to when. Unfit if it is of another key or another authority."""
    certificate = x509.load_pem_x509_certificate(given.certificate.encode("ascii"))
    authority = x509.load_pem_x509_certificate(given.authority.encode("ascii"))
    if _public(certificate.public_key()) != _public(_private(folder / KEY).public_key()):
        raise Unfit("the certificate is of another key than this device's")
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError) as error:
        raise Unfit(f"the certificate is not signed by the hub's authority: {error}") from error
    names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return Answer(
        device=names[0] if names else "",
        not_before_ms=_ms(certificate.not_valid_before_utc),
        not_after_ms=_ms(certificate.not_valid_after_utc),
    )


def sign(folder: Path, key: Path) -> Answer:
    """The present key vouches for the next one."""
    request = x509.load_pem_x509_csr((folder / REQUEST).read_bytes())
    signed = RENEWAL_PREFIX + request.public_bytes(serialization.Encoding.DER)
    return Answer(signature=base64.b64encode(_private(key).sign(signed, ec.ECDSA(hashes.SHA256()))).decode())


def _private(file: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Unfit(f"{file} is no EC key")
    return key


def _public(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Unfit("the certificate is not of an EC key")
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _ms(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1000)


def answer(arguments: list[str], given: bytes) -> Answer:
    """Do what the arguments say."""
    match arguments:
        case ["make", folder]:
            return make(Path(folder))
        case ["check", folder]:
            return check(Path(folder), msgspec.json.decode(given, type=Given))
        case ["sign", folder, key]:
            return sign(Path(folder), Path(key))
        case _:
            raise Unfit(f"unknown: {arguments[:1]}")


_EXPECTED: Final = (Unfit, OSError, ValueError, msgspec.MsgspecError)


def main() -> int:
    """The process."""
    try:
        said = answer(sys.argv[1:], sys.stdin.buffer.read())
    except _EXPECTED as error:
        said = Answer(error=str(error) or type(error).__name__)
    sys.stdout.buffer.write(msgspec.json.encode(said))
    return 1 if said.error else 0


if __name__ == "__main__":
    sys.exit(main())
