"""The HTTP server of the phone's page: plain HTTP on the local network, for minutes, behind a code.

A process of its own (`page_process`), never a part of the agent: what strangers on the network may talk to holds no
key and no outbox, and is there also when the agent hangs or does not run. Nothing on the page is secret; the code
keeps the curious out. Each connection has one deadline, and there are few.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from msgspec.structs import replace

from edge_agent import words
from edge_agent.doctor import html, page_html, page_rules
from edge_agent.doctor.addresses import addresses, is_mobile
from edge_agent.doctor.page_measuring import Measuring
from edge_agent.doctor.page_rules import COOKIE, Verdict
from edge_agent.words import Language

DEFAULT_PORT: Final = 8780
REQUEST_S: Final = 10.0
CONNECTIONS: Final = 16
_POLL_S: Final = 0.25
log = logging.getLogger(__name__)


def local_addresses() -> list[str]:
    """Where telephones of the same network find this machine; not what a mobile operator's network sees."""
    return [address.ip for address in addresses() if not is_mobile(address.interface)]


class PhonePage(socketserver.ThreadingTCPServer):
    """Serves until `until_s` of time.monotonic(), or until too many codes were wrong. OSError if the port is taken."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self, measuring: Measuring, code: str, *, port: int, until_s: float, own: Callable[[], list[str]]
    ) -> None:
        self.measuring, self._until_s, self._own = measuring, until_s, own
        self._lock = threading.Lock()
        self._door = page_rules.door(code)
        self._open: dict[Any, float] = {}
        super().__init__(("", port), _Handler)

    @property
    def port(self) -> int:
        """The port, also when any was asked for."""
        return int(self.server_address[1])

    @property
    def seconds_left(self) -> float:
        """Until it closes by itself."""
        return self._until_s - time.monotonic()

    def serve(self) -> None:
        """Until its time is over; then everything that was begun is ended."""
        try:
            while self.seconds_left > 0 and not self._door.closed:
                self.timeout = min(_POLL_S, max(self.seconds_left, 0.01))
                self.handle_request()
                self._drop_slow()
        finally:
            self.server_close()
            self.measuring.close()

    def knock(self, code: str) -> tuple[Verdict, str, int]:
        """Whether a code opens; the cookie if it does; how long to wait if not."""
        cookie = secrets.token_urlsafe(32)
        now_s = time.monotonic()
        with self._lock:
            self._door, verdict = self._door.knocked(code, cookie, now_s)
            wait_s = round(max(0.0, self._door.wait_until_s - now_s))
        return verdict, cookie, wait_s

    def opens_to(self, cookie: str) -> bool:
        """Whether the telephone with this cookie has given the code."""
        with self._lock:
            return self._door.opens_to(cookie)

    @property
    def wrong_codes(self) -> int:
        """How many were refused."""
        return self._door.wrong

    def is_ours(self, host: str) -> bool:
        """Whether a Host header names this machine."""
        return page_rules.is_ours(host, self._own(), self.port)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Only from near, only over local interfaces, only so many."""
        here = str(request.getsockname()[0])
        local = here.startswith("127.") or here in self._own()
        return local and page_rules.is_near(str(client_address[0])) and len(self._open) < CONNECTIONS

    def process_request(self, request: Any, client_address: Any) -> None:
        """As ever, with a deadline."""
        with self._lock:
            self._open[request] = time.monotonic() + REQUEST_S
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """As ever."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A telephone that left, or was too slow, is no error of ours."""
        if not isinstance(sys.exception(), OSError):
            log.exception("a request to the page failed")

    def _drop_slow(self) -> None:
        with self._lock:
            late = [request for request, until_s in self._open.items() if until_s < time.monotonic()]
            for request in late:
                del self._open[request]
                with contextlib.suppress(OSError):  # it was faster
                    request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: PhonePage
    timeout = REQUEST_S
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        path, language = self._asked()
        if not self._may():
            return
        if path == page_html.STYLE_PATH:
            self._answer(200, html.STYLE, "text/css; charset=utf-8")
        elif path != "/":
            self._answer(404, "not found", "text/plain")
        elif self._is_known():
            measured = replace(
                self.server.measuring.look(language),
                minutes_left=max(0, -int(-self.server.seconds_left // 60)),
                wrong_codes=self.server.wrong_codes,
            )
            self._answer(200, page_html.result_page(language, measured))
        else:
            self._answer(200, page_html.code_page(language))

    def do_POST(self) -> None:
        path, language = self._asked()
        if not self._may():
            return
        if path == "/code":
            self._take_code(language)
        elif path == "/again" and self._is_known():
            self.server.measuring.measure()
            self._go_to_result(language)
        else:
            self._answer(404, "not found", "text/plain")

    def _take_code(self, language: Language) -> None:
        length = page_rules.form_bytes(self.headers.get("Content-Length", ""))
        if length is None:
            self._answer(413, "too large", "text/plain")
            return
        given = parse_qs(self.rfile.read(length).decode("ascii", "replace")).get("code", [""])[0]
        verdict, cookie, wait_s = self.server.knock(given.replace(" ", ""))
        if verdict == "in":
            self._go_to_result(language, f"{COOKIE}={cookie}; HttpOnly; SameSite=Strict; Path=/")
        elif verdict == "wait":
            self._answer(429, page_html.code_page(language, words.plain(language, "page.wait", seconds=wait_s)))
        else:
            self._answer(403, page_html.code_page(language, words.plain(language, "page.wrong")))

    def _asked(self) -> tuple[str, Language]:
        parts = urlsplit(self.path)
        return parts.path, words.language(parse_qs(parts.query).get("lang", [""])[0])

    def _may(self) -> bool:
        if self.server.is_ours(self.headers.get("Host", "")):
            return True
        self._answer(403, "ask for this machine by its address", "text/plain")
        return False

    def _is_known(self) -> bool:
        return self.server.opens_to(page_rules.cookie_of(self.headers.get("Cookie", "")))

    def _go_to_result(self, language: Language, cookie: str = "") -> None:
        headers = {"Location": f"/?lang={language}"} | ({"Set-Cookie": cookie} if cookie else {})
        self._answer(303, "", headers=headers)

    def _answer(
        self, status: int, text: str, kind: str = "text/html; charset=utf-8", headers: dict[str, str] | None = None
    ) -> None:
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in [*page_rules.SECURITY_HEADERS, *(headers or {}).items()]:
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "ttdn-agent"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Who looks is nobody's business."""
