"""mpv's JSON IPC: one JSON object a line over a Unix socket, replies and events mixed.

File names need not be UTF-8 and mpv passes their bytes on: they become surrogates, as everywhere in Python.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from msgspec import Struct

from edge_agent.probes.base import ProbeError
from edge_agent.probes.connection import FrozenError, GoneError

MAX_LINE_BYTES: Final = 1 << 20
_READ_BYTES: Final = 64 << 10


class PlayerGoneError(GoneError):
    """No player listens, or the one that did has gone. Connect anew."""

    code = "player_gone"


class PlayerFrozenError(FrozenError):
    """The player is there and does not answer. The connection stays good."""

    code = "player_frozen"


class Line(Struct, frozen=True):
    """One line of mpv: an event (`event`), or the reply to a command (`request_id`)."""

    event: str | None = None
    request_id: int | None = None
    error: str | None = None
    data: Any = None
    reason: str | None = None
    file_error: str | None = None
    playlist_entry_id: int | None = None


def parse_line(line: bytes) -> Line:
    """One line without its end. Raises ProbeError if it is not of mpv's protocol."""
    try:
        return msgspec.convert(json.loads(line.decode("utf-8", "surrogateescape")), Line)
    except (ValueError, RecursionError) as error:
        msg = f"mpv sent a line that is not of its protocol ({error}); is the socket that of an mpv 0.35 or later?"
        raise ProbeError(msg) from error


class LineBuffer:
    """Cuts bytes into lines. Raises ProbeError at a line above 1 MiB."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES or any(len(line) > MAX_LINE_BYTES for line in lines):
            self._rest = b""
            msg = f"mpv sent a line of more than {MAX_LINE_BYTES} bytes; shorten its playlist, or restart it"
            raise ProbeError(msg)
        return [line for line in lines if line.strip()]


class MpvIpc:
    """One open connection. Used by one thread; `close` may come from any."""

    def __init__(self, socket_path: str, *, timeout_s: float) -> None:
        """Raises PlayerGoneError, PlayerFrozenError, ProbeError."""
        self._buffer = LineBuffer()
        self._last_id = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(timeout_s)
            self._socket.connect(socket_path)
        except OSError as error:
            self._socket.close()
            raise _connect_error(socket_path, error) from error

    def send(self, commands: Sequence[Sequence[object]]) -> range:
        """Send commands at once; the ids of their replies, in order. Raises PlayerGoneError, PlayerFrozenError."""
        ids = range(self._last_id + 1, self._last_id + 1 + len(commands))
        self._last_id += len(commands)
        lines = (
            json.dumps({"command": list(command), "request_id": id_})
            for id_, command in zip(ids, commands, strict=True)
        )
        try:
            self._socket.sendall("".join(f"{line}\n" for line in lines).encode())
        except TimeoutError as error:
            raise PlayerFrozenError("mpv takes no commands") from error
        except OSError as error:
            raise PlayerGoneError("mpv has closed its IPC connection") from error
        return ids

    def receive(self, timeout_s: float) -> list[Line]:
        """The lines that come next, in one piece; none after `timeout_s`. Raises PlayerGoneError, ProbeError."""
        end_s = time.monotonic() + timeout_s
        try:
            while (left_s := end_s - time.monotonic()) > 0:
                self._socket.settimeout(left_s)
                data = self._socket.recv(_READ_BYTES)
                if not data:
                    raise PlayerGoneError("mpv has closed its IPC connection")
                if lines := self._buffer.feed(data):
                    return [parse_line(line) for line in lines]
        except TimeoutError:
            return []
        except OSError as error:
            raise PlayerGoneError("mpv has closed its IPC connection") from error
        return []

    def close(self) -> None:
        """A `receive` under way in another thread raises PlayerGoneError."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _connect_error(socket_path: str, error: OSError) -> Exception:
    if isinstance(error, TimeoutError | BlockingIOError):
        return PlayerFrozenError(f"mpv takes no connection at {socket_path}")
    if isinstance(error, FileNotFoundError | ConnectionRefusedError | NotADirectoryError):
        return PlayerGoneError(f"no mpv listens at {socket_path}")
    msg = (
        f"cannot connect to {socket_path} ({error.strerror or error}); is the agent's user allowed to use this socket?"
    )
    return ProbeError(msg)
