"""What devices send to get a certificate: requests and proofs, held to what they must be. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.enrol import RENEWAL_PREFIX
from hub.pki.authority import Authority, PublicKey


class Malformed(Exception):
    """Tell the sender: what it sent is no request of ours; sending it again does not help."""


class NotOurs(Exception):
    """Refuse: the certificate shown is not one that may be renewed. The text is for the log."""


def read_request(pem: str) -> x509.CertificateSigningRequest:
    """A request for a P-256 key that its sender holds. Names and extensions in it are nobody's business. Malformed."""
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        holds_key = request.is_signature_valid
        key = request.public_key()
    except (ValueError, TypeError) as error:
        raise Malformed(f"csr is not a PKCS#10 request in PEM: {_short(error)}") from None
    except Exception as error:  # cryptography raises UnsupportedAlgorithm and others of its own for odd keys
        if type(error).__module__.split(".")[0] != "cryptography":
            raise
        raise Malformed(f"csr has a key that is not taken: {_short(error)}") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Malformed("csr has another key than ECDSA P-256")
    if not holds_key:
        raise Malformed("csr is not signed by its own key")
    return request


def key_of(request: x509.CertificateSigningRequest) -> PublicKey:
    """The key of a request that `read_request` has taken."""
    key = request.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("a request of another kind of key was taken")
    return key


def spki_sha256(key: PublicKey) -> bytes:
    """By what a key is known again."""
    info = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(info).digest()


def read_certificate(pem: str) -> x509.Certificate:
    """Malformed if it is none."""
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise Malformed(f"certificate is not one in PEM: {_short(error)}") from None


def check_renewal(
    authority: Authority,
    certificate: x509.Certificate,
    request: x509.CertificateSigningRequest,
    signature: str,
    now: datetime,
    grace: timedelta,
) -> str:
    """The device that may have its next certificate, as far as signatures and dates say. Malformed; NotOurs."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise NotOurs("a certificate of another kind of key")
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        raise NotOurs("a certificate of another authority") from None
    try:
        proof = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("signature is not base64") from None
    signed = RENEWAL_PREFIX + request.public_bytes(serialization.Encoding.DER)
    try:
        key.verify(proof, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise NotOurs("a request that is not signed by the certificate's key") from None
    if now > certificate.not_valid_after_utc + grace:
        raise NotOurs(f"a certificate that expired on {certificate.not_valid_after_utc:%Y-%m-%d}, too long ago")
    return device_of(certificate)


def device_of(certificate: x509.Certificate) -> str:
    """Its CN; empty if it has none."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
