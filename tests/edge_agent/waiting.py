"""Waiting for what another thread or process does, without guessing how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

DEADLINE_S: Final = 60.0
"""Nothing that a test waits for takes so long, however busy the machine is."""


def until(true: Callable[[], object], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Return once it holds; AssertionError when it has not for so long that it never will."""
    deadline = time.monotonic() + deadline_s
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {deadline_s:.0f} s: {what}")
        time.sleep(0.02)
