"""What a connection costs on the line, as the kernel counts it: TLS, headers, acknowledgements and all."""

from __future__ import annotations

import socket
import struct
from typing import Final

_TCP_INFO: Final = struct.Struct("=120xQQII")
"""Of `struct tcp_info`: bytes acknowledged, bytes received, segments out, segments in; so since Linux 4.2."""
HEADERS_BYTES: Final = 52
"""IPv4 and TCP with timestamps, a segment."""


def line_bytes(connection: object) -> int | None:
    """Bytes of a TCP connection so far, both ways; None where the kernel does not tell or it is closed.

    What was sent and not acknowledged yet is not in it; what was sent twice counts once, but for its headers.
    """
    ask = getattr(connection, "getsockopt", None) or getattr(
        getattr(connection, "_socket", None), "getsockopt", None
    )  # paho's WebSocket hides the socket below it
    if ask is None:
        return None
    try:
        return of_tcp_info(ask(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size))
    except OSError:
        return None


def of_tcp_info(info: bytes) -> int | None:
    """The sum; None for the shorter answer of an older kernel."""
    if len(info) < _TCP_INFO.size:
        return None
    acknowledged, received, segments_out, segments_in = _TCP_INFO.unpack(info)
    return int(acknowledged + received + HEADERS_BYTES * (segments_out + segments_in))
