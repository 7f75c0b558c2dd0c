"""The loopback HTTP endpoint through which the kiosk's own web content speaks to the agent.

One request a connection, one thread a connection, and few of both. A request has one deadline for all of its bytes and
a bound on their number, so a slow or endless client costs a thread for `request_s` and 12 KiB; when connections run out
the oldest that is still sending gives way. `POST /v1/visits` is answered 200 only after its events are durable; every
other answer is JSON with a code of `bridge_rules.REFUSALS`, and counted.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import socket
import socketserver
import threading
import time
from collections import Counter
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final

import msgspec

from edge_agent import bridge_rules as rules
from edge_agent.bridge_rules import BridgeError, BridgeSettings, NotAccepted, Refused
from edge_agent.reception import Reception

_SCRIPT_FILE: Final = Path(__file__).parent / "web" / "ttdn.js"
_DRAINED_BYTES: Final = 64 * 1024
_DRAIN_S: Final = 1.0
_POLL_S: Final = 0.2
"""How often the listening thread looks whether it is to end."""
_JSON: Final = "application/json"
_log = logging.getLogger(__name__)


class Bridge:
    """Serves the kiosk's pages while started. Safe to use from every thread."""

    def __init__(self, settings: BridgeSettings, reception: Reception) -> None:
        """Listen. Raises BridgeError where that is not possible or not allowed."""
        rules.check_address(settings.address)
        self._reception = reception
        try:
            self._server = _Server(settings, reception)
        except OSError as error:
            where = f"{settings.address} port {settings.port}"
            msg = f"The bridge cannot listen on {where}: {error}. Set bridge.port to a free port."
            raise BridgeError(msg) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), name="bridge")

    @property
    def url(self) -> str:
        """Where pages find it, such as http://127.0.0.1:8787."""
        host = self._server.server_address[0]
        return f"http://[{host!s}]:{self.port}" if host == "::1" else f"http://{host!s}:{self.port}"

    @property
    def port(self) -> int:
        """The port, also when any was asked for."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    @property
    def is_visited(self) -> bool:
        """Whether a visitor's session is open."""
        return self._reception.is_visited

    def tick(self) -> None:
        """See Reception.tick."""
        self._reception.tick()

    def counts(self) -> dict[str, int]:
        """How many messages were taken (`messages`) or known already (`repeated`), and refusals by code, since start.

        `gone`: the client left before its answer; `evicted`: it was too slow when others waited.
        """
        return self._server.counts()

    def close(self) -> None:
        """Stop answering, then end the session under way. Returns when every thread is gone."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.evict_all()
        self._server.server_close()
        self._reception.close()


def _refusal(refused: Refused) -> bytes:
    return msgspec.json.encode({"error": refused.code, "detail": refused.detail})


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, settings: BridgeSettings, reception: Reception) -> None:
        self.address_family = socket.AF_INET6 if ":" in settings.address else socket.AF_INET
        self.settings, self.reception = settings, reception
        self.script = _SCRIPT_FILE.read_bytes()
        self.script_tag = f'"{hashlib.sha256(self.script).hexdigest()[:32]}"'
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._sending: dict[Any, bool] = {}
        """Open connections, oldest first: whether the client is still sending its request."""
        self._bucket = rules.Bucket(settings.burst_messages, 0)
        super().__init__((settings.address, settings.port), _Handler)

    def count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self._counts[what] += number

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    def spend(self, messages: int) -> None:
        """Take the request's messages out of the bucket. Raises Refused."""
        with self._lock:
            self._bucket = self._bucket.taken(
                messages,
                time.monotonic_ns() // 1_000_000,
                per_s=self.settings.messages_per_s,
                burst=self.settings.burst_messages,
            )

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            room = self._make_room()
            if room:
                self._sending[request] = True
        if not room:
            self._turn_away(request)
            return
        super().process_request(request, client_address)

    def _turn_away(self, request: Any) -> None:
        """Refuse without a thread and without waiting."""
        busy = Refused("busy")
        self.count(busy.code)
        body = _refusal(busy)
        head = f"HTTP/1.1 {busy.status} Busy\r\nContent-Type: {_JSON}\r\nContent-Length: {len(body)}\r\n"
        with contextlib.suppress(OSError):  # it need not hear it
            request.settimeout(0)
            request.send(head.encode() + b"Retry-After: 1\r\nConnection: close\r\n\r\n" + body)
        self.shutdown_request(request)

    def _make_room(self) -> bool:
        """Whether one more connection may be taken, if need be in place of the oldest that is still sending."""
        limit = self.settings.connections
        if len(self._sending) < limit:
            return True
        oldest = next((request for request, sending in self._sending.items() if sending), None)
        if oldest is None or len(self._sending) >= 2 * limit:
            return False
        self._counts["evicted"] += 1
        self._evict(oldest)
        return True

    def _evict(self, request: Any) -> None:
        self._sending[request] = False
        with contextlib.suppress(OSError):  # the client was faster
            request.shutdown(socket.SHUT_RDWR)

    def evict_all(self) -> None:
        """Do not wait for clients that are still sending."""
        with self._lock:
            for request in [request for request, sending in self._sending.items() if sending]:
                self._evict(request)

    def settle(self, request: Any) -> None:
        """The request is complete: its connection does not give way any more."""
        with self._lock:
            self._sending[request] = False

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._sending.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        self.count("failed")
        _log.exception("A request to the bridge failed; its page will send it again.")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.command, self.path, self.requestline, self.request_version = "", "", "", self.protocol_version
        self.connection.settimeout(self.server.settings.request_s)
        self._bytes = _Bounded(self.connection, self.server.settings.request_s)
        self.rfile = io.BufferedReader(self._bytes, 1024)

    def handle(self) -> None:
        try:
            self.handle_one_request()
        except Refused as refused:
            self._refuse(refused)
        except ConnectionError:
            self.server.count("gone")

    def do_GET(self) -> None:
        request = self._checked()
        if request.path == rules.HEALTH:
            self._answer(200, b'{"status":"ok"}')
        elif self.headers.get("If-None-Match") == self.server.script_tag:
            self._answer(304)
        else:
            self._answer(200, self.server.script, content_type="text/javascript; charset=utf-8")

    def do_OPTIONS(self) -> None:
        self._checked()
        self._answer(204)

    def do_POST(self) -> None:
        length = rules.body_length(self._checked())
        body = self.rfile.read(length)
        self.server.settle(self.request)
        messages = rules.read_messages(body, self.server.settings.languages)
        self.server.spend(len(messages))
        try:
            new = self.server.reception.take(messages)
        except NotAccepted as error:
            raise Refused("not_accepted", str(error)) from error
        self.server.count("messages", new)
        self.server.count("repeated", len(messages) - new)
        self._answer(200, b'{"taken":%d}' % new)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library finds wrong becomes one of our refusals."""
        raise Refused({501: "method", 414: "too_large", 431: "too_large"}.get(code, "http"), explain or message or "")

    def _checked(self) -> rules.Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = rules.Request(self.command, self.path.partition("?")[0], headers)
        rules.check_head(request, int(self.server.server_address[1]), self.server.settings.origins)
        return request

    def _refuse(self, refused: Refused) -> None:
        self.server.count(refused.code)
        try:
            self._answer(refused.status, _refusal(refused))
        except OSError:
            self.server.count("gone")
        else:
            self._bytes.drain()

    def _answer(self, status: int, body: bytes = b"", content_type: str = _JSON) -> None:
        self.close_connection = True
        self.send_response(status)
        for name, value in (self._cors() | self._caching(status)).items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _cors(self) -> dict[str, str]:
        """What lets the browser hand the answer to a page that may speak here, a refusal too."""
        headers = getattr(self, "headers", None)
        origin = headers.get("Origin") if headers else None
        if origin not in self.server.settings.origins:
            return {"Vary": "Origin"}
        allowed = {"Vary": "Origin", "Access-Control-Allow-Origin": origin}
        if self.command == "OPTIONS":
            allowed["Access-Control-Allow-Methods"] = "POST"
            allowed["Access-Control-Allow-Headers"] = "content-type"
            allowed["Access-Control-Allow-Private-Network"] = "true"
            allowed["Access-Control-Max-Age"] = "600"
        return allowed

    def _caching(self, status: int) -> dict[str, str]:
        if status in (200, 304) and self.path.partition("?")[0] == rules.SCRIPT:
            return {"Cache-Control": "no-cache", "ETag": self.server.script_tag}
        caching = {"Cache-Control": "no-store"}
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            caching["Allow"] = "GET, POST, OPTIONS"
        return caching if status not in (429, 503) else caching | {"Retry-After": "1"}

    def version_string(self) -> str:
        return "ttdn-agent"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Requests are counted, not logged: a log would be a record of visitors."""


