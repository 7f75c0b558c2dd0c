"""What the long-running agent asks of `keytool`, each time as a short process: cryptography takes 20 MB."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from edge_agent.errors import AgentFailed

_TIMEOUT_S: Final = 120.0
"""A Raspberry Pi of the first kind, swapping, takes some ten seconds to load cryptography."""


class KeytoolFailed(AgentFailed):
    """A key or certificate could not be made, read or used; the text says why."""


class Given(Struct, frozen=True):
    """What `check` reads."""

    certificate: str
    authority: str


class Answer(Struct, frozen=True, omit_defaults=True):
    """What keytool says; which fields, its command decides."""

    device: str = ""
    not_before_ms: int = 0
    not_after_ms: int = 0
    signature: str = ""
    error: str = ""


def make_key(folder: Path) -> None:
    """A new key and its request in `folder`."""
    _run("make", str(folder))


def check_certificate(folder: Path, certificate: str, authority: str) -> Answer:
    """Device and dates of a certificate for `folder`'s key. KeytoolFailed if it is not for that, or another's."""
    return _run("check", str(folder), given=msgspec.json.encode(Given(certificate, authority)))


def sign_renewal(folder: Path, present_key: Path) -> str:
    """The present key's signature under the request in `folder`, base64."""
    return _run("sign", str(folder), str(present_key)).signature


def _run(*arguments: str, given: bytes = b"") -> Answer:
    command = [sys.executable, "-m", "edge_agent.identity.keytool", *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KeytoolFailed(f"keytool {arguments[0]} cannot run: {error}") from error
    try:
        answer = msgspec.json.decode(done.stdout, type=Answer)
    except msgspec.MsgspecError as error:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else f"it ended with {done.returncode}"
        raise KeytoolFailed(f"keytool {arguments[0]}: {said}; is the package cryptography installed?") from error
    if answer.error:
        raise KeytoolFailed(f"keytool {arguments[0]}: {answer.error}")
    return answer
