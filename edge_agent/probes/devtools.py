"""A thin session with Chromium's DevTools protocol: one WebSocket to the browser, all pages over it ("flat" sessions).

The protocol has no authentication: the connection goes to loopback only. Chromium refuses clients that send an Origin
header, so none is sent. Nothing is asked of `/json/list`: it tells the URL that was wanted, not the one that is shown.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.sync.client import ClientConnection, connect

from edge_agent.probes.base import ProbeError
from edge_agent.probes.connection import FrozenError, GoneError

PORT_FILE: Final = "DevToolsActivePort"
MAX_MESSAGE_BYTES: Final = 4 << 20
"""A page's URL is in many messages; Chromium allows 2 MiB for it."""
_CLOSE_S: Final = 0.2


class BrowserGoneError(GoneError):
    """No browser listens, or the one that did has gone. Connect anew: a restarted browser has another port."""

    code = "browser_gone"


class BrowserFrozenError(FrozenError):
    """The browser's process is there and does not answer. The connection, if there was one, stays good."""

    code = "browser_frozen"


class TargetInfo(Struct, frozen=True, rename="camel"):
    """What the browser tells of a page. `url` is the one that is wanted, whether or not it could be loaded."""

    target_id: str
    type: str
    url: str = ""
    subtype: str | None = None
    """`prerender` for a page that is not on screen yet."""


class Params(Struct, frozen=True, rename="camel"):
    """What an event of the domain Target carries, of what is of use here."""

    target_info: TargetInfo | None = None
    target_id: str | None = None
    session_id: str | None = None


class Refusal(Struct, frozen=True):
    """Why the browser did not do what it was asked."""

    message: str = ""


class Message(Struct, frozen=True, rename="camel"):
    """An event (`method`) or the reply to a request (`id`)."""

    id: int | None = None
    method: str | None = None
    session_id: str | None = None
    params: Params = Params()
    result: Raw = Raw(b"{}")
    error: Refusal | None = None


_DECODER: Final = msgspec.json.Decoder(Message)


def parse_message(text: str | bytes) -> Message:
    """One message of the browser. Raises ProbeError if it is not of the protocol."""
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        msg = f"Chromium sent what is not DevTools protocol ({error}); is the port in {PORT_FILE} that of a browser?"
        raise ProbeError(msg) from error


def parse_port_file(text: str) -> str | None:
    """The browser's WebSocket address out of `DevToolsActivePort` (port, then path); None while it is half written."""
    port, _, path = text.strip().partition("\n")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 0xFFFF and path.startswith("/devtools/")):
        return None
    return f"ws://127.0.0.1:{int(port)}{path.strip()}"


def read_address(user_data_dir: Path) -> str:
    """Where the browser of this profile listens, or listened. Raises BrowserGoneError, ProbeError."""
    file = user_data_dir / PORT_FILE
    try:
        address = parse_port_file(file.read_text("ascii", "replace"))
    except (FileNotFoundError, NotADirectoryError):
        msg = f"no {file}: Chromium was not started with this profile and --remote-debugging-port=0"
        raise BrowserGoneError(msg) from None
    except OSError as error:
        msg = f"cannot read {file} ({error.strerror}); give the agent's user read access to it"
        raise ProbeError(msg) from error
    if address is None:
        raise BrowserGoneError(f"{file} holds no port yet")
    return address


class DevTools:
    """One open connection. Used by one thread; `close` may come from any."""

    def __init__(self, address: str, *, timeout_s: float) -> None:
        """Raises BrowserGoneError, or BrowserFrozenError after `timeout_s`."""
        self._stack = ExitStack()
        self._last_id = 0
        try:
            self._socket: ClientConnection = self._stack.enter_context(
                connect(
                    address,
                    open_timeout=timeout_s,
                    close_timeout=_CLOSE_S,
                    ping_interval=None,
                    compression=None,
                    proxy=None,
                    max_size=MAX_MESSAGE_BYTES,
                )
            )
        except TimeoutError as error:
            raise BrowserFrozenError(f"the browser at {address} takes no connection within {timeout_s} s") from error
        except (InvalidHandshake, InvalidMessage, ConnectionClosed, EOFError) as error:
            raise BrowserGoneError(f"what listens at {address} is not the browser any more") from error
        except OSError as error:
            raise BrowserGoneError(f"nothing listens at {address}") from error

    def send(self, method: str, params: dict[str, Any] | None = None, session: str | None = None) -> int:
        """Ask; the id of the reply to wait for. Raises BrowserGoneError."""
        self._last_id += 1
        request: dict[str, Any] = {"id": self._last_id, "method": method, "params": params or {}}
        if session is not None:
            request["sessionId"] = session
        try:
            self._socket.send(msgspec.json.encode(request).decode())
        except (ConnectionClosed, OSError) as error:
            raise BrowserGoneError("the browser has closed the connection") from error
        return self._last_id

    def receive(self, timeout_s: float) -> Message | None:
        """The next message, or None after `timeout_s`. Raises BrowserGoneError, ProbeError."""
        try:
            return parse_message(self._socket.recv(timeout=max(timeout_s, 0)))
        except TimeoutError:
            return None
        except (ConnectionClosed, OSError) as error:
            raise BrowserGoneError("the browser has closed the connection") from error

    def close(self) -> None:
        """End the connection within about 0.2 s; a `receive` under way in another thread raises BrowserGoneError."""
        with suppress(OSError):
            self._stack.close()
