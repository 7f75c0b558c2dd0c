"""Names, addresses and ports, as settings give them."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Final

from pydantic import Field

HOST_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)

Port = Annotated[int, Field(ge=1, le=65_535)]


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
