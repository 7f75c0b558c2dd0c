"""The HTTP server in a thread of its own."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import uvicorn

from hub.api.app import Pools, create_app
from hub.api.question import utc_now
from hub.config import HubSettings
from hub.errors import HubError
from hub.metrics import HubMetrics
from hub.people.passwords import Hashing
from hub.store.people import people_pool
from hub.store.readers import reader_pool

_POLL_S: Final = 0.01
_GRACE_S: Final = 5
_BEAT_S: Final = 5.0
log = logging.getLogger(__name__)


class ApiServer:
    """Serves the API until stopped. `address` is known once it was started."""

    def __init__(
        self,
        settings: HubSettings,
        metrics: HubMetrics,
        *,
        clock: Callable[[], datetime] = utc_now,
        hashing: Hashing | None = None,
    ) -> None:
        """ConfigError if a certificate cannot be used."""
        self._settings = settings
        settings.api.check_tls()
        dsn = settings.database.conninfo()
        self._pools = Pools(reader_pool(dsn, settings.database.pool_connections), people_pool(dsn))
        config = uvicorn.Config(
            create_app(settings, self._pools, metrics, clock=clock, hashing=hashing),
            log_config=None,
            log_level="warning",
            access_log=False,  # nobody's address is written down
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
            proxy_headers=bool(settings.api.proxies),
            forwarded_allow_ips=list(settings.api.proxies),
            ssl_certfile=settings.api.cert_file,
            ssl_keyfile=settings.api.key_file,
            callback_notify=self._beat,
            timeout_notify=int(_BEAT_S),
        )
        self._beat_at: float | None = None
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None
        self._stopping = False
        self.address = ""

    def start(self) -> None:
        """Listen; HubError if the port is taken."""
        listener = self._listen()
        self.address = self._address(listener)
        for pool in self._pools:
            pool.open()
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="api", daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise HubError("the HTTP server did not start; the log says why")
            time.sleep(_POLL_S)
        log.info("what is on every screen: %s", self.address)
        if not self._settings.api.is_local and self._settings.api.cert_file is None:
            log.warning(
                "api.host is %s without api.cert_file: tokens and answers travel in clear unless a proxy before it"
                " speaks https; logins are taken over https only",
                self._settings.api.host,
            )

    def stop(self) -> None:
        """Finish requests under way, for a few seconds at most."""
        self._stopping = True
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        for pool in self._pools:
            pool.close()

    def failure(self) -> str | None:
        """Why it stopped by itself; None while it serves."""
        if self._thread is None or self._stopping or self._thread.is_alive():
            return None
        return "the HTTP server stopped by itself; the log says why"

    def silent_s(self) -> float:
        """Since its event loop went round the last time."""
        return 0.0 if self._beat_at is None else time.monotonic() - self._beat_at

    async def _beat(self) -> None:
        self._beat_at = time.monotonic()

    def _listen(self) -> socket.socket:
        host, port = self._settings.api.host, self._settings.api.port
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            everywhere = host == "::" and socket.has_dualstack_ipv6()
            return socket.create_server((host, port), family=family, dualstack_ipv6=everywhere)
        except OSError as error:
            raise HubError(
                f"api.host, api.port: {host}:{port} cannot be used: {error.strerror}; port 0 takes a free one"
            ) from None

    def _address(self, listener: socket.socket) -> str:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        if self._settings.api.cert_file is None:
            return f"http://{shown}:{port}/"
        return f"https://{self._settings.api.names[0] if self._settings.api.names else shown}:{port}/"
