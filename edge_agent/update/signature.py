"""Whether a package is signed by whom this device trusts.

This module loads cryptography, 20 MB of memory: the agent starts it as a short process (`look` in `inbox`),

    python -m edge_agent.update.signature KEY_FILE PACKAGE

which answers with nothing and 0, or a text on stderr and 1; the beginning of a package is enough. Root imports it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contract.package import Head, read_head
from contract.release import SIGNED_PREFIX, PackageError
from edge_agent.update.errors import Refused

_MAX_KEY_BYTES: Final = 4096


def verify(key_file: Path, head: Head) -> None:
    """Refused unless the head's manifest is signed by the key in `key_file`."""
    try:
        key = serialization.load_pem_public_key(key_file.read_bytes()[:_MAX_KEY_BYTES])
    except FileNotFoundError as error:
        raise Refused(f"{key_file} is missing: this device knows no key of releases; install one") from error
    except (OSError, ValueError) as error:
        raise Refused(f"{key_file} holds no public key: {error}; install the hub's release key again") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Refused(f"{key_file} is no Ed25519 key; install the hub's release key again")
    try:
        key.verify(head.signature, SIGNED_PREFIX + head.signed)
    except InvalidSignature as error:
        raise Refused(f"the package is not signed by the key in {key_file}; take one from your own hub") from error


def main() -> int:
    """The process."""
    key_file, package = map(Path, sys.argv[1:])
    try:
        with package.open("rb") as stream:
            verify(key_file, read_head(stream))
    except (Refused, PackageError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
