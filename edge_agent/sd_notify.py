"""What systemd is told of us: a few words, each a datagram to the socket that it names in NOTIFY_SOCKET.

See sd_notify(3). Where nobody listens (a terminal, another init) all of it does nothing.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping
from typing import Final

_OURS: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_TIMEOUT_S: Final = 1.0
"""A manager whose socket's buffer stays full must not hold us."""
_MAX_STATUS: Final = 400
log = logging.getLogger(__name__)


class Manager:
    """The service manager, or nobody. `watchdog_s` is the longest time without `alive`; 0: it does not watch."""

    def __init__(self, address: str = "", watchdog_s: float = 0.0) -> None:
        self.watchdog_s = watchdog_s if address else 0.0
        # Linux's abstract sockets begin with a NUL, which an environment cannot hold.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._status = ""
        self._failed = False

    @property
    def listens(self) -> bool:
        """Whether there is one."""
        return bool(self._address)

    def ready(self) -> None:
        """We work from now on."""
        self._send("READY=1")

    def alive(self) -> None:
        """Real work has gone on since the last time."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """We end in good order."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """The line that `systemctl status` shows; said again only when it changes."""
        line = " ".join(text.split())[:_MAX_STATUS]
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def _send(self, words: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
                speaker.settimeout(_TIMEOUT_S)
                speaker.sendto(words.encode(), self._address)
        except OSError as error:
            if not self._failed:  # once: it would be told every few seconds
                log.warning("systemd cannot be told %s: %s", words, error)
            self._failed = True
        else:
            self._failed = False


def manager(environ: MutableMapping[str, str] = os.environ) -> Manager:
    """The manager that started this very process. Its words are taken out of `environ`: they are not for children."""
    address, watchdog_us, watchdog_pid = (environ.pop(name, "") for name in _OURS)
    watched = watchdog_us.isdecimal() and watchdog_pid in ("", str(os.getpid()))
    return Manager(address, int(watchdog_us) / 1e6 if watched else 0.0)
