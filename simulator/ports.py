"""Loopback ports that stay a server's own across its restarts."""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import Final

from simulator.errors import ServerError

HOST: Final = "127.0.0.1"
# Below the range from which Linux takes the ports of outgoing connections (32768 and up): while a killed server is
# down, no client of ours can be given its port by chance.
_FIRST, _LAST = 20_000, 32_000
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        # As servers do it: connections of an earlier run that linger in TIME_WAIT do not stand in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def accepts(port: int) -> bool:
    """Whether something accepts connections on this port of the loopback address."""
    try:
        socket.create_connection((HOST, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port on which nothing listens; at random, so that two processes that ask at once rarely get the same."""
    chance = random.SystemRandom()
    for _ in range(_TRIES):
        port = chance.randint(_FIRST, _LAST)
        if is_free(port):
            return port
    raise ServerError(f"no free port found on {HOST} between {_FIRST} and {_LAST}; is something holding all of them?")


def kept_port(file: Path) -> int:
    """The port that `file` remembers if it is still free, otherwise a new one, which `file` then remembers."""
    try:
        port = int(file.read_text())
    except (FileNotFoundError, ValueError):
        port = 0
    if not (port and is_free(port)):
        port = free_port()
        file.write_text(f"{port}\n")
    return port
