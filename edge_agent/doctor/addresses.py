"""This machine's own IPv4 addresses, asked of the kernel."""

from __future__ import annotations

import fcntl
import socket
import struct
from typing import Final, NamedTuple

_SIOCGIFADDR: Final = 0x8915
_NAME_BYTES: Final = 15
_AT: Final = slice(20, 24)
"""Where `struct ifreq` has the address."""
MOBILE: Final = ("ppp", "wwan", "rmnet", "usb_modem")
"""How interfaces are called that lead straight into a mobile operator's network."""


class Address(NamedTuple):
    """One interface that is not the loopback, and its address."""

    interface: str
    ip: str


def addresses() -> list[Address]:
    """Interfaces with an IPv4 address, but for the loopback."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:_NAME_BYTES])
            try:
                answer = fcntl.ioctl(asking, _SIOCGIFADDR, request)
            except OSError:
                continue  # it has none
            ip = socket.inet_ntoa(answer[_AT])
            if not ip.startswith("127."):
                found.append(Address(name, ip))
    return found


def is_mobile(interface: str) -> bool:
    """Whether other subscribers of a mobile operator may be on the other side."""
    return interface.startswith(MOBILE)
