"""The demo kiosk's web content on 127.0.0.1: the files of `kiosk_site`, and nothing else."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

SITE_FOLDER: Final = Path(__file__).parent / "kiosk_site"


class SiteServer:
    """Serves `folder` while entered. `port` 0: any free one. Raises OSError where that is in use."""

    def __init__(self, port: int = 0, folder: Path = SITE_FOLDER) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), partial(_QuietHandler, directory=str(folder)))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="kiosk-site", daemon=True)

    @property
    def origin(self) -> str:
        """Scheme, host and port, as the browser sends them to the agent."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving; does nothing before it was entered but let go of the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _QuietHandler(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the demo's console belongs to the demo."""
