"""The key that signs releases. Whoever has it decides what runs on every kiosk: it need not be on the hub at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contract.package import Head
from contract.release import SIGNED_PREFIX
from hub.errors import ConfigError

_OWNER_ONLY: Final = 0o600
_OTHERS: Final = 0o077


def make_key(private: Path, public: Path) -> None:
    """A new pair of files; never over others. ConfigError if they cannot be written."""
    key = Ed25519PrivateKey.generate()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    _write(private, key.private_bytes(pem, pkcs8, serialization.NoEncryption()), _OWNER_ONLY)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    _write(public, key.public_key().public_bytes(pem, spki), 0o644)


def sign(private: Path, manifest: bytes) -> bytes:
    """The signature of a manifest's bytes. ConfigError if the key cannot be used, or others can read it."""
    try:
        if private.stat().st_mode & _OTHERS:
            raise ConfigError(f"{private} can be read by others than its owner; run: chmod 600 {private}")
        key = serialization.load_pem_private_key(private.read_bytes(), None)
    except OSError as error:
        raise ConfigError(f"{private} cannot be read: {error.strerror}; make one: ttdn-hub release keygen") from None
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{private} is no private key in PEM without a password: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{private} is no Ed25519 key; make one: ttdn-hub release keygen")
    return key.sign(SIGNED_PREFIX + manifest)


def check(public_pem: str, head: Head) -> None:
    """ConfigError unless a package is signed by the key that kiosks trust."""
    try:
        key = serialization.load_pem_public_key(public_pem.encode("ascii"))
    except ValueError as error:
        raise ConfigError(f"pki.release_key_file holds no public key: {error}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError("pki.release_key_file is no Ed25519 key; make one: ttdn-hub release keygen")
    try:
        key.verify(head.signature, SIGNED_PREFIX + head.signed)
    except InvalidSignature:
        raise ConfigError(
            "the package is not signed by the key of pki.release_key_file, so no kiosk would take it"
        ) from None


def _write(file: Path, data: bytes, mode: int) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(handle)
    except FileExistsError:
        raise ConfigError(
            f"{file} is there already; kiosks trust its other half, so it is not replaced: name another file"
        ) from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None
