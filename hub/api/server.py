"""The HTTP server in a thread of its own."""

from __future__ import annotations

import logging
import socket
import threading
import time
from typing import Final

import uvicorn

from hub.api.app import create_app
from hub.config import HubSettings
from hub.errors import HubError
from hub.metrics import HubMetrics
from hub.store.readers import reader_pool

_POLL_S: Final = 0.01
_GRACE_S: Final = 5
log = logging.getLogger(__name__)


class ApiServer:
    """Serves the API until stopped. `address` is known once it was started."""

    def __init__(self, settings: HubSettings, metrics: HubMetrics) -> None:
        self._settings = settings
        self._pool = reader_pool(settings.database.conninfo(), settings.database.pool_connections)
        config = uvicorn.Config(
            create_app(settings, self._pool, metrics),
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None
        self._stopping = False
        self.address = ""

    def start(self) -> None:
        """Listen; HubError if the port is taken."""
        listener = self._listen()
        host, port = listener.getsockname()[:2]
        self.address = f"http://{host}:{port}/"
        self._pool.open()
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="api", daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise HubError("the HTTP server did not start; the log says why")
            time.sleep(_POLL_S)
        log.info("what is on every screen: %s", self.address)

    def stop(self) -> None:
        """Finish requests under way, for a few seconds at most."""
        self._stopping = True
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        self._pool.close()

    def failure(self) -> str | None:
        """Why it stopped by itself; None while it serves."""
        if self._thread is None or self._stopping or self._thread.is_alive():
            return None
        return "the HTTP server stopped by itself; the log says why"

    def _listen(self) -> socket.socket:
        host, port = self._settings.api.host, self._settings.api.port
        try:
            return socket.create_server((host, port))
        except OSError as error:
            raise HubError(f"api.port: {host}:{port} cannot be used: {error.strerror}; 0 takes a free port") from None
