"""Two short calls to a broker: does it read the revocation list that we wrote, and end the session of a device.

A few bytes of MQTT 3.1.1 by hand: there is nothing to subscribe to and nothing to wait for but one answer.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final, Literal, NamedTuple

TIMEOUT_S: Final = 5.0
_CONNACK: Final = 0x20
_ANSWER_BYTES: Final = 4
_DISCONNECT: Final = b"\xe0\x00"
_CLEAN: Final = 0x02
_WITH_PASSWORD: Final = 0xC0
Verdict = Literal["refused", "let in", "unknown"]


class CallFailed(Exception):
    """Call again later; the text says which broker and why."""


class Entrance(NamedTuple):
    """Where devices come in, and what its certificate must say."""

    host: str
    port: int
    server_name: str
    authority_pem: str


class OwnWay(NamedTuple):
    """Where the hub comes in, and as whom."""

    host: str
    port: int
    user: str
    password: str
    tls: ssl.SSLContext | None = None


def try_canary(entrance: Entrance, canary: Path) -> Verdict:
    """What becomes of somebody with a certificate that the present list revokes. CallFailed: the broker is not there.

    `refused` proves that the broker has read that list. By TLS 1.2, whose handshake ends with the answer: in 1.3 the
    client is through before anybody has looked at its certificate.
    """
    context = ssl.create_default_context(cadata=entrance.authority_pem)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(canary, password="")
    try:
        with (
            socket.create_connection((entrance.host, entrance.port), TIMEOUT_S) as raw,
            context.wrap_socket(raw, server_hostname=entrance.server_name) as link,
        ):
            link.sendall(connect_packet(""))
            return "let in" if link.recv(_ANSWER_BYTES)[:1] == bytes([_CONNACK]) else "unknown"
    except ssl.SSLError as error:
        if "CERTIFICATE_REVOKED" in (error.reason or ""):
            return "refused"
        raise CallFailed(f"broker {entrance.host}:{entrance.port}: {error.reason or error}") from None
    except (ConnectionResetError, BrokenPipeError):
        return "unknown"
    except OSError as error:
        raise CallFailed(f"broker {entrance.host}:{entrance.port}: {error.strerror or error}") from None


def take_over(way: OwnWay, client_id: str) -> None:
    """Connect under the client id of somebody else and leave: a broker ends the session that was there. CallFailed."""
    where = f"broker {way.host}:{way.port}"
    try:
        with (
            socket.create_connection((way.host, way.port), TIMEOUT_S) as raw,
            _wrapped(raw, way) as link,
        ):
            link.sendall(connect_packet(client_id, way.user, way.password))
            answer = _read(link)
            if answer[:1] != bytes([_CONNACK]) or answer[3:] != b"\x00":
                raise CallFailed(f"{where} does not let the hub in as {client_id!r}: {answer.hex() or 'no answer'}")
            link.sendall(_DISCONNECT)
    except OSError as error:  # ssl.SSLError is one
        raise CallFailed(f"{where}: {error.strerror or error}") from None


def connect_packet(client_id: str, user: str = "", password: str = "") -> bytes:
    """MQTT 3.1.1 CONNECT with a clean session."""
    flags = _CLEAN | (_WITH_PASSWORD if user else 0)
    body = _text("MQTT") + bytes([4, flags, 0, 10]) + _text(client_id)
    if user:
        body += _text(user) + _text(password)
    return b"\x10" + _length(len(body)) + body


def _wrapped(raw: socket.socket, way: OwnWay) -> AbstractContextManager[socket.socket]:
    return nullcontext(raw) if way.tls is None else way.tls.wrap_socket(raw, server_hostname=way.host)


def _read(link: socket.socket) -> bytes:
    answer = b""
    while len(answer) < _ANSWER_BYTES and (part := link.recv(_ANSWER_BYTES - len(answer))):
        answer += part
    return answer


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _length(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)
