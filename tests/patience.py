"""Waiting in tests: for as long as it takes, never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

DEADLINE_S: Final = 90.0
"""Nothing that a test waits for takes so long, however busy the machine is."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.005, 0.05


def until(true: Callable[[], Any], what: str = "it came true", deadline_s: float = DEADLINE_S) -> Any:
    """What `true` returns, as soon as that is true; AssertionError when it was not for so long that it never will."""
    deadline = time.monotonic() + deadline_s
    pause_s = _FIRST_PAUSE_S
    while not (found := true()):
        assert time.monotonic() < deadline, f"not within {deadline_s:.0f} s: {what}"
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)  # some conditions ask a database or start a process
    return found
