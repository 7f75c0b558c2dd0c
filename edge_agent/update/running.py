"""Other programs, as root's part of an update runs them: with the agent's rights where they are the agent's."""

from __future__ import annotations

import logging
import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

_TOLD_BYTES: Final = 400
_TIMED_OUT: Final = -1
log = logging.getLogger(__name__)


class Ran(NamedTuple):
    """How a program ended."""

    code: int
    out: bytes
    said: str
    """Its last words, for a person."""


def run(command: Sequence[str | Path], *, timeout_s: float, owner_of: Path | None = None) -> Ran:
    """Run it and wait. `owner_of`: with the rights of who owns that folder, if we are root."""
    arguments = [str(part) for part in command]
    try:
        done = subprocess.run(
            arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False, cwd="/",
            env=_environment(), **_rights(owner_of),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Ran(_TIMED_OUT, b"", f"{arguments[0]} did not end within {timeout_s:.0f} s")
    except OSError as error:
        return Ran(_TIMED_OUT, b"", f"{arguments[0]} cannot be run: {error.strerror}")
    return Ran(
        done.returncode, done.stdout, _last(done.stderr) or _last(done.stdout) or f"it ended with {done.returncode}"
    )


def _environment() -> dict[str, str]:
    """Ours, without what would lead one environment to the modules of another."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    return {**kept, "PYTHONNOUSERSITE": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _rights(folder: Path | None) -> dict[str, Any]:
    if folder is None or os.geteuid() != 0:
        return {}
    owner = folder.stat()
    if owner.st_uid == 0:
        return {}
    try:
        groups = os.getgrouplist(pwd.getpwuid(owner.st_uid).pw_name, owner.st_gid)
    except KeyError:
        groups = []
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": groups}


def _last(data: bytes) -> str:
    return data.decode(errors="replace").strip()[-_TOLD_BYTES:]
