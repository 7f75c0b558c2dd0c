"""Who runs a command."""

from __future__ import annotations

import os
import pwd
from typing import Final

_PEOPLE_FROM: Final = 1000
"""Debian's users below are root and services, among them the hub's own."""


def by_whom() -> str:
    """For the audit log: the user of the system, and behind sudo the one who called it.

    People's own accounts name themselves: they could write anything into their environment.
    """
    name = os.environ.get("SUDO_USER") if os.geteuid() < _PEOPLE_FROM else None
    try:
        return f"command:{name or pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"command:{os.getuid()}"
