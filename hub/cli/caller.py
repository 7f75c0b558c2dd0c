"""Who runs a command."""

from __future__ import annotations

import os
import pwd


def by_whom() -> str:
    """For the audit log: the user of the system, and behind sudo the one who called it."""
    name = os.environ.get("SUDO_USER") if os.geteuid() == 0 else None
    try:
        return f"command:{name or pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"command:{os.getuid()}"