class _Bounded(io.RawIOBase):
    """A socket's bytes up to a number and a deadline.

    Raises Refused beyond them, and ConnectionAbortedError when the client leaves in the middle. A client that sent
    nothing at all, as browsers open connections in advance, is at its end instead.
    """

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._deadline = time.monotonic() + seconds
        self._left = rules.MAX_HEAD_BYTES + rules.MAX_BODY_BYTES
        self._began = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: self._left]
        if not view:
            raise Refused("too_large")
        try:
            number = self._receive(view)
        except TimeoutError as error:
            if self._began:
                raise Refused("slow") from error
            return 0
        if number == 0 and self._began:
            raise ConnectionAbortedError
        self._began = True
        self._left -= number
        return number

    def _receive(self, view: memoryview) -> int:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._connection.settimeout(left_s)
        return self._connection.recv_into(view)

    def drain(self) -> None:
        """Let the client finish sending what nobody reads: closing at once would take the answer from it."""
        self._deadline = time.monotonic() + _DRAIN_S
        scrap = memoryview(bytearray(1024))
        with contextlib.suppress(OSError):  # it was told all the same
            self._connection.shutdown(socket.SHUT_WR)
            for _ in range(_DRAINED_BYTES // len(scrap)):
                if self._receive(scrap) == 0:
                    return
