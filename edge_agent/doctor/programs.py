"""Other programs of the machine that know something: asked with a time limit, missing ones are no error."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import NamedTuple


class Ran(NamedTuple):
    """How a program ended, and what it said."""

    code: int
    out: str
    errors: str


def run(command: Sequence[str], timeout_s: float) -> Ran | None:
    """What the program says; None if there is none of that name, it cannot be run, or it takes too long."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Ran(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
