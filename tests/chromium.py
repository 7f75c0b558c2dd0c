"""A real headless Chromium, a website for it to show, and a hand that steers it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import pytest

from edge_agent.probes.devtools import PORT_FILE, DevTools, parse_port_file, read_address

INSTALL: Final = "apt-get install -y --no-install-recommends chromium"
_START_S: Final = 60.0
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)


class Website:
    """Pages on a loopback port: path without slash to HTML. Everything else is a 404."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        self._open = threading.Event()
        self._open.set()
        is_open = self._open.is_set
        served = {f"/{name}": f"<!doctype html><title>{name}</title>{body}" for name, body in pages.items()}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not is_open():
                    return  # A browser connects ahead of its needs; such a connection outlives the server.
                body = served.get(self.path.partition("?")[0])
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write((body or "nothing here").encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def url(self, name: str) -> str:
        """The address of a page."""
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def close(self) -> None:
        """Stop serving."""
        self._open.clear()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class ChromiumProcess:
    """One browser with its own profile; it can be killed, frozen and started again."""

    def __init__(self, profile: Path) -> None:
        self.profile = profile
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, url: str) -> Self:
        """Start it and wait for its port. Fails the test if Chromium is not installed."""
        program = shutil.which("chromium")
        if program is None:
            pytest.fail(f"Chromium is not installed; install it with: {INSTALL}")
        port_file = self.profile / PORT_FILE
        port_file.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={self.profile}", url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_S
        while not (port_file.exists() and parse_port_file(port_file.read_text())):
            assert self._process.poll() is None, "Chromium ended while it started"
            assert time.monotonic() < deadline, "Chromium has not opened its port"
            time.sleep(0.02)
        return self

    def freeze(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL to the browser and what it started; no goodbye to anybody."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def steer(self) -> Hand:
        """A second DevTools client, as the kiosk's own software might be."""
        return Hand(self.profile)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


class Hand:
    """Does to a browser what visitors, technicians and bad luck do. Use with `with`."""

    def __init__(self, profile: Path) -> None:
        self._devtools = DevTools(read_address(profile), timeout_s=20)
        self.first = self._first_page()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._devtools.close()

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """One command and its result."""
        request = self._devtools.send(method, params, session)
        deadline = time.monotonic() + 20
        while (message := self._devtools.receive(deadline - time.monotonic())) is not None:
            if message.id == request:
                assert message.error is None, message.error
                result: dict[str, Any] = msgspec.json.decode(message.result)
                return result
        raise AssertionError(f"no reply to {method}")

    def navigate(self, url: str) -> None:
        """Go to another page."""
        self.call("Page.navigate", self._session(self.first), url=url)

    def crash(self) -> None:
        """Kill the page's renderer."""
        self._devtools.send("Page.crash", {}, self._session(self.first))

    def reload(self) -> None:
        """Load the page anew, as a watchdog does after a crash."""
        self.call("Page.reload", self._session(self.first))

    def open_tab(self, url: str) -> str:
        """A new tab over the page; its id."""
        return str(self.call("Target.createTarget", url=url)["targetId"])

    def close_tab(self, target_id: str) -> None:
        """Close a tab."""
        self.call("Target.closeTarget", targetId=target_id)

    def set_window(self, state: str) -> None:
        """`minimized` or `normal`."""
        window = self.call("Browser.getWindowForTarget", targetId=self.first)["windowId"]
        self.call("Browser.setWindowBounds", windowId=window, bounds={"windowState": state})

    def _first_page(self) -> str:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            targets = self.call("Target.getTargets")["targetInfos"]
            if pages := [str(target["targetId"]) for target in targets if target["type"] == "page"]:
                return pages[0]
        raise AssertionError("the browser has opened no page")

    def _session(self, target_id: str) -> str:
        return str(self.call("Target.attachToTarget", targetId=target_id, flatten=True)["sessionId"])
