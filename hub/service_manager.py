"""What systemd is told of a role of the hub: that it works, and, again and again, that it still does. sd_notify(3).

Where nobody listens (a terminal, a container) nothing is said.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping
from typing import Final

_OURS: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_TIMEOUT_S: Final = 1.0
"""A manager whose socket stays full must not hold us."""
log = logging.getLogger(__name__)


class ServiceManager:
    """The one that started this process; made from the environment, whose words for it are not for children."""

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        address, watchdog_us, watchdog_pid = (environ.pop(name, "") for name in _OURS)
        # Linux's abstract sockets begin with a NUL, which an environment cannot hold.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        watched = bool(address) and watchdog_us.isdecimal() and watchdog_pid in ("", str(os.getpid()))
        self.watchdog_s = int(watchdog_us) / 1e6 if watched else 0.0
        """The longest time without `say("WATCHDOG=1")`; 0: it does not watch."""

    def say(self, words: str) -> None:
        """READY=1, WATCHDOG=1 or STOPPING=1."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
                speaker.settimeout(_TIMEOUT_S)
                speaker.sendto(words.encode(), self._address)
        except OSError as error:
            log.warning("systemd cannot be told %s: %s", words, error)
